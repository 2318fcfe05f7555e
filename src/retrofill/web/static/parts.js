// Parts of a page that are fetched again and put in place: `<section id="progress" data-part="?part=progress">`. What somebody
// has opened, chosen or typed there stays as it is, whatever the server says.
const LEAST = 1000; // milliseconds between two looks
const shown = new WeakMap(); // what a part was answered with
const changed = new WeakMap(); // attributes that somebody has changed, by element
let last = 0, waiting = null;

/** An attribute that somebody has changed with the mouse or the keys: no answer of the server changes it back. */
export function keeps(element, ...names) {
  changed.set(element, new Set([...(changed.get(element) ?? []), ...names]));
}

window.htmx?.registerExtension("keeping", {
  init: () => null,
  htmx_before_morph_attr: (element, { attrName }) => !changed.get(element)?.has(attrName),
});

/** Fetch the parts of the page again, soon, and not more often than once a second; a hidden page when it is seen. */
export function renew() {
  waiting ??= setTimeout(async () => {
    if (!document.hidden) {
      last = Date.now();
      await Promise.all([...document.querySelectorAll("[data-part]")].map(fetchPart));
    }
    waiting = null;
  }, Math.max(0, last + LEAST - Date.now()));
}

async function fetchPart(part) {
  const answer = await fetch(addressOf(part), { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return; // the stream knows what has become of the page, and says so
  const text = await answer.text();
  if (!part.isConnected || shown.get(part) === text) return;
  shown.set(part, text);
  await window.htmx.swap({ text, target: part, sourceElement: part, swap: "outerMorph" });
}

/** That of the part; one that begins with `?` keeps what the page was asked for. */
function addressOf(part) {
  const address = new URL(part.dataset.part, location.href);
  if (part.dataset.part.startsWith("?")) {
    for (const [name, value] of new URLSearchParams(location.search)) if (!new URLSearchParams(part.dataset.part).has(name)) address.searchParams.append(name, value);
  }
  return address;
}
