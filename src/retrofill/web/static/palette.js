// Ctrl K: go anywhere, do anything. What can be named comes from `/api/v1/names`, and is asked for once a page.
import { switchTheme } from "./theme.js";

const MOST = 12; // lines that are offered
const PLACES = [
  ["Home", "/"], ["Backfills", "/backfills"], ["New backfill", "/backfills/new"], ["Schedule", "/schedule"], ["Tasks", "/tasks"], ["Lineage", "/lineage"],
  ["Resource groups", "/resource-groups"], ["Operations", "/operations"], ["Workspaces", "/workspaces"], ["Your account", "/account"],
];
let dialog = null, known = null, offered = [], at = 0;

export function open() {
  dialog ??= make();
  if (dialog.open) return;
  const field = dialog.querySelector("input");
  field.value = "";
  dialog.showModal();
  field.focus();
  known ??= load();
  show();
}

/** Everything that can be gone to: {name, kind, words, go}. */
async function load() {
  const places = PLACES.map(([name, address]) => line(name, "page", address));
  const acts = [{ name: "Switch between light and dark", kind: "do", words: "theme dark light switch", go: switchTheme }, { name: "Keyboard shortcuts", kind: "do", words: "keyboard shortcuts help ?", go: () => document.getElementById("keys").showModal() }];
  const here = [...document.querySelectorAll("main a.btn[data-dialog], main .menu a[data-dialog]")].map((link) => ({ name: link.textContent.trim(), kind: "here", words: link.textContent.toLowerCase(), go: () => link.click() }));
  const [backfills, tasks] = await Promise.all([names("backfills"), names("tasks")]);
  return [
    ...here, ...places, ...acts,
    ...backfills.map((one) => line(`${one.id} ${one.name}`, "backfill", `/backfills/${one.id}`)),
    ...tasks.map((one) => line(one.task, "task", `/tasks/${encodeURIComponent(one.task)}`)),
  ];
}

async function names(noun) {
  const answer = await fetch(`/api/v1/names/${noun}`).catch(() => null);
  return answer?.ok ? (await answer.json()).items : [];
}

const line = (name, kind, address) => ({ name, kind, words: name.toLowerCase(), address, go: () => { location.href = address; } });

/** What fits all words that were typed, best first: what begins so, then what has a word that does, then the rest. */
function fitting(all, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return all.filter((one) => one.kind !== "task").slice(0, MOST);
  const rank = (one) => (one.words.startsWith(words[0]) ? 0 : one.words.split(/[\s._-]/).some((part) => part.startsWith(words[0])) ? 1 : 2);
  const fits = all.filter((one) => words.every((word) => one.words.includes(word)));
  return fits.map((one) => [rank(one), one]).sort((a, b) => a[0] - b[0]).slice(0, MOST).map(([, one]) => one);
}

async function show() {
  const field = dialog.querySelector("input");
  const all = await known;
  const typed = field.value.trim();
  const number = /^#?(\d{1,18})$/.exec(typed)?.[1];
  offered = [...(number ? [line(`Instance ${number}`, "instance", `/instances/${number}`), line(`Backfill ${number}`, "backfill", `/backfills/${number}`)] : []), ...fitting(all, typed)];
  if (typed && !number) offered.push(line(`Tasks with “${typed}” in their name`, "search", `/tasks?search=${encodeURIComponent(typed)}`));
  at = 0;
  dialog.querySelector("[role=listbox]").replaceChildren(...offered.map(option));
  mark();
}

function option(one, index) {
  const element = Object.assign(document.createElement("li"), { id: `palette-${index}` });
  element.setAttribute("role", "option");
  const name = Object.assign(document.createElement("span"), { className: "name", textContent: one.name, title: one.name });
  element.append(name, Object.assign(document.createElement("span"), { className: "faint", textContent: one.kind }));
  element.addEventListener("mousemove", () => { if (at !== index) { at = index; mark(); } });
  element.addEventListener("click", (e) => choose(one, e.ctrlKey || e.metaKey));
  return element;
}

function mark() {
  const options = [...dialog.querySelectorAll("[role=option]")];
  options.forEach((element, index) => element.setAttribute("aria-selected", index === at));
  options[at]?.scrollIntoView({ block: "nearest" });
  dialog.querySelector("input").setAttribute("aria-activedescendant", options[at]?.id ?? "");
}

function choose(one, inNewTab) {
  if (!one) return;
  dialog.close();
  if (inNewTab && one.address) window.open(one.address, "_blank", "noopener");
  else one.go();
}

function make() {
  const made = document.createElement("dialog");
  made.id = "palette";
  made.setAttribute("aria-label", "Go anywhere, do anything");
  made.innerHTML = '<input class="in" type="text" role="combobox" aria-label="Go to" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" autocomplete="off" spellcheck="false" placeholder="Tasks, backfills, pages; a number opens that instance"><ul id="palette-list" role="listbox" aria-label="Found"></ul>';
  const field = made.querySelector("input");
  field.addEventListener("input", show);
  field.addEventListener("keydown", (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) { at = (at + step + offered.length) % offered.length; mark(); }
    else if (e.key === "Enter") choose(offered[at], e.ctrlKey || e.metaKey);
    else return;
    e.preventDefault();
  });
  document.body.append(made);
  return made;
}
