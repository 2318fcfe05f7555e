// Choosing rows: checkboxes named `id` in `<form data-picking>`. Its bar (`[data-picked-bar]`) is there as soon as any is chosen;
// `[data-picked]` says how many. With Shift, all between the last one and this one.
import { keeps } from "./parts.js";

let lastPicked = null;
const boxesOf = (form) => [...form.querySelectorAll("input[type=checkbox][name=id]")];

function tell(form) {
  const boxes = boxesOf(form);
  const number = boxes.filter((box) => box.checked).length;
  for (const bar of form.querySelectorAll("[data-picked-bar]")) { bar.hidden = !number; keeps(bar, "hidden"); }
  for (const count of form.querySelectorAll("[data-picked]")) count.textContent = number.toLocaleString("en-US");
  for (const all of form.querySelectorAll("[data-pick-all]")) { all.checked = number > 0 && number === boxes.length; all.indeterminate = number > 0 && number < boxes.length; }
  for (const box of boxes) {
    const row = box.closest("tr, [data-row]");
    if (row && row.hasAttribute("aria-selected") !== box.checked) { row.toggleAttribute("aria-selected", box.checked); if (box.checked) row.setAttribute("aria-selected", "true"); keeps(row, "aria-selected"); }
  }
}

document.addEventListener("click", (e) => {
  const box = e.target.closest?.("form[data-picking] input[type=checkbox][name=id]");
  if (!box) return;
  const boxes = boxesOf(box.form);
  const from = boxes.indexOf(lastPicked), to = boxes.indexOf(box);
  if (e.shiftKey && from >= 0) for (const one of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
  lastPicked = box;
  tell(box.form);
});
document.addEventListener("change", (e) => {
  const form = e.target.closest?.("form[data-picking]");
  if (!form) return;
  if (e.target.matches("[data-pick-all]")) for (const box of boxesOf(form)) box.checked = e.target.checked;
  tell(form);
});
document.addEventListener("htmx:after:swap", () => document.querySelectorAll("form[data-picking]").forEach(tell));
addEventListener("pageshow", () => document.querySelectorAll("form[data-picking]").forEach(tell));
