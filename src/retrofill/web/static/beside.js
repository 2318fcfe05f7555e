// What stands beside the picture of the timeline: where the time goes, and what the end hangs on.
import { count, took } from "./pictures.js";

/** Names differ at both ends: the middle goes. */
const cut = (name, most) => (name.length <= most ? name : `${name.slice(0, Math.ceil(most / 2))}…${name.slice(1 - Math.floor(most / 2))}`);

/** Where the time goes: the tasks with the most run time, into the table beside. */
export function slowest(runs) {
  const body = document.querySelector("[data-slow]"), note = document.querySelector("[data-slow-note]");
  if (!body) return;
  const tasks = runs.byTask(), whole = tasks.reduce((sum, one) => sum + one.sum, 0), form = document.getElementById("slow-row");
  body.replaceChildren(...tasks.slice(0, 14).map((one) => {
    const row = form.content.cloneNode(true), link = row.querySelector("a"), dot = one.task.indexOf(".");
    link.href = `/tasks/${encodeURIComponent(one.task)}`;
    link.title = one.task;
    link.querySelector(".ws").textContent = one.task.slice(0, dot + 1);
    link.append(cut(one.task.slice(dot + 1), 26 - Math.min(dot, 8)));
    row.querySelector("[data-share]").setAttribute("width", (100 * one.sum) / tasks[0].sum);
    const [sum, mean] = row.querySelectorAll("td");
    sum.textContent = took(one.sum);
    mean.textContent = took(one.mean);
    return row;
  }));
  document.getElementById("slow").hidden = !tasks.length;
  const five = tasks.slice(0, 5).reduce((sum, one) => sum + one.sum, 0);
  note.textContent = tasks.length > 5 ? `Five of ${count(tasks.length)} tasks hold ${Math.round((100 * five) / whole)} % of the ${took(whole)} that slots were held.` : `Slots were held for ${took(whole)} in all.`;
}

/** What the end hangs on: told below, and marked in the picture. */
export async function hangsOn(mark) {
  const place = document.getElementById("path");
  const answer = place && (await fetch(place.dataset.path, { headers: { "X-Part": "path" }, credentials: "same-origin" }).catch(() => null));
  if (!answer?.ok) return; // the picture is whole without
  const wasOpen = place.querySelector("details")?.open ?? true;
  place.innerHTML = await answer.text();
  if (!wasOpen) place.querySelector("details")?.removeAttribute("open");
  mark(new Map([...place.querySelectorAll("[data-link]")].map((row) => [+row.dataset.link, Date.parse(row.dataset.from)])));
}
