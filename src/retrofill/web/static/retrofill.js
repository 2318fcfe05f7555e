// Small things of all pages. Everything they help with works without them.
const root = document.documentElement;
const asked = document.getElementById("asked");

const typing = (e) => e.target.closest?.("input, textarea, select, [contenteditable]");
const keep = (name, value) => { document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax`; };

/** Say something in a corner for some seconds; read aloud politely. */
export function toast(text) {
  const line = document.createElement("div");
  line.className = "toast";
  line.textContent = text;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), 6000);
}

/** Show the question at an address above this page. Where that does not work, go there. */
async function ask(address) {
  const answer = await fetch(address, { headers: { "X-Part": "dialog" } }).catch(() => null);
  if (!answer || answer.status === 401) { location.href = address; return; }
  asked.innerHTML = await answer.text();
  if (!asked.querySelector("form")) {
    const close = document.createElement("form");
    close.method = "dialog"; close.className = "acts";
    close.innerHTML = '<button class="btn">Close</button>';
    asked.append(close);
  }
  window.htmx?.process(asked);
  asked.showModal();
}

function switchTheme() {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  keep("retrofill-theme", root.dataset.theme);
  document.dispatchEvent(new Event("themechange"));
}

document.addEventListener("click", (e) => {
  const question = e.target.closest("a[data-dialog]");
  if (question && !e.ctrlKey && !e.metaKey && !e.shiftKey && asked) { e.preventDefault(); ask(question.href); }
  const opener = e.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  if (e.target.closest("dialog [data-close]")) { e.preventDefault(); e.target.closest("dialog").close(); }
  if (e.target.closest("[data-theme-switch]")) { e.preventDefault(); switchTheme(); }
  for (const drop of document.querySelectorAll(".drop[open]")) if (!drop.contains(e.target)) drop.open = false;
});

// A form is sent once, however often somebody clicks; a page that is come back to can send again.
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { e.preventDefault(); return; }
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });

const own = document.querySelector("[data-own-zone]");
if (own) { own.value = Intl.DateTimeFormat().resolvedOptions().timeZone; own.hidden = false; own.textContent = `This browser's: ${own.value}`; }

const go = { h: "/", b: "/backfills", t: "/tasks", s: "/schedule", r: "/resource-groups", l: "/lineage", o: "/operations", w: "/workspaces" };
let g = 0;
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") for (const drop of document.querySelectorAll(".drop[open]")) drop.open = false;
  if (typing(e) || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  if (e.key === "/") { e.preventDefault(); (document.querySelector("[data-filter]") || document.getElementById("find"))?.focus(); }
  else if (e.key === "?") document.getElementById("keys")?.showModal();
  else if (e.key === "n") location.href = "/backfills/new";
  else if (Date.now() - g < 900 && go[e.key]) location.href = go[e.key];
  else if (/^[1-7]$/.test(e.key)) document.querySelectorAll(".tabs a")[e.key - 1]?.click();
  g = e.key === "g" ? Date.now() : 0;
});
