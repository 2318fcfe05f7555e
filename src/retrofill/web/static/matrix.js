// Task by bizdate: the grid under pointer and keyboard, what is chosen, what changes, and all of it in the address.
import { Grid, CLASS, FAIL, isDone, said, tally } from "./grid.js";
import { LEVELS, MatrixView } from "./matrix_view.js";
import { Tip, ask, asked, calmly, count, many, onTheme, onceAFrame, parts, plain, toAddress } from "./pictures.js";
import { Whys } from "./whys.js";

const ONE_DAY = 864e5;
// Which instances an operation fits, by what they look like; the server judges again.
const FITS = { rerun: "ok dry hand fail", stop: "run", "set-successful": "fail", freeze: "idle blocked ok dry hand fail", unfreeze: "frozen" };

class Matrix {
  constructor(box, grid) {
    this.box = box;
    this.grid = grid;
    this.view = new MatrixView(box, grid);
    this.tip = new Tip(document.getElementById("tip"));
    this.say = document.getElementById("cellsay");
    this.bar = document.getElementById("selbar");
    this.drawer = document.getElementById("drawer");
    this.whys = new Whys((box.dataset.grid || "").replace(/grid$/, "reasons"), grid);
    this.later = onceAFrame(() => this.view.draw());
    this.only = asked("only") === "trouble";
    this.filter = asked("find") || "";
    this.#read();
    this.#listen();
    this.view.draw();
    this.#tellNothing();
  }

  // ---- what is shown

  show() {
    this.#choose();
    this.view.layout();
    this.view.draw();
    this.#tellNothing();
  }

