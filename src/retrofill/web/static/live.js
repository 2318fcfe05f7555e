// What happens elsewhere comes to an open page: a stream says so, and the parts of the page that may be out of date are
// fetched again and put in place so that focus, what was typed and open menus stay.
//
// The stream is read with fetch, not EventSource: that one tells neither why it was refused nor that a server which has
// gone away without a word is silent. While a page is hidden it listens to nothing, for a browser has few connections.
import { renew } from "./parts.js";

export { renew };

const main = document.getElementById("main");
const sign = document.getElementById("live");
const banner = document.getElementById("not-live");
const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds until it is tried again
const SILENCE = 40_000; // milliseconds; the server gives a sign of life every 15 seconds
const HIDDEN = 15_000; // until a hidden page listens no longer
let since = main?.dataset.since || "";
let lostAt = null, failures = 0, listening = null, retry = null, hiding = null;

// The stream

async function listen() {
  clearInterval(retry);
  listening?.abort();
  const control = (listening = new AbortController());
  let silence;
  const heard = () => { clearTimeout(silence); silence = setTimeout(() => control.abort(), SILENCE); };
  try {
    heard();
    const address = new URL(main.dataset.events, location.href);
    if (since) address.searchParams.set("since", since);
    const answer = await fetch(address, { headers: { Accept: "text/event-stream" }, signal: control.signal });
    if (!answer.ok) { if (listening === control) refused(answer.status); return; }
    stands();
    for await (const event of events(answer.body, heard)) take(event);
    failures = 0; // the server has ended it in peace: come again soon
    lost(1);
  } catch {
    if (listening === control) lost(PAUSES[Math.min(failures++, PAUSES.length - 1)]);
  } finally {
    clearTimeout(silence);
    if (listening === control) listening = null;
  }
}

/** Events of a stream as they come: {kind, id, data}. */
async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (fields.event) yield { kind: fields.event, id: fields.id, data: JSON.parse(fields.data) };
    }
  }
}

function take({ kind, id, data }) {
  if (kind !== "change") return;
  if (id) since = id;
  failures = 0;
  if (data.missed || data.changed || data.backfills?.length || data.schedule) document.dispatchEvent(new CustomEvent("retrofill:changed", { detail: data }));
}

// What is said of it

function stands() {
  const wasLost = lostAt !== null;
  lostAt = null;
  show(true);
  if (wasLost) renew();
}

function lost(seconds) {
  lostAt ??= new Date();
  const until = Date.now() + seconds * 1000;
  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left <= 0) listen();
    else if (failures) say(`Not live since ${time(lostAt)}. What you see is of then.`, `Trying again in ${left} s.`, "Try now", listen);
  };
  count();
  clearInterval(retry);
  retry = setInterval(count, 1000);
}

function refused(status) {
  if (status === 401) {
    lostAt ??= new Date();
    say(`You were signed out. What you see is of ${time(lostAt)}.`, "", "Sign in", () => { location.href = `/sign-in?goes_to=${encodeURIComponent(location.pathname + location.search)}`; });
  } else if (status === 403 || status === 404) {
    lostAt ??= new Date();
    say("What this page shows is not there any more, or no longer yours to see.", "", "Look again", () => location.reload());
  } else lost(PAUSES[Math.min(failures++, PAUSES.length - 1)]);
}

function show(isLive) {
  if (sign) {
    sign.hidden = false;
    sign.classList.toggle("stale", !isLive);
    sign.querySelector(".txt").textContent = isLive ? "Live" : "Not live";
  }
  if (isLive) banner.hidden = true;
}

/** In the banner: a sentence that is read aloud once, one that changes each second and is not, and a button. */
function say(sentence, changing, label, act) {
  show(false);
  if (banner.dataset.said !== sentence || banner.hidden) {
    const words = Object.assign(document.createElement("p"), { className: "grow", textContent: `${sentence} ` });
    const seconds = Object.assign(document.createElement("span"), { className: "faint" });
    seconds.setAttribute("aria-hidden", "true");
    words.append(seconds);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: label });
    button.addEventListener("click", act);
    banner.replaceChildren(words, button);
    banner.dataset.said = sentence;
    banner.hidden = false;
  }
  banner.querySelector("span").textContent = changing;
}

const time = (moment) => moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: main.dataset.zone || undefined, timeZoneName: "short" });

document.addEventListener("retrofill:changed", renew);
document.addEventListener("visibilitychange", () => {
  if (!main?.dataset.events) return;
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(() => { clearInterval(retry); listening?.abort(); listening = null; }, HIDDEN);
  else { renew(); if (!listening) listen(); }
});
addEventListener("pagehide", () => { const open = listening; listening = null; open?.abort(); });
addEventListener("pageshow", (e) => { if (e.persisted && main?.dataset.events) { renew(); listen(); } });
if (main?.dataset.events) {
  listen();
  setInterval(renew, 30_000); // what changes by time alone, as a window that opens, is told by nobody
}
