// The form of a new backfill: its plan follows what is typed, tasks are found while one writes. What is sent is what
// the form sends without scripts; what comes back is put in place so that focus and what was typed meanwhile stay.
import { toast } from "./retrofill.js";

const HOME = "/backfills/new";
const WAIT = 450; // milliseconds after the last key
const form = document.getElementById("new");
let timer = 0, asked = null, edit = null, typed = new Set();

const later = () => { clearTimeout(timer); timer = setTimeout(() => send("look"), WAIT); };

/** Send the form for one of its buttons. What a button does is never lost: whatever is sent meanwhile waits for it. */
async function send(what) {
  clearTimeout(timer);
  while (edit) await edit;
  if (what === "look") await post(what);
  else await (edit = post(what).finally(() => { edit = null; }));
}

/** Send the form, and put in place what comes back. */
async function post(what) {
  asked?.abort();
  const mine = asked = new AbortController();
  typed = new Set();
  const body = new URLSearchParams(new FormData(form));
  body.set("do", what);
  const plan = document.getElementById("plan");
  plan.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(HOME, { method: "POST", body, headers: { "X-Part": "form" }, signal: mine.signal });
    if (answer.status === 401) { await signedOut(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("new");
    if (found) place(found, what !== "look");
    else tell(page.querySelector("h1")?.textContent || "The server could not plan this.");
  } catch (error) {
    if (error.name !== "AbortError") tell("The server does not answer. What you have typed stays here; change something to try again.");
  } finally {
    if (asked === mine) document.getElementById("plan").removeAttribute("aria-busy");
  }
}

// What the server has sent of each part, without the parts in it: what is as it was is left alone.
const shown = new Map();
const own = (part) => {
  const copy = part.cloneNode(true);
  for (const inner of copy.querySelectorAll("[data-fresh]")) inner.replaceChildren();
  return copy.outerHTML;
};
const note = (of) => { for (const part of of.querySelectorAll("[data-fresh]")) shown.set(part.id, own(part)); };

function place(found, isEdit) {
  const active = document.activeElement;
  const here = active?.id, from = active?.selectionStart, to = active?.selectionEnd;
  const kept = new Map();
  for (const one of form.elements) if (one.id && (typed.has(one.id) || (!isEdit && one === active && "value" in one))) kept.set(one.id, one.value);
  const open = new Set([...form.querySelectorAll("details[open]")].map((one) => one.id));
  const scrolled = new Map([...form.querySelectorAll("[data-fresh] .scroll[id], #plan .body")].map((one) => [one.id || "body", one.scrollTop]));
  const isSearching = active?.dataset?.tasks !== undefined && (typed.has(here) || active.getAttribute("aria-expanded") === "true" || (active.dataset.tasks && active.value));
  for (const old of form.querySelectorAll("[data-fresh]")) {
    const fresh = old.isConnected && found.querySelector(`#${CSS.escape(old.id)}`); // what stood in another one has gone with it
    if (fresh && (isEdit || own(fresh) !== shown.get(old.id))) old.replaceWith(document.importNode(fresh, true));
  }
  note(found);
  if (isEdit) for (const fresh of found.elements) follow(fresh);
  for (const [id, value] of kept) { const one = document.getElementById(id); if (one && one.value !== value) one.value = value; }
  for (const one of form.querySelectorAll("details")) if (open.has(one.id)) one.open = true;
  for (const [id, top] of scrolled) { const one = id === "body" ? form.querySelector("#plan .body") : document.getElementById(id); if (one) one.scrollTop = top; }
  if (here && document.activeElement?.id !== here) {
    const again = document.getElementById(here);
    again?.focus({ preventScroll: true });
    if (again?.setSelectionRange && from !== null && again.type === "text") again.setSelectionRange(from, to);
  }
  ready();
  if (isSearching && !active.isConnected) document.getElementById(here)?.dispatchEvent(new Event("input")); // its list went with it
  const draft = found.dataset.draft;
  if (draft) history.replaceState(null, "", `${HOME}?draft=${draft}`);
  if (found.dataset.said) toast(found.dataset.said);
}

/** A button has changed what stands elsewhere in the form. */
function follow(fresh) {
  const old = fresh.id && document.getElementById(fresh.id);
  if (!old || old.closest("[data-fresh]") || typed.has(old.id)) return;
  if (fresh.type === "checkbox" || fresh.type === "radio") old.checked = fresh.defaultChecked;
  else if (fresh.tagName === "SELECT") old.value = fresh.value;
  else if ("value" in fresh && old.type !== "hidden" && fresh.tagName !== "BUTTON") old.value = fresh.defaultValue ?? fresh.value;
}

function tell(text) {
  const told = document.getElementById("told");
  told.innerHTML = '<div class="banner fail" role="alert"><p class="grow"></p></div>';
  told.querySelector("p").textContent = text;
}

async function signedOut() {
  tell("You have been signed out. What you have typed stays on this page. ");
  const link = document.createElement("a");
  link.href = "/sign-in"; link.target = "_blank"; link.rel = "opener"; link.textContent = "Sign in in a new tab, then change something here.";
  document.querySelector("#told p").append(link);
}

// What is sent by scripts, and what as a page: only that which leads elsewhere.
form.addEventListener("submit", (e) => {
  const what = e.submitter?.value || "look";
  if (what === "create") return;
  e.preventDefault();
  e.stopImmediatePropagation();
  send(what);
}, true);
form.addEventListener("input", (e) => { if (e.target.id) typed.add(e.target.id); if (!e.target.dataset.tasks?.startsWith("add:") && e.target.id !== "pasted" && !e.target.name.startsWith("where_")) later(); });
form.addEventListener("change", (e) => {
  if (e.target.dataset.shows) document.getElementById(e.target.dataset.shows)?.toggleAttribute("data-off", !e.target.value);
  if (e.target.name.startsWith("where_") || e.target.id === "pasted" || e.target.dataset.tasks?.startsWith("add:")) return;
  "now" in e.target.dataset ? send("look") : later();
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); document.getElementById("create")?.click(); }
});
document.addEventListener("click", (e) => {
  const node = e.target.closest(".linkbox .node");
  if (node) [...form.querySelectorAll("input[name=skip]")].find((one) => one.value === node.dataset.name && !one.disabled)?.click();
});

