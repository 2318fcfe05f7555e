// The keyboard. None of it acts while somebody types, or while a dialog is open; an element names its own key by
// `aria-keyshortcuts` ("Shift+R"), which a press of the key clicks.
const PLACES = { h: "/", b: "/backfills", t: "/tasks", s: "/schedule", r: "/resource-groups", l: "/lineage", o: "/operations", w: "/workspaces", a: "/account" };
const FOLLOWS = 900; // milliseconds in which the second key of `g b` comes
let wentAt = 0;

const isTyping = (e) => e.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const isSeen = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

document.addEventListener("keydown", (e) => {
  if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === "k") {
    e.preventDefault();
    import("./palette.js").then((palette) => palette.open());
    return;
  }
  if (isTyping(e) || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || document.querySelector("dialog[open]")) return;
  const isSecond = Date.now() - wentAt < FOLLOWS;
  wentAt = e.key === "g" && !isSecond ? Date.now() : 0;
  if (isSecond && PLACES[e.key]) location.href = PLACES[e.key];
  else if (act(e)) e.preventDefault();
});

/** What a key does; whether it does anything. */
function act(e) {
  // The last one: what can be done with rows that are chosen stands after what can be done with all.
  const named = [...document.querySelectorAll("[aria-keyshortcuts]")].findLast((one) => isSeen(one) && one.getAttribute("aria-keyshortcuts").split(" ").includes(nameOf(e)));
  if (named) { named.click(); return true; }
  if (e.key === "/") return focusOn([...document.querySelectorAll("[data-filter]")].find(isSeen) ?? document.getElementById("find"));
  if (e.key === "?") return show(document.getElementById("keys"));
  if (e.key === "n") { location.href = "/backfills/new"; return true; }
  if (/^[1-9]$/.test(e.key)) return click(document.querySelectorAll("main .tabs a")[e.key - 1]);
  if (e.target.closest?.("[role=application], [role=grid]")) return false; // they have keys of their own
  if (e.key === "j" || e.key === "k") return move(e.key === "j" ? 1 : -1);
  const row = rowOf(document.activeElement);
  if (e.key === "x") return click(row?.querySelector("input[type=checkbox]"));
  if (e.key === "o") return click(row?.querySelector("[data-expand], summary") ?? linkOf(row));
  return false;
}

const nameOf = (e) => (e.shiftKey && /^[a-z]$/i.test(e.key) ? `Shift+${e.key.toUpperCase()}` : e.key);
const click = (element) => { element?.click(); return Boolean(element); };
const show = (dialog) => { dialog?.showModal(); return Boolean(dialog); };
const focusOn = (field) => { field?.focus(); field?.select?.(); return Boolean(field); };

// Rows: of tables and of lists that say so. The row that one is in is the one whose link has the focus.

const rows = () => [...document.querySelectorAll("main tbody > tr, main [data-row]")].filter((row) => isSeen(row) && linkOf(row));
const rowOf = (element) => element?.closest?.("main tbody > tr, main [data-row]");
const linkOf = (row) => row?.querySelector("[data-row-link], a[href], summary, button");

function move(step) {
  const all = rows();
  const at = all.indexOf(rowOf(document.activeElement));
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
  if (!next) return false;
  const link = linkOf(next);
  link.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}
