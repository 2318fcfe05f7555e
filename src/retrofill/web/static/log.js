// A log of any size, of which the page holds some hundred lines: the server finds lines, counts and searches. What comes
// while one looks at its end is added; who looks elsewhere is left there. Everything has a link that does it without this.
import { painted } from "./terminal.js";
import { toast } from "./toasts.js";

const MOST = 2000; // lines that the page holds
const STEP = 400; // lines that are fetched at once
const NEAR = 600; // pixels from an edge at which more is fetched
const MOST_FINDS = 2000;
// As the server tells errors (`log_lines.py`), for lines that come while one looks.
const ERRORS = [/\b(?:error|fatal|critical|panic|exception)\b(?!\s*[=:]\s*(?:0|none|false)\b)|\btraceback \(most recent/i, /[A-Za-z](?:Error|Exception)\b/];
const panel = document.querySelector("[data-log]");
if (panel) start(panel);

function start(panel) {
  const base = panel.dataset.log, run = Number(panel.dataset.run);
  const box = panel.querySelector(".log"), list = box.querySelector("ol");
  const note = panel.querySelector("[data-note]"), found = panel.querySelector("[data-found]");
  const form = panel.querySelector("form.logtools");
  const number = (text) => (text === undefined || text === "" ? null : Number(text));
  const log = {
    before: number(panel.dataset.before), after: Number(panel.dataset.after), size: Number(panel.dataset.size),
    total: number(panel.dataset.total), ended: "ended" in panel.dataset, at: number(panel.dataset.at),
  };
  let busy = null, stream = null, finds = [], chosen = -1, query = null;

  // Lines

  const get = async (path, fields, signal) => {
    const address = new URL(`${base}/${path}`, location.href);
    for (const [name, value] of Object.entries({ run, ...fields })) if (value !== null && value !== undefined) address.searchParams.set(name, value);
    const answer = await fetch(address, { signal });
    if (!answer.ok) throw new Error(answer.status === 401 ? "You were signed out." : "The log cannot be read now.");
    return answer.json();
  };
  const link = (offset) => { const here = new URL(location.pathname, location.href); here.searchParams.set("run", run); here.searchParams.set("at", offset); here.hash = "log"; return here.href; };

  function element(line) {
    const item = document.createElement("li");
    item.dataset.at = line.offset;
    if (line.number) item.dataset.no = line.number;
    if (line.error) item.className = "err";
    const no = document.createElement("a");
    no.className = "no"; no.href = link(line.offset); no.tabIndex = -1;
    no.textContent = !line.starts ? "…" : line.number ?? "·";
    const text = document.createElement("span");
    text.append(painted(line.text));
    item.append(no, text);
    return item;
  }

  function gap(missing) {
    const item = document.createElement("li");
    item.className = "gap";
    item.textContent = `${missing.toLocaleString("en")} bytes of the log were cut out here.`;
    return item;
  }

  const elements = (lines) => lines.flatMap((line) => (line.missing ? [gap(line.missing), element(line)] : [element(line)]));
  const first = () => list.querySelector("[data-at]");
  const last = () => list.lastElementChild;
  const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  const holdsEnd = () => log.after >= log.size;

  function noteWindow(window) {
    log.size = window.size;
    log.total = window.total;
    if (window.ended) log.ended = true;
    note.textContent = `${log.total === null ? "counting lines, " : `${log.total.toLocaleString("en")} line${log.total === 1 ? "" : "s"}, `}${bytes(log.size)}${log.ended ? "" : ", growing"}`;
    box.toggleAttribute("data-following", !log.ended && holdsEnd());
    for (const more of box.querySelectorAll(".more")) more.remove();
    if (log.total === null && log.ended) setTimeout(count, 50);
  }

  /** Replace all that is shown. */
  function show(window, mark) {
    list.replaceChildren(...elements(window.lines));
    log.before = window.before; log.after = window.after;
    noteWindow(window);
    if (mark === "end") box.scrollTop = box.scrollHeight;
    else if (mark === "begin") box.scrollTop = 0;
    else if (mark !== undefined) choose(mark);
    highlight();
    follow();
  }

  async function jump(where, mark) {
    stop();
    busy?.abort();
    const control = (busy = new AbortController());
    try { show(await get("lines", { count: STEP, ...where }, control.signal), mark); }
    catch (error) { if (!control.signal.aborted) toast(error.message); }
    finally { if (busy === control) busy = null; }
  }

  /** Lines are counted look by look; until then their numbers are not known. */
  async function count() {
    if (!panel.isConnected || log.total !== null) return;
    const window = await get("lines", { at: first()?.dataset.at, count: 1 }).catch(() => null);
    if (!window) return;
    noteWindow(window);
    if (log.total !== null && first() && !first().dataset.no) renumber();
  }

  async function renumber() {
    const begin = Number(first().dataset.at);
    const { lines } = await get("lines", { since: begin, count: Math.min(list.children.length, MOST) });
    const numbers = new Map(lines.map((line) => [String(line.offset), line]));
    for (const item of list.querySelectorAll("[data-at]")) {
      const line = numbers.get(item.dataset.at);
      if (line?.number) { item.dataset.no = line.number; if (line.starts) item.firstChild.textContent = line.number; }
    }
  }

  async function more(isUp) {
    if (busy || (isUp ? log.before === null : holdsEnd())) return;
    const control = (busy = new AbortController());
    try {
      const window = await get("lines", isUp ? { until: log.before, count: STEP } : { since: log.after, count: STEP }, control.signal);
      const added = elements(window.lines);
      if (isUp) {
        const height = box.scrollHeight;
        list.prepend(...added);
        box.scrollTop += box.scrollHeight - height;
        log.before = window.lines.length ? window.before : null;
        while (list.children.length > MOST) { log.after = Number(last().dataset.at ?? log.after); last().remove(); }
        if (list.children.length >= MOST) stop();
      } else {
        list.append(...added);
        log.after = window.after;
        dropAbove();
      }
      noteWindow(window);
      highlight();
      follow();
    } catch (error) { if (!control.signal.aborted) toast(error.message); }
    finally { if (busy === control) busy = null; }
  }

  function dropAbove() {
    if (list.children.length <= MOST) return;
    const height = box.scrollHeight, top = box.scrollTop;
    while (list.children.length > MOST) list.firstElementChild.remove();
    box.scrollTop = top - (height - box.scrollHeight);
    log.before = Number(first().dataset.at);
  }

  // Following

  function follow() {
    if (log.ended || stream || !holdsEnd() || document.hidden) return;
    const address = new URL(`${base}/events`, location.href);
    address.searchParams.set("run", run);
    address.searchParams.set("offset", log.after);
    stream = new EventSource(address);
    stream.addEventListener("output", (e) => come(JSON.parse(e.data)));
    stream.addEventListener("end", () => {
      stop();
      log.ended = true;
      get("lines", { count: 0 }).then(noteWindow).catch(() => {});
      document.dispatchEvent(new CustomEvent("retrofill:changed", { detail: {} })); // its state has changed, too
    });
  }

  function stop() { stream?.close(); stream = null; }

  function come({ offset, missing, text }) {
    const wasAtEnd = isAtEnd();
    if (!wasAtEnd && list.children.length >= MOST) { stop(); log.size = Math.max(log.size, offset + 1); return; } // fetched when one comes there
    box.querySelector("[data-nothing]")?.remove();
    if (missing) list.append(gap(missing));
    const encoder = new TextEncoder();
    let at = offset, tail = last();
    let open = !missing && tail?.dataset.open ? tail : null;
    for (const piece of text.split(/(?<=\n)/)) {
      if (!piece) continue;
      const ends = piece.endsWith("\n");
      if (open) open.dataset.raw += piece;
      else {
        const previous = last()?.dataset.no ? Number(last().dataset.no) : null;
        const isFirst = !list.querySelector("[data-at]");
        open = element({ offset: at, number: isFirst ? 1 : previous === null ? null : previous + 1, starts: true, text: "", error: false });
        open.dataset.raw = piece;
        list.append(open);
      }
      open.lastChild.replaceChildren(painted(open.dataset.raw.replace(/\n$/, "").slice(0, 20000)));
      if (ERRORS.some((words) => words.test(open.lastChild.textContent))) open.classList.add("err");
      if (ends) { delete open.dataset.raw; delete open.dataset.open; open = null; } else open.dataset.open = "1";
      at += encoder.encode(piece).length;
    }
    log.after = Math.max(log.after, at);
    log.size = Math.max(log.size, at);
    const lastNumber = Number(last()?.dataset.no);
    if (lastNumber) log.total = lastNumber;
    note.textContent = `${log.total === null ? "" : `${log.total.toLocaleString("en")} line${log.total === 1 ? "" : "s"}, `}${bytes(log.size)}, growing`;
    dropAbove();
    if (wasAtEnd) box.scrollTop = box.scrollHeight;
  }

  // The marked line

  function choose(offset, isSilent) {
    log.at = offset;
    list.querySelector(".here")?.classList.remove("here");
    const items = [...list.querySelectorAll("[data-at]")];
    const item = items.findLast((one) => Number(one.dataset.at) <= offset);
    item?.classList.add("here");
    if (item && !isSilent) item.scrollIntoView({ block: "center" });
    history.replaceState(history.state, "", link(offset));
  }

  // Search

  async function search(text) {
    query = text;
    finds = []; chosen = -1;
    if (!text) { found.textContent = ""; buttons(); highlight(); return; }
    const top = Number([...list.querySelectorAll("[data-at]")].find((one) => one.offsetTop >= box.scrollTop)?.dataset.at ?? 0);
    let since = 0;
    while (since !== null && finds.length < MOST_FINDS && query === text) {
      const part = await get("finds", { text, since, limit: 200 }).catch((error) => { toast(error.message); return null; });
      if (!part || query !== text) return;
      finds.push(...part.items);
      since = part.next;
      const next = chosen < 0 ? finds.findIndex((one) => one.offset >= top) : -1;
      if (next >= 0) await goTo(next); // the one after what is seen, as who searches reads on from there
      tell(since !== null);
    }
    if (chosen < 0 && finds.length) await goTo(0);
    tell(false);
  }

  function tell(isGoingOn) {
    const many = finds.length >= MOST_FINDS ? `${MOST_FINDS.toLocaleString("en")}+` : finds.length.toLocaleString("en");
    found.textContent = finds.length ? `${chosen + 1} of ${many}${isGoingOn ? "…" : ""}` : isGoingOn ? "searching…" : "not found";
    buttons();
  }

  const buttons = () => { for (const one of panel.querySelectorAll("[data-find]")) one.hidden = !finds.length; };

  async function goTo(index) {
    chosen = (index + finds.length) % finds.length;
    await reveal(finds[chosen].offset);
    tell(false);
  }

  /** Show the line that holds a byte; fetch around it where it is not here. */
  async function reveal(offset) {
    const isHere = first() && offset >= Number(first().dataset.at) && offset < log.after;
    if (isHere) { choose(offset); highlight(); } else await jump({ at: offset }, offset);
  }

  /** Marks what is looked for, without a change of what is shown. */
  function highlight() {
    if (!CSS.highlights) return;
    const all = [], here = [];
    const needle = query?.toLowerCase();
    if (needle) {
      for (const item of list.querySelectorAll("li > span")) {
        const text = item.textContent.toLowerCase();
        for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length)) {
          (item.parentElement.classList.contains("here") ? here : all).push(rangeIn(item, at, at + needle.length));
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...all));
    CSS.highlights.set("found-here", new Highlight(...here));
  }

  /** From one character to another, whatever elements lie between. */
  function rangeIn(item, begin, end) {
    const range = new Range(), walker = document.createTreeWalker(item, NodeFilter.SHOW_TEXT);
    let at = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (begin >= at && begin < at + node.length) range.setStart(node, begin - at);
      if (end > at && end <= at + node.length) { range.setEnd(node, end - at); break; }
      at += node.length;
    }
    return range;
  }

  // What one does

  const press = (button, isOn) => button.setAttribute("aria-pressed", String(isOn));
  const wrap = panel.querySelector("[data-wrap]"), full = panel.querySelector("[data-full]"), copy = panel.querySelector("[data-link]");
  for (const one of [wrap, full, copy]) one.hidden = false;
  panel.querySelector("[data-go]").classList.add("sr");
  wrap.onclick = () => press(wrap, box.classList.toggle("wrap"));
  full.onclick = () => { press(full, panel.classList.toggle("full")); box.focus(); };
  copy.onclick = async () => {
    await navigator.clipboard.writeText(log.at === null ? link(Number(first()?.dataset.at ?? 0)) : link(log.at)).then(() => toast("The link is copied."), () => toast("This browser does not let pages copy."));
  };
  for (const one of panel.querySelectorAll("[data-find]")) one.onclick = () => goTo(chosen + Number(one.dataset.find));
  panel.querySelector("[data-begin]").onclick = (e) => { e.preventDefault(); jump({ since: 0 }, "begin"); };
  panel.querySelector("[data-end]").onclick = (e) => { e.preventDefault(); jump({}, "end"); };
  panel.querySelector("[data-error]").onclick = async (e) => {
    e.preventDefault();
    for (let since = 0; since !== null;) {
      const part = await get("finds", { error: true, since, limit: 1 }).catch(() => null);
      if (!part) return;
      if (part.items.length) { reveal(part.items[0].offset); return; }
      since = part.next;
    }
    toast("No line tells of an error.");
  };
  form.onsubmit = (e) => {
    e.preventDefault();
    const line = form.elements.line.value.trim();
    if (document.activeElement === form.elements.line && /^\d+$/.test(line)) { goToLine(Number(line)); return; }
    const text = form.elements.find.value;
    if (text === query && finds.length) goTo(chosen + 1); else search(text);
  };
  form.elements.find.oninput = () => { if (!form.elements.find.value) search(""); };

  async function goToLine(line) {
    const window = await get("lines", { line, count: 1 }).catch(() => null);
    if (!window) return;
    if (window.lines.length) reveal(window.lines[0].offset);
    else toast(window.total === null ? "Lines are still being counted." : `It has ${window.total.toLocaleString("en")} lines.`);
  }

  list.addEventListener("click", (e) => {
    const no = e.target.closest(".no");
    if (no && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); choose(Number(no.parentElement.dataset.at), true); }
  });
  box.addEventListener("scroll", () => {
    if (box.scrollTop < NEAR) more(true);
    if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR) more(false);
  }, { passive: true });
  box.addEventListener("keydown", (e) => {
    if (e.key === "Home") { e.preventDefault(); jump({ since: 0 }, "begin"); }
    if (e.key === "End") { e.preventDefault(); jump({}, "end"); }
  });
  document.addEventListener("keydown", (e) => { if (e.key === "Escape" && panel.classList.contains("full") && !document.querySelector("dialog[open]")) full.click(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else if (!log.ended) more(false).then(follow); });
  addEventListener("pagehide", stop);

  const marked = list.querySelector(".here");
  if (marked) { box.scrollTop = marked.offsetTop - box.clientHeight / 2; }
  else if (holdsEnd()) box.scrollTop = box.scrollHeight;
  if (form.elements.find.value) search(form.elements.find.value);
  if (log.total === null) count();
  follow();
}

function bytes(number) {
  for (const [power, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]]) if (number >= power) return `${(number / power).toFixed(1)} ${unit}`;
  return `${number} byte${number === 1 ? "" : "s"}`;
}
