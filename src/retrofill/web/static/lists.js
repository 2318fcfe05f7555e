// Lists: rows open in place without a new page, filters answer as one types, what is chosen is said in words.
import { keeps } from "./parts.js";

const PAUSE = 350; // milliseconds after the last letter
let asking = null;

/** Show the rows at another address of the list, which becomes that of the page; without those that have come since, if `stays`. */
async function showRows(address, focus, stays = false) {
  const rows = document.getElementById("rows");
  asking?.abort();
  const control = (asking = new AbortController());
  const wanted = new URL(address);
  if (stays && rows?.dataset.newest) wanted.searchParams.set("newest", rows.dataset.newest);
  const answer = await fetch(wanted, { headers: { "X-Part": "rows" }, signal: control.signal }).catch(() => null);
  if (control.signal.aborted) return;
  if (!rows || !answer || answer.redirected || !(answer.headers.get("Content-Type") ?? "").startsWith("text/html")) { location.href = address; return; }
  history.replaceState(null, "", address);
  await window.htmx.swap({ text: await answer.text(), target: rows, sourceElement: rows, swap: "outerMorph" });
  if (focus) document.querySelector(focus)?.focus();
}

document.addEventListener("click", (e) => {
  const link = e.target.closest?.("a[data-in-place]");
  if (link && !e.ctrlKey && !e.metaKey && !e.shiftKey && e.button === 0) {
    e.preventDefault();
    const row = link.closest("tr[id]");
    const focus = link.matches("[data-expand]") && row ? `#${row.id} [data-expand]` : "";
    showRows(new URL(link.getAttribute("href"), location.href).href.split("#")[0], focus, true);
  }
});

// Filters

const filters = document.querySelector("form[data-filters]");
let typed = null;

function addressOf(form) {
  const address = new URL(form.action, location.href);
  for (const [name, value] of new FormData(form)) if (value) address.searchParams.append(name, value);
  return address.href;
}
filters?.addEventListener("input", (e) => {
  if (!e.target.matches("[data-filter]")) return;
  clearTimeout(typed);
  typed = setTimeout(() => showRows(addressOf(filters)), PAUSE);
});
filters?.addEventListener("change", (e) => { if (e.target.matches(".toolbar > select")) location.href = addressOf(filters); });

// What is chosen

const boxes = (form) => [...form.querySelectorAll("input[name=id]:checked")];

function say(form) {
  const words = form.querySelector("[data-picked-words]");
  if (!words) return;
  const counts = new Map();
  for (const box of boxes(form)) counts.set(box.dataset.status, (counts.get(box.dataset.status) ?? 0) + 1);
  words.textContent = [...counts].map(([status, number]) => `${number} ${status?.toLowerCase()}`).join(", ");
  keeps(words, "textContent");
}

document.addEventListener("change", (e) => { const form = e.target.closest?.("form[data-picking]"); if (form) say(form); });
document.addEventListener("reset", (e) => { if (e.target.matches("form[data-picking]")) setTimeout(() => e.target.dispatchEvent(new Event("change", { bubbles: true }))); });
