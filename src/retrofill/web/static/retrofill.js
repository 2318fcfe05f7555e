// Small things of all pages. Everything they help with works without them.
import { ask, askOf } from "./dialogs.js";
import { keeps } from "./parts.js";
import "./keys.js";
import "./picking.js";
import { switchTheme } from "./theme.js";
import { toast } from "./toasts.js";

export { toast };

const closeDrops = (but) => { for (const drop of document.querySelectorAll(".drop[open]")) if (!but || !drop.contains(but)) drop.open = false; };

/** What `[data-expand]` controls is shown in place, or not any more. */
function expand(expander) {
  const isOpen = expander.getAttribute("aria-expanded") !== "true";
  const opened = document.getElementById(expander.getAttribute("aria-controls"));
  expander.setAttribute("aria-expanded", isOpen);
  opened.hidden = !isOpen;
  keeps(expander, "aria-expanded");
  keeps(opened, "hidden");
}

/** What `[data-copy]` names, or the address of what is shown; where the browser does not let us, it is chosen, to be copied. */
async function copy(button) {
  if (!button.dataset.copy) return copyAddress();
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
    toast("Copied");
  } catch {
    for (let around = source.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
  }
}

async function copyAddress() {
  try {
    await navigator.clipboard.writeText(location.href);
    toast("Link copied");
  } catch {
    prompt("The link to what is shown:", location.href);
  }
}

document.addEventListener("click", (e) => {
  const isPlain = !e.ctrlKey && !e.metaKey && !e.shiftKey && e.button === 0;
  const question = e.target.closest("a[data-dialog]");
  if (question && isPlain) { e.preventDefault(); closeDrops(); ask(question.href); }
  const opener = e.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  const closer = e.target.closest("dialog [data-close]");
  if (closer) { e.preventDefault(); closer.closest("dialog").close(); }
  if (e.target.matches("dialog")) e.target.close(); // beside what it holds
  if (e.target.closest("[data-theme-switch]")) { e.preventDefault(); switchTheme(); }
  const expander = e.target.closest("button[data-expand]");
  if (expander) expand(expander);
  const copier = e.target.closest("[data-copy]");
  if (copier) copy(copier);
  closeDrops(e.target);
});
document.addEventListener("keydown", (e) => {
  const drop = e.key === "Escape" && document.querySelector(".drop[open]");
  if (drop) { closeDrops(); if (drop.contains(e.target)) drop.querySelector("summary").focus(); }
});
document.addEventListener("focusout", (e) => {
  const drop = e.target.closest?.(".drop[open]");
  if (drop && e.relatedTarget && !drop.contains(e.relatedTarget)) drop.open = false;
});

// Enter in a line of a question is the answer that stands out, not the first button that there is.
document.addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.isComposing || !e.target.matches(".dlg input:not([type=checkbox], [type=radio], [type=search])")) return;
  const buttons = [...(e.target.form?.elements ?? [])].filter((one) => one.type === "submit");
  const solid = buttons.find((one) => one.classList.contains("solid"));
  if (buttons.length < 2 || !solid || solid.disabled) return;
  e.preventDefault();
  e.target.form.requestSubmit(solid);
});

// A form is sent once, however often somebody clicks; a page that is come back to can send again.
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (e.submitter?.hasAttribute("data-dialog")) { e.preventDefault(); askOf(form, e.submitter); return; }
  if (form.method !== "post" || e.defaultPrevented) return;
  if (form.dataset.sent) { e.preventDefault(); return; }
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
});

for (const print of document.querySelectorAll("[data-print]")) { print.hidden = false; print.addEventListener("click", () => window.print()); }

const own = document.querySelector("[data-own-zone]");
if (own) { own.value = Intl.DateTimeFormat().resolvedOptions().timeZone; own.hidden = false; own.textContent = `This browser's: ${own.value}`; }
