// Questions above the page that asks them. Each has an address of its own, at which it is a page: where anything goes wrong
// here, the browser goes there.
const LATE = 400; // milliseconds until it is said that something is being fetched
let asking = null;

/** Show the question at an address. */
export const ask = (address) => show(address, {}, () => { location.href = address; });

/** Show the question to which a form leads by one of its buttons, with what is chosen in it. */
export function askOf(form, button) {
  const address = new URL(button.getAttribute("formaction") ?? form.action, location.href);
  const chosen = new URLSearchParams(new FormData(form, button));
  const without = () => { button.removeAttribute("data-dialog"); form.requestSubmit(button); };
  if (form.method === "post") show(address.href, { method: "POST", body: chosen }, without);
  else { address.search = chosen; show(address.href, {}, without); }
}

/** Show what a request is answered with; where there is no question in it, do without. */
async function show(address, request, without) {
  const asked = document.getElementById("asked");
  if (!asked) { without(); return; }
  asking?.abort();
  const control = (asking = new AbortController());
  const late = setTimeout(() => document.documentElement.setAttribute("aria-busy", "true"), LATE);
  const answer = await fetch(address, { ...request, headers: { "X-Part": "dialog" }, signal: control.signal }).catch(() => null);
  clearTimeout(late);
  if (control.signal.aborted) return; // somebody has asked something else meanwhile
  document.documentElement.removeAttribute("aria-busy");
  if (!answer || answer.status === 401 || answer.redirected) { without(); return; }
  asked.innerHTML = await answer.text();
  if (!asked.querySelector("form")) asked.append(closing());
  window.htmx?.process(asked);
  if (!asked.open) asked.showModal();
  (asked.querySelector("[autofocus]") ?? asked.querySelector("h2"))?.focus();
  document.dispatchEvent(new CustomEvent("retrofill:asked", { detail: asked }));
}

function closing() {
  const form = Object.assign(document.createElement("form"), { method: "dialog", className: "acts" });
  form.append(Object.assign(document.createElement("button"), { className: "btn", textContent: "Close" }));
  return form;
}