// Tasks as one types: a combobox over the server's search.

function ready() { for (const input of form.querySelectorAll("input[data-tasks]:not([role])")) combobox(input); }

function combobox(input) {
  const list = document.createElement("ul");
  list.id = `${input.id}-found`;
  list.className = "menu";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Tasks found");
  list.hidden = true;
  input.after(list);
  for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", list.id], ["aria-autocomplete", "list"]]) input.setAttribute(name, value);
  let at = -1, pause = 0, search = null;

  const shut = () => { list.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const mark = (to) => {
    at = to;
    [...list.children].forEach((one, n) => one.setAttribute("aria-selected", String(n === at)));
    const one = list.children[at];
    if (one) { input.setAttribute("aria-activedescendant", one.id); one.scrollIntoView({ block: "nearest" }); }
  };
  const choose = (name) => {
    shut();
    input.value = name;
    send(input.dataset.tasks || "look");
  };
  const look = async () => {
    const text = input.value.trim();
    search?.abort();
    if (!text) { shut(); return; }
    search = new AbortController();
    try {
      const answer = await fetch(`/api/v1/tasks?limit=12&name=${encodeURIComponent(text)}`, { signal: search.signal });
      if (answer.ok && document.activeElement === input) show((await answer.json()).items, text);
    } catch { /* another one is under way, or nobody answers: the plan says so */ }
  };
  const show = (items, text) => {
    list.replaceChildren(...items.map((one, n) => option(list.id, one, n, text)));
    if (!items.length) { shut(); return; }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
  };
  input.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(look, 120); });
  input.addEventListener("keydown", (e) => {
    if (list.hidden) { if (e.key === "Enter" && input.dataset.tasks) { e.preventDefault(); if (input.value.trim()) send(input.dataset.tasks); } return; }
    const most = list.children.length - 1;
    if (e.key === "ArrowDown") { e.preventDefault(); mark(at === most ? 0 : at + 1); }
    else if (e.key === "ArrowUp") { e.preventDefault(); mark(at <= 0 ? most : at - 1); }
    else if (e.key === "Enter" && !e.ctrlKey && !e.metaKey && list.children[at]) { e.preventDefault(); choose(list.children[at].dataset.name); }
    else if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); shut(); }
  });
  input.addEventListener("blur", () => setTimeout(shut, 150));
  list.addEventListener("mousedown", (e) => { e.preventDefault(); const one = e.target.closest("[role=option]"); if (one) choose(one.dataset.name); });
}

function option(id, task, n, text) {
  const line = document.createElement("li");
  line.id = `${id}-${n}`;
  line.dataset.name = task.task;
  line.setAttribute("role", "option");
  const name = document.createElement("span");
  name.className = "grow cut";
  name.title = task.task;
  const start = task.task.toLowerCase().indexOf(text.toLowerCase());
  const hit = document.createElement("mark");
  hit.textContent = start < 0 ? "" : task.task.slice(start, start + text.length);
  name.append(task.task.slice(0, Math.max(start, 0)), hit, task.task.slice(start < 0 ? 0 : start + text.length));
  const when = document.createElement("span");
  when.className = "faint small nowrap";
  when.textContent = [task.schedule, task.owner].filter(Boolean).join(" · ");
  line.append(name, when);
  return line;
}

note(form);
ready();
