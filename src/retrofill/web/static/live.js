// What happens elsewhere comes to an open page: its stream says so, and the parts of it that may be out of date are
// fetched again and put in place so that focus, what was typed and open menus stay.
const main = document.getElementById("main");
const dot = document.getElementById("live");
const banner = document.getElementById("not-live");
const LEAST = 1000; // milliseconds between two looks
let since = null, last = 0, waiting = null;

/** Fetch the parts of the page again, soon, and not more often than once a second. */
export function renew() {
  if (waiting) return;
  waiting = setTimeout(async () => {
    waiting = null;
    if (document.hidden) return; // looked at again when it is seen
    last = Date.now();
    for (const part of document.querySelectorAll("[data-part]")) {
      if (!part.isConnected) continue;
      const address = new URL(part.dataset.part, location.href);
      if (part.dataset.part.startsWith("?")) for (const [k, v] of new URLSearchParams(location.search)) if (!address.searchParams.has(k)) address.searchParams.append(k, v);
      await window.htmx?.ajax("GET", address.pathname + address.search, { target: part, swap: "outerMorph" });
    }
  }, Math.max(0, last + LEAST - Date.now()));
}

function stands(isLive) {
  if (!dot) return;
  dot.hidden = false;
  dot.classList.toggle("stale", !isLive);
  dot.querySelector(".txt").textContent = isLive ? "Live" : "Not live";
  if (isLive) { since = null; banner.hidden = true; return; }
  since ??= new Date();
  banner.hidden = false;
  banner.textContent = `Not live since ${since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", timeZoneName: "short" })}. What you see is of then; trying again.`;
}

function listen(address) {
  const stream = new EventSource(address);
  let wasCut = false;
  stream.onopen = () => { stands(true); if (wasCut) { wasCut = false; renew(); } };
  stream.onerror = () => {
    wasCut = true;
    stands(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => listen(address), 8000); // the server refused: later it may not
  };
  stream.addEventListener("change", (e) => document.dispatchEvent(new CustomEvent("retrofill:changed", { detail: JSON.parse(e.data) })));
  addEventListener("pagehide", () => stream.close(), { once: true });
}

document.addEventListener("retrofill:changed", renew);
document.addEventListener("visibilitychange", () => { if (!document.hidden && main?.dataset.events) renew(); });
if (main?.dataset.events) {
  listen(main.dataset.events);
  setInterval(renew, 30000); // what changes by time alone, as a window that opens, is told by nobody
}