  #tellNothing() {
    const none = document.getElementById("nothing");
    if (none) none.hidden = this.view.rows.length > 0;
  }

  /** Which tasks are shown. */
  #choose() {
    const words = this.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const isTrouble = (task) => task.look.some((look) => ["fail", "blocked", "frozen"].includes(CLASS[look]));
    this.view.wanted = (task) => (!this.only || isTrouble(task)) && words.every((word) => task.full.toLowerCase().includes(word));
  }

  #read() {
    const { view } = this, level = asked("zoom");
    if (level !== null && LEVELS[+level]) view.level = +level;
    for (const one of (asked("fold") || "").split(",")) if (one) view.folded.add(one);
    for (const one of (asked("open") || "").split(",")) if (one) view.open.add(one);
    this.#choose();
    view.layout();
    view.cursor = this.#cell(asked("cell"));
    view.anchor = this.#cell(asked("to")) || view.cursor;
    if (view.cursor) this.#restored();
    else this.toTrouble();
  }

  #restored() {
    this.view.reveal(this.view.cursor, 0.4);
    this.chosen();
  }

  /** A cell as it stands in the address: `task@2026-09-12`, `task@06:00@2026-09-12`. */
  #cell(text) {
    if (!text) return null;
    const at = text.lastIndexOf("@"), d = this.grid.dates.indexOf(text.slice(at + 1)), r = this.view.rows.find((row) => row.key === text.slice(0, at));
    return r && d >= 0 ? { r, d } : null;
  }

  #write = calmly(async () => {
    const { view } = this, name = (at) => (at ? `${at.r.key}@${this.grid.dates[at.d]}` : null), isBlock = view.anchor && view.cursor && (view.anchor.r !== view.cursor.r || view.anchor.d !== view.cursor.d);
    toAddress({ zoom: view.level === 2 ? null : view.level, cell: name(view.cursor), to: isBlock ? name(view.anchor) : null, only: this.only ? "trouble" : null, find: this.filter, fold: [...view.folded].join(","), open: [...view.open].join(",") });
  }, 250);

  /** To the next cell that failed, from the cursor on; the grid opens at the first. */
  toTrouble() {
    const { view } = this, cells = view.rows.filter((r) => r.task && !r.lane);
    const from = view.cursor ? cells.findIndex((r) => r.task === view.cursor.r.task) : 0;
    for (let i = 0; i <= cells.length; i++) {
      const r = cells[(Math.max(0, from) + i) % cells.length], start = i === 0 && view.cursor ? view.cursor.d + 1 : 0, d = r ? r.look.indexOf(FAIL, start) : -1;
      if (d >= 0) return this.#put({ r, d }, 0.3);
    }
  }

  #put(at, share = null) {
    this.view.cursor = this.view.anchor = at;
    this.view.reveal(at, share);
    this.chosen();
    this.later();
  }

  zoom(by) {
    const { view } = this, centre = view.cursor;
    view.level = by === "fit" ? 0 : Math.max(0, Math.min(LEVELS.length - 1, view.level + by));
    view.layout();
    if (centre) view.reveal(view.cursor);
    this.later();
    this.#write();
  }

  // ---- words

  #lines({ r, d }) {
    const slots = r.lanes.map((lane) => lane.slot), times = slots.length > 1 ? `${slots.length} times a day` : slots[0];
    const data = parts(plain(this.grid.dates[d])), due = parts(new Date(+plain(this.grid.dates[d]) + ONE_DAY));
    return [`data of ${data.weekday} ${data.day} ${data.monthWhole} ${data.year}`, `scheduled ${due.weekday} ${due.day} ${due.month} ${times} ${this.box.dataset.zone || ""}`];
  }

  #said(at) {
    return [at.r.task.full, ...this.#lines(at), this.#word(at)].join(", ");
  }

  #word({ r, d }) {
    return r.lanes.length === 1 ? this.grid.word(r.lanes[0], d) : said(tally(r.lanes, d, d));
  }

  /** What is chosen: rows from first to last, dates from first to last. */
  block() {
    const { cursor, anchor, rows } = this.view;
    if (!cursor) return null;
    const a = anchor || cursor, [i, j] = [rows.indexOf(a.r), rows.indexOf(cursor.r)].sort((x, y) => x - y);
    const inside = rows.slice(i, j + 1).filter((r) => r.task), whole = new Set(inside.filter((r) => !r.lane).map((r) => r.task));
    const lanes = inside.filter((r) => !r.lane || !whole.has(r.task)).flatMap((r) => r.lanes);
    return { lanes, tasks: new Set(inside.map((r) => r.task)).size, from: Math.min(a.d, cursor.d), to: Math.max(a.d, cursor.d) };
  }

  chosen() {
    const block = this.block();
    this.#write();
    if (!block) {
      this.bar.hidden = true;
      return;
    }
    const c = tally(block.lanes, block.from, block.to), n = c.reduce((a, b) => a + b, 0) - c[0], dates = block.to - block.from + 1;
    const one = block.tasks === 1 && dates === 1;
    this.say.textContent = one ? this.#said(this.view.cursor) : `${many(n, "instance")} selected: ${said(c)}`;
    if (one && this.byKeyboard) this.#why(this.view.cursor, (why) => why && (this.say.textContent = `${this.#said(this.view.cursor)}. ${why}`));
    this.bar.hidden = one || !n;
    this.bar.querySelector("[data-count]").textContent = count(n);
    document.getElementById("selnote").textContent = `${many(block.tasks, "task")} × ${many(dates, "bizdate")}: ${said(c)}`;
    if (!this.bar.hidden) for (const button of this.bar.querySelectorAll("[data-op]")) this.#operation(button, block);
  }

  /** An operation says how many it would be for; without any, or with too many, it says why it cannot. */
  #operation(button, block) {
    const ids = this.#fitting(block, FITS[button.dataset.op].split(" ")), most = +this.bar.dataset.most;
    button.ids = ids;
    button.textContent = ids.length ? `${button.dataset.word} ${count(ids.length)}…` : `${button.dataset.word}…`;
    button.disabled = !ids.length || ids.length > most;
    button.title = ids.length > most ? `At most ${count(most)} at once: choose fewer, or use the backfill's own operations.` : ids.length ? "" : "Fits none of these.";
  }

  /** What is chosen goes into the form when it is sent. */
  #submit(e) {
    const at = this.bar.querySelector("[data-ids]");
    at.replaceChildren(...(e.submitter?.ids || []).map((id) => Object.assign(document.createElement("input"), { type: "hidden", name: "id", value: id })));
  }

  #fitting(block, classes) {
    const ids = [];
    for (const lane of block.lanes) for (let d = block.from; d <= block.to; d++) if (classes.includes(CLASS[lane.look[d]])) ids.push(this.grid.id(lane, d));
    return ids;
  }

  clear() {
    this.view.cursor = this.view.anchor = null;
    this.bar.hidden = true;
    if (this.drawer) this.drawer.hidden = true;
    this.later();
    this.#write();
  }

  // ---- one instance beside the grid

  async peek() {
    const at = this.view.cursor;
    if (!at) return;
    if (at.r.lanes.length > 1) return this.#unfold(at);
    const id = this.grid.id(at.r.lanes[0], at.d);
    if (!at.r.look[at.d]) return;
    const answer = await fetch(`${this.box.dataset.peek}${id}`, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok) return location.assign(`/instances/${id}`);
    this.drawer.innerHTML = await answer.text();
    this.drawer.hidden = false;
    if (this.byKeyboard) this.drawer.querySelector("a, button")?.focus();
  }

  #unfold(at) {
    const { view } = this, key = at.r.task.full;
    view.open.has(key) ? view.open.delete(key) : view.open.add(key);
    view.layout();
    this.later();
    this.#write();
  }

  // ---- pointer, keyboard, the page around

  #listen() {
    const { box, view } = this, { canvas } = view;
    canvas.addEventListener("pointermove", (e) => this.#over(e));
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("pointerdown", (e) => this.#down(e));
    addEventListener("pointerup", () => this.#up());
    box.addEventListener("scroll", this.later);
    box.addEventListener("keydown", (e) => this.#key(e));
    box.addEventListener("wheel", (e) => this.#wheel(e), { passive: false });
    document.addEventListener("click", (e) => this.#click(e));
    this.bar.addEventListener("submit", (e) => this.#submit(e));
    document.getElementById("rowfilter")?.addEventListener("input", (e) => {
      this.filter = e.target.value;
      this.show();
      this.#write();
    });
    document.addEventListener("retrofill:changed", (e) => this.#changed(e.detail));
    onTheme(() => {
      view.recolour();
      view.draw();
    });
    new ResizeObserver(() => {
      if (!view.hasGrown) return;
      view.layout();
      view.draw();
    }).observe(box);
  }

  #at(e) {
    const b = this.view.canvas.getBoundingClientRect();
    return this.view.hit(e.clientX - b.left, e.clientY - b.top);
  }

  #over(e) {
    const { cell, name, date, map } = this.#at(e), { view } = this;
    view.canvas.style.cursor = cell ? "cell" : name || date !== undefined || map !== undefined ? "pointer" : "default";
    view.spot = cell || null;
    if (this.drag && cell) {
      view.cursor = cell;
      this.chosen();
    }
    if (this.drag === "map" && map !== undefined) this.#toPart(map);
    if (cell && !this.drag) this.#cellTip(e, cell); else if (name && !this.drag) this.#nameTip(e, name);
    else this.tip.hide();
    if (!cell) this.whys.leave();
    this.later();
  }

  #cellTip(e, cell) {
    const show = (why) => this.tip.show(e.clientX, e.clientY, cell.r.task.full, this.#lines(cell), CLASS[cell.r.look[cell.d]], this.#word(cell), why);
    show();
    this.#why(cell, show);
  }

  /** Why what has not succeeded stands where it does, once somebody rests there. */
  #why({ r, d }, tell) {
    if (r.lanes.length > 1 || !r.look[d] || isDone(r.look[d])) this.whys.leave();
    else this.whys.rest(this.grid.id(r.lanes[0], d), tell);
  }

  #nameTip(e, row) {
    const lanes = row.task ? row.lanes : row.all.flatMap((t) => t.lanes);
    const hint = row.workspace ? "click to fold" : row.lanes.length > 1 ? "click for each time of the day" : "click to choose all its bizdates";
    this.tip.show(e.clientX, e.clientY, row.task ? row.task.full : row.workspace, [said(tally(lanes, 0, this.grid.dates.length - 1)), hint]);
  }

  #leave() {
    this.view.spot = null;
    this.whys.leave();
    this.tip.hide();
    this.later();
  }

  #down(e) {
    if (e.button) return;
    const { cell, name, date, map } = this.#at(e), { view } = this, { rows } = view;
    this.byKeyboard = false;
    if (map !== undefined) {
      this.drag = "map";
      return this.#toPart(map);
    }
    if (name) return this.#nameDown(name);
    if (date !== undefined) {
      const cells = rows.filter((r) => r.task);
      if (!cells.length) return;
      view.anchor = { r: cells[0], d: date };
      view.cursor = { r: cells.at(-1), d: date };
      this.chosen();
      return this.later();
    }
    if (!cell) return;
    this.drag = e.pointerType === "mouse" ? "cells" : null;
    view.cursor = cell;
    view.anchor = e.shiftKey && view.anchor ? view.anchor : cell;
    this.pressed = cell;
    this.chosen();
    this.later();
    if (!this.drag) this.peek();
  }

  #nameDown(row) {
    const { view } = this;
    if (row.workspace) {
      if (!view.level) return;
      view.folded.has(row.workspace) ? view.folded.delete(row.workspace) : view.folded.add(row.workspace);
      view.layout();
      this.later();
      return this.#write();
    }
    if (row.lanes.length > 1) return this.#unfold({ r: row });
    view.anchor = { r: row, d: 0 };
    view.cursor = { r: row, d: this.grid.dates.length - 1 };
    this.chosen();
    this.later();
  }

  #up() {
    const { view } = this, same = this.drag === "cells" && view.cursor && view.anchor && view.anchor.r === view.cursor.r && view.anchor.d === view.cursor.d;
    this.drag = null;
    if (same) this.peek();
  }

  #toPart(part) {
    const { view, box } = this, high = view.H - 96;
    box.scrollTop = part * view.total - high / 2;
  }

  #wheel(e) {
    if (!e.ctrlKey) return;
    e.preventDefault();
    if (Math.abs((this.turned = (this.turned || 0) + e.deltaY)) < 40) return;
    this.zoom(this.turned < 0 ? 1 : -1);
    this.turned = 0;
  }

  #key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    this.byKeyboard = true;
    const { view } = this, page = Math.max(1, Math.floor((view.H - 96) / view.ch) - 2), last = this.grid.dates.length - 1;
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-page, 0], PageDown: [page, 0], Home: [0, -last], End: [0, last] }[e.key];
    if (step) this.#step(step, e.shiftKey);
    else if (e.key === "+" || e.key === "=") this.zoom(1);
    else if (e.key === "-") this.zoom(-1);
    else if (e.key === "0") this.zoom("fit");
    else if (e.key === "Escape" && (view.cursor || !this.drawer?.hidden)) this.clear();
    else if (e.key === "Enter") this.peek();
    else if (e.key === "." || e.key === "e") this.toTrouble();
    else if (e.shiftKey && "RX".includes(e.key)) this.bar.querySelector(`[data-op=${e.key === "R" ? "rerun" : "stop"}]:enabled`)?.click();
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  #step([down, right], extends_) {
    const { view } = this, cells = view.rows.filter((r) => r.task), clamp = (n, most) => Math.max(0, Math.min(most, n));
    if (!cells.length) return;
    const next = view.cursor ? { r: cells[clamp(cells.indexOf(view.cursor.r) + down, cells.length - 1)], d: clamp(view.cursor.d + right, this.grid.dates.length - 1) } : { r: cells[0], d: 0 };
    view.cursor = next;
    if (!extends_) view.anchor = next;
    view.spot = null;
    view.reveal(next);
    this.chosen();
    this.later();
  }

  #click(e) {
    const zoom = e.target.closest("[data-zoom]");
    if (zoom) this.zoom(zoom.dataset.zoom === "fit" ? "fit" : +zoom.dataset.zoom);
    const only = e.target.closest("[data-only]");
    if (only) {
      e.preventDefault();
      this.only = !this.only;
      only.setAttribute("aria-pressed", this.only);
      this.box.scrollTop = 0;
      this.show();
      this.#write();
    }
    if (e.target.closest("[data-find-failed]")) {
      e.preventDefault();
      this.toTrouble();
      this.box.focus();
    }
    if (e.target.closest("[data-close-drawer]")) {
      this.drawer.hidden = true;
      this.box.focus();
    }
    if (e.target.closest("[data-clear]")) this.clear();
  }

  // ---- what changes

  #changed(change) {
    if (!change.changed) return;
    if (change.missed || change.instances === null) this.stale = null;
    else if (this.stale !== null) for (const id of change.instances) this.stale.add(Math.floor((id - this.grid.first) / this.grid.stride));
    this.#refresh();
  }

  stale = new Set(); // positions of dates that have changed; null: any may have

  #refresh = calmly(async () => {
    const stale = this.stale, known = stale && [...stale].filter((d) => d >= 0 && d < this.grid.dates.length);
    this.stale = new Set();
    if (known && !known.length) return;
    const few = known && known.length <= 60 ? `?${known.map((d) => `position=${d}`).join("&")}` : "";
    try {
      this.grid.put(await ask(this.box.dataset.grid + few));
    } catch {
      this.stale = null; // told again with the next change
      return;
    }
    if (this.only) this.show();
    this.chosen();
    this.later();
  }, 700);
}

/** Dates on whose following night the zone's clocks change. */
function clockChanges(dates, zone) {
  const name = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "longOffset" });
  const offset = (ms) => name.formatToParts(ms).find((p) => p.type === "timeZoneName").value;
  return dates.flatMap((d, i) => (offset(Date.parse(`${d}T12:00Z`)) === offset(Date.parse(`${d}T12:00Z`) + ONE_DAY) ? [] : [i]));
}

export async function start(box, document_ = null) {
  const found = document_ || (await ask(box.dataset.grid));
  performance.mark("grid-data");
  const matrix = new Matrix(box, new Grid(found));
  performance.measure("grid-first-draw", "grid-data");
  box.removeAttribute("aria-busy");
  if (box.dataset.zone) {
    requestIdleCallback(() => {
      matrix.view.clocks = new Set(clockChanges(found.bizdates, box.dataset.zone));
      matrix.later();
    });
  }
  return matrix;
}

const box = document.getElementById("matrix");
if (box?.dataset.grid) {
  start(box).catch((error) => {
    box.removeAttribute("aria-busy");
    document.getElementById("nothing").hidden = false;
    document.getElementById("nothing").textContent = `The grid could not be loaded: ${error.message}`;
  });
}
