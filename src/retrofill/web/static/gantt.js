// When what ran and will run: a ridge per bizdate (its height the slots that it held), or bars by task and by slot.
// The rows are pixels: a hundred thousand runs in view cost a frame no more than there are pixels.
import { FAIL, FORE, OK, RUN, Cover, Runs, peakOf } from "./runs.js";
import { Pen, Tip, ask, asked, calmly, colours, count, many, mark, onTheme, onceAFrame, parts, pixel, plain, toAddress, took } from "./pictures.js";
import { hangsOn, slowest } from "./beside.js";

const HEAD = 118, RIGHT = 14, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY];
const MARKS = 400; // failures in view that get a mark of their own
const WORDS = ["ran", "runs", "failed", "is expected to run"];

class Gantt {
  constructor(box, runs, mode) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.ctx = this.canvas.getContext("2d");
    this.sizer = box.querySelector(".sizer");
    this.tip = new Tip(document.getElementById("tip"));
    this.mode = mode;
    this.zone = box.dataset.zone || "UTC";
    this.clock = new Intl.DateTimeFormat("en-GB", { timeZone: this.zone, hour: "2-digit", minute: "2-digit" });
    this.exact = new Intl.DateTimeFormat("en-GB", { timeZone: this.zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
    this.dayMonth = new Intl.DateTimeFormat("en-GB", { timeZone: this.zone, day: "numeric", month: "short" });
    this.recolour();
    this.put(runs);
    this.#listen();
  }

  recolour() {
    const C = (this.C = colours());
    this.pen = new Pen(this.ctx, C.font);
    this.ground = [pixel(C.surface), pixel(C.surface, C.hover), pixel(C.surface, C.select)];
    this.line = pixel(C.surface, C.line);
    this.ink = pixel(C.ink);
    this.shades = [pixel(C.surface, [C["ink-3"], 0.6]), pixel(C.surface, [C["ink-3"], 0.25])];
    this.pixels = { [OK]: pixel(C.ok), [RUN]: pixel(C.run), [FAIL]: pixel(C.fail), [FORE]: pixel(C.surface, C.hover, [C.ok, 0.18]), edge: pixel(C.surface, C.hover, [C.ok, 0.75]) };
  }

  put(runs) {
    this.runs = runs;
    const wasWhole = !this.until || (this.from === 0 && this.until === this.whole);
    this.whole = Math.max(runs.last, runs.now, ...(runs.expected || []).map((at) => at || 0), 10 * SECOND) * 1.02;
    if (wasWhole) [this.from, this.until] = [0, this.whole];
    this.#rows();
  }

  #rows() {
    const { runs, mode } = this, rows = runs.rows(mode), tall = mode === "date" ? 9 : 15;
    let y = 14, group = null;
    this.most = 1;
    for (const row of rows) {
      if (mode === "date" && runs.grid.groups[row.key] !== group) {
        y += group === null ? 0 : 20;
        group = row.group = runs.grid.groups[row.key];
      }
      row.y = y;
      row.h = tall;
      y += tall;
    }
    this.rows = rows;
    this.total = y + 16;
    if (mode === "date") this.most = Math.max(1, ...rows.map((row) => peakOf(runs, row.runs)));
  }

  // ---- where things lie

  layout() {
    const { box } = this, scale = (this.scale = devicePixelRatio || 1);
    this.W = box.clientWidth;
    this.H = box.clientHeight;
    this.isNarrow = this.W < 700;
    this.left = this.mode === "task" ? (this.isNarrow ? 110 : 210) : this.isNarrow ? 76 : 128;
    this.sizer.style.height = `${HEAD + this.total}px`;
    for (const [key, size] of [["width", this.W], ["height", this.H]]) {
      this.canvas[key] = Math.round(size * scale);
      this.canvas.style[key] = `${size}px`;
    }
    this.cover = null;
  }

  x(at) {
    return this.left + ((at - this.from) / (this.until - this.from)) * (this.W - this.left - RIGHT);
  }

  at(x) {
    return this.from + ((x - this.left) / (this.W - this.left - RIGHT)) * (this.until - this.from);
  }

  rowAt(y) {
    const at = y - HEAD + this.box.scrollTop;
    return y < HEAD ? null : this.rows.find((row) => at >= row.y && at < row.y + row.h) || null;
  }

  *#seen() {
    const end = this.scrollY + this.H - HEAD;
    for (const row of this.rows) if (row.y + row.h + 20 > this.scrollY && row.y - 20 < end) yield row;
  }

  // ---- one frame

  draw() {
    const { ctx, C, scale, W, H } = this;
    this.scrollY = this.box.scrollTop;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.#body();
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.fillStyle = C.surface;
    ctx.fillRect(0, 0, W, HEAD);
    ctx.fillRect(0, HEAD, this.left, H - HEAD);
    ctx.fillRect(W - RIGHT, HEAD, RIGHT, H - HEAD);
    this.#axis();
    this.#use();
    this.#labels();
    this.#moments();
  }

  /** The rows, as pixels. */
  #body() {
    const { scale, ctx, ground, runs } = this, x0 = Math.round(this.left * scale), y0 = Math.round(HEAD * scale);
    const wide = Math.round((this.W - RIGHT) * scale) - x0, high = Math.round(this.H * scale) - y0;
    if (wide <= 0 || high <= 0) return;
    if (this.image?.width !== wide || this.image.height !== high) this.image = new ImageData(wide, high);
    const out = new Uint32Array(this.image.data.buffer);
    this.cover ||= [OK, RUN, FAIL, FORE].map(() => new Cover(wide));
    this.span = wide / (this.until - this.from);
    const back = new Uint32Array(wide).fill(ground[0]), now = Math.round((runs.now - this.from) * this.span);
    if (this.hasFuture) back.fill(ground[1], Math.max(0, Math.min(wide, now)));
    for (const at of this.#ticks().at) {
      const x = Math.round((at - this.from) * this.span);
      if (x >= 0 && x < wide) back[x] = this.line;
    }
    for (let y = 0; y < high; y++) out.set(back, y * wide);
    this.failures = [];
    for (const row of this.#seen()) {
      const top = Math.round((row.y - this.scrollY) * scale), tall = Math.round(row.h * scale);
      if (row === this.hover) for (let y = Math.max(0, top); y < Math.min(high, top + tall); y++) out.fill(ground[2], y * wide, (y + 1) * wide);
      this.mode === "date" ? this.#ridge(out, wide, high, row, top, tall) : this.#bars(out, wide, high, row, top, tall);
      if (this.path) this.#hangs(out, wide, high, row, top + tall);
    }
    ctx.putImageData(this.image, x0, y0);
  }

  get hasFuture() {
    return this.runs.size > this.runs.known || this.runs.running.size > 0;
  }

  /** How high the slots of a bizdate stand over its line; what failed lies lowest. */
  #ridge(out, wide, high, row, top, tall) {
    const { runs, span, from, cover, pixels } = this, [k0, k1] = runs.inside(row, from, this.until);
    if (k0 >= k1) return;
    const smooth = (this.until - from) / wide > 5 * SECOND ? 3 : 0, sure = 2 / this.scale;
    for (const one of cover) one.clear();
    let least = wide, most = 0;
    for (let k = k0; k < k1; k++) {
      const i = row.runs[k], a = (runs.start[i] - from) * span, b = Math.max(a + 0.3, (runs.end[i] - from) * span);
      if (a < least) least = a;
      if (b > most) most = b;
      cover[runs.state[i]].add(a, b);
      if (runs.state[i] === FAIL && this.failures.length < MARKS) this.failures.push({ x: b / this.scale, y: row.y + row.h - this.scrollY - 5 });
    }
    const peaks = cover.map((one) => (one.to ? one.sum(smooth) : 0)), base = top + tall, unit = (tall + 5 * this.scale) / this.most;
    const x0 = Math.max(0, Math.floor(least)), x1 = Math.min(wide, Math.ceil(most) + 1);
    if (base - 1 >= 0 && base - 1 < high) for (let x = x0; x < x1; x++) out[(base - 1) * wide + x] = this.line;
    for (let x = x0; x < x1; x++) {
      let y = base;
      for (const state of [FAIL, RUN, OK, FORE]) {
        if (!peaks[state]) continue;
        const value = cover[state].at(x);
        if (value <= 0.004) continue;
        const to = Math.max(base - Math.round(unit * this.most), y - Math.max(state === RUN || state === FAIL ? 4 * sure : 1, Math.round(value * unit)));
        for (let line = Math.min(y, high) - 1; line >= Math.max(0, to); line--) out[line * wide + x] = pixels[state];
        if (state === FORE && to >= 0 && to < high && x % 3 !== 2) out[to * wide + x] = pixels.edge;
        y = to;
      }
    }
  }

  /** One bar a run; where several lie in one pixel, the one that most needs a person. */
  #bars(out, wide, high, row, top, tall) {
    const { runs, span, from, pixels } = this, [k0, k1] = runs.inside(row, from, this.until), line = (this.bars ||= new Uint8Array(0)).length === wide ? this.bars.fill(0) : (this.bars = new Uint8Array(wide));
    const rank = [2, 3, 4, 1];
    for (let k = k0; k < k1; k++) {
      const i = row.runs[k], a = Math.floor((runs.start[i] - from) * span), b = Math.ceil((runs.end[i] - from) * span), of = rank[runs.state[i]];
      const x1 = Math.min(wide, Math.max(a + 1, b - (b - a > 4 ? 1 : 0)));
      for (let x = Math.max(0, a); x < x1; x++) if (line[x] < of) line[x] = of;
    }
    const pad = Math.round(3 * this.scale), colours_ = [0, pixels[FORE], pixels[OK], pixels[RUN], pixels[FAIL]];
    for (let y = Math.max(0, top + pad); y < Math.min(high, top + tall - pad); y++) {
      const isEdge = y === top + pad || y === top + tall - pad - 1;
      for (let x = 0; x < wide; x++) if (line[x]) out[y * wide + x] = isEdge && line[x] === 1 ? pixels.edge : colours_[line[x]];
    }
  }

  /** A line below those runs of a row on which the end hangs. */
  #hangs(out, wide, high, row, base) {
    const { runs, from, span, path } = this, [k0, k1] = runs.inside(row, from, this.until), thick = Math.max(2, Math.round(2 * this.scale));
    for (let k = k0; k < k1; k++) {
      const i = row.runs[k];
      if (!(runs.state[i] === FORE ? path.has(runs.id[i]) : Math.abs(path.get(runs.id[i]) - runs.began - runs.start[i]) < 2)) continue; // not its earlier tries
      const a = Math.max(0, Math.floor((runs.start[i] - from) * span)), b = Math.min(wide, Math.max(a + 2, Math.ceil((runs.end[i] - from) * span)));
      for (let y = Math.max(0, base - thick); y < Math.min(high, base); y++) out.fill(this.ink, y * wide + a, y * wide + b);
    }
  }

  #ticks() {
    if (this.ticked?.from === this.from && this.ticked.until === this.until && this.ticked.W === this.W) return this.ticked;
    const { from, until, W } = this, room = ((W - this.left - RIGHT) / (until - from)) * 1, step = STEPS.find((s) => s * room >= (this.isNarrow ? 56 : 70)) || STEPS.at(-1);
    const shift = offset(this.runs.began + from, this.zone), at = [];
    for (let t = Math.ceil((this.runs.began + from + shift) / step) * step - shift - this.runs.began; t < until; t += step) at.push(t);
    return (this.ticked = { from, until, W, step, at });
  }

  #axis() {
    const { pen, C, W, runs } = this, { at, step } = this.#ticks(), now = this.x(runs.now);
    let said = "";
    for (const t of at) {
      const x = this.x(t), date = this.dayMonth.format(runs.began + t), isNear = this.hasFuture && Math.abs(x - now) < 44;
      if (x < this.left + 16 || x > W - RIGHT - 16 || isNear) continue;
      if (date !== said && !(step >= DAY)) pen.write(date, x, 7, { size: 11, weight: 600, align: "center", colour: C["ink-2"] });
      said = date;
      pen.write(step >= DAY ? date : this.#time(runs.began + t, step), x, 21, { size: 11, align: "center", colour: C["ink-3"] });
    }
  }

  #time(ms, step) {
    return step < MINUTE ? `${this.clock.format(ms)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}` : this.clock.format(ms);
  }

  /** How many slots were held at once, and will be. */
  #use() {
    const { ctx, C, W, runs, left, scale } = this, base = HEAD - 14, high = 52, wide = Math.max(1, Math.round(W - left - RIGHT));
    if (this.used?.key !== `${this.from} ${this.until} ${wide} ${runs.size} ${runs.now}`) {
      const past = new Cover(wide), fore = new Cover(wide), span = wide / (this.until - this.from);
      for (let i = 0; i < runs.size; i++) (runs.state[i] === FORE ? fore : past).add((runs.start[i] - this.from) * span, (runs.end[i] - this.from) * span);
      this.used = { key: `${this.from} ${this.until} ${wide} ${runs.size} ${runs.now}`, past, fore };
      past.sum();
      fore.sum();
    }
    const { past, fore } = this.used, most = Math.max(1, runs.peak), image = new ImageData(Math.round(wide), high), out = new Uint32Array(image.data.buffer);
    const { ground: [ground], shades: [dark, light] } = this;
    out.fill(ground);
    for (let x = 0; x < wide; x++) {
      const a = Math.round((past.at(x) / most) * high), b = Math.round((fore.at(x) / most) * high);
      for (let y = 0; y < a + b && y < high; y++) out[(high - 1 - y) * wide + x] = y < a ? dark : light;
    }
    const strip = (this.strip ||= new OffscreenCanvas(1, 1));
    strip.width = wide;
    strip.height = high;
    strip.getContext("2d").putImageData(image, 0, 0);
    ctx.imageSmoothingEnabled = scale !== 1;
    ctx.drawImage(strip, left, base - high, wide, high);
    ctx.fillStyle = C["line-2"];
    ctx.fillRect(left, base - high, W - left - RIGHT, 1);
    ctx.fillRect(left, base, W - left - RIGHT, 1);
    this.pen.write("slots", left - 10, base - high + 5, { size: 11, align: "right", colour: C["ink-3"] });
    this.pen.write(count(most), left - 10, base - high + 19, { size: 11, align: "right", colour: C["ink-3"] });
  }

  #labels() {
    const { ctx, C, pen, left, W, H, mode } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, HEAD - 13, W, H - HEAD + 13);
    ctx.clip();
    for (const row of this.#seen()) {
      const y = HEAD + row.y - this.scrollY, middle = y + row.h / 2, isOn = row === this.hover;
      if (row.group !== undefined) {
        pen.write(`Group ${row.group}`, 16, y - 4, { weight: 600, colour: C.ink });
        ctx.fillStyle = C.line;
        ctx.fillRect(left, Math.round(y) - 4, W - left - RIGHT, 1);
      }
      if (mode === "date") {
        const it = parts(plain(row.label)), isSaid = isOn || (it.weekday === "Mon" && row.group === undefined && !(this.hover && Math.abs(this.hover.y - row.y) < 14));
        if (isSaid) pen.write(`${it.day} ${it.month}`, left - 10, middle, { size: 11, weight: isOn ? 600 : 400, align: "right", colour: isOn ? C.ink : C["ink-3"] });
      } else pen.write(mode === "slot" ? `slot ${row.label}` : row.label, mode === "slot" ? left - 10 : 16, middle, { size: 11, align: mode === "slot" ? "right" : "left", colour: isOn ? C.ink : C["ink-2"], most: left - 24 });
    }
    for (const { x, y } of this.failures) {
      if (y < -6 || x + left > W - RIGHT) continue;
      ctx.fillStyle = C.fail;
      ctx.fillRect(left + x - 5, HEAD + y - 5, 10, 10);
      mark(ctx, "fail", left + x, HEAD + y, 9, C["fail-on"]);
    }
    ctx.restore();
  }

  /** Now, and the end with its range. */
  #moments() {
    const { ctx, C, pen, runs, H, W, left } = this;
    if (!this.hasFuture) return;
    const now = this.x(runs.now);
    if (now >= left && now <= W - RIGHT) {
      const text = this.clock.format(runs.began + runs.now);
      ctx.fillStyle = C.ink;
      ctx.fillRect(Math.round(now), 28, 1, H - 28);
      ctx.fillStyle = C.solid;
      ctx.beginPath();
      ctx.roundRect(now - 19, 10, 38, 18, 4);
      ctx.fill();
      pen.write(text, now, 19.5, { size: 11, weight: 600, align: "center", colour: C["on-solid"] });
    }
    if (!runs.expected) return;
    const [low, end, high] = runs.expected.map((at) => (at === null ? null : this.x(at)));
    if (end < left || end > W) return;
    ctx.fillStyle = ctx.strokeStyle = C.ink;
    if (low !== null && high !== null) for (const [x, y, w, h] of [[low, 40, high - low, 1], [low, 37, 1, 7], [high - 1, 37, 1, 7]]) ctx.fillRect(x, y, w, h);
    ctx.beginPath();
    ctx.arc(end, 40.5, 3.5, 0, 7);
    ctx.fill();
    ctx.setLineDash([1, 3]);
    ctx.beginPath();
    ctx.moveTo(Math.round(end) + 0.5, 46);
    ctx.lineTo(Math.round(end) + 0.5, H);
    ctx.stroke();
    ctx.setLineDash([]);
    const text = `done about ${this.clock.format(runs.began + runs.expected[1])}`, wide = pen.width(text, 11, 600), before = Math.min(low ?? end, end) - 8, after = Math.max(high ?? end, end) + 8;
    const isAfter = before - wide < now + 4 && after + wide < W - RIGHT;
    ctx.fillStyle = C.surface;
    ctx.fillRect(isAfter ? after - 2 : before - wide - 2, 33, wide + 4, 15);
    pen.write(text, isAfter ? after : before, 40.5, { size: 11, weight: 600, align: isAfter ? "left" : "right", colour: C.ink });
  }

  /** Mark those runs on which the end hangs, by instance: when each began. */
  hangOn(path) {
    this.path = path;
    this.later();
  }

  // ---- pointer and keyboard

  later = onceAFrame(() => this.draw());

  #write = calmly(async () => {
    const isWhole = this.from <= 0 && this.until >= this.whole, iso = (at) => new Date(this.runs.began + at).toISOString().replace(/\.\d+Z/, "Z");
    toAddress({ rows: this.mode === "date" ? null : this.mode, from: isWhole ? null : iso(this.from), until: isWhole ? null : iso(this.until) });
  }, 300);

  show(mode) {
    this.mode = mode;
    this.hover = null;
    this.box.scrollTop = 0;
    this.#rows();
    this.layout();
    this.later();
    this.#write();
  }

  view(from, until) {
    const span = Math.min(this.whole, Math.max(SECOND, until - from));
    this.from = Math.max(0, Math.min(this.whole - span, from));
    this.until = this.from + span;
    this.later();
    this.#write();
  }

  zoom(by, around = (this.from + this.until) / 2) {
    if (by === "fit") return this.view(0, this.whole);
    this.view(around - (around - this.from) * by, around + (this.until - around) * by);
  }

  #listen() {
    const { canvas, box } = this;
    canvas.addEventListener("pointermove", (e) => this.#over(e));
    canvas.addEventListener("pointerleave", () => {
      this.hover = null;
      this.tip.hide();
      this.later();
    });
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button || e.pointerType !== "mouse") return;
      this.drag = { x: e.clientX, from: this.from, until: this.until, moved: false };
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointerup", (e) => {
      const wasClick = this.drag && !this.drag.moved;
      this.drag = null;
      if (wasClick) this.#open(e);
    });
    box.addEventListener("scroll", this.later);
    box.addEventListener("wheel", (e) => {
      if (!e.ctrlKey && !e.shiftKey) return;
      e.preventDefault();
      const b = canvas.getBoundingClientRect(), span = this.until - this.from;
      if (e.ctrlKey) this.zoom(e.deltaY < 0 ? 0.85 : 1.18, this.at(e.clientX - b.left));
      else this.view(this.from + (span * (e.deltaY || e.deltaX)) / 1000, this.until + (span * (e.deltaY || e.deltaX)) / 1000);
    }, { passive: false });
    box.addEventListener("keydown", (e) => this.#key(e));
    document.addEventListener("click", (e) => {
      const zoom = e.target.closest("[data-zoom]"), rows = e.target.closest("[data-rows]");
      if (zoom) this.zoom(zoom.dataset.zoom === "fit" ? "fit" : zoom.dataset.zoom > 0 ? 0.6 : 1.6);
      if (!rows) return;
      e.preventDefault();
      for (const one of document.querySelectorAll("[data-rows]")) one === rows ? one.setAttribute("aria-current", "true") : one.removeAttribute("aria-current");
      this.show(rows.dataset.rows);
    });
    onTheme(() => {
      this.recolour();
      this.draw();
    });
    new ResizeObserver(() => {
      if (box.clientWidth === this.W && box.clientHeight === this.H && (devicePixelRatio || 1) === this.scale) return;
      this.layout();
      this.draw();
    }).observe(box);
  }

  #over(e) {
    const b = this.canvas.getBoundingClientRect(), x = e.clientX - b.left, y = e.clientY - b.top;
    if (this.drag) {
      const moved = e.clientX - this.drag.x;
      if (Math.abs(moved) > 3) this.drag.moved = true;
      const by = (moved / (this.W - this.left - RIGHT)) * (this.drag.until - this.drag.from);
      if (this.drag.moved) this.view(this.drag.from - by, this.drag.until - by);
      return;
    }
    const row = this.rowAt(y);
    if (row !== this.hover) {
      this.hover = row;
      this.later();
    }
    if (!row) return this.tip.hide();
    const at = x > this.left ? this.#runsAt(row, this.at(x)) : [];
    this.canvas.style.cursor = at.length || this.mode === "date" ? "pointer" : "default";
    const [heading, lines] = this.#words(row, at);
    this.tip.show(e.clientX, e.clientY, heading, lines);
  }

  /** Runs of a row at a moment, by what of them is worst; a pixel to either side counts. */
  #runsAt(row, at) {
    const { runs } = this, slack = (this.until - this.from) / Math.max(1, this.W - this.left - RIGHT), [k0, k1] = runs.inside(row, at - 2 * slack, at + 2 * slack), found = [];
    for (let k = k0; k < k1; k++) if (runs.end[row.runs[k]] >= at - slack && runs.start[row.runs[k]] <= at + slack) found.push(row.runs[k]);
    const rank = [1, 2, 3, 0];
    return found.sort((a, b) => rank[runs.state[b]] - rank[runs.state[a]]);
  }

  #words(row, at) {
    const { runs } = this, isDate = this.mode === "date", it = isDate ? parts(plain(row.label)) : null;
    const heading = isDate ? `Bizdate ${it.day} ${it.monthWhole} ${it.year}` : this.mode === "slot" ? `Slot ${row.label}` : row.label;
    const facts = this.#facts(row);
    const some = at.slice(0, 4).map((i) => `${isDate ? runs.tasks[runs.task[i]] ?? "another task" : this.mode === "task" ? runs.grid.dates[runs.date(i)] : `${runs.tasks[runs.task[i]]} ${runs.grid.dates[runs.date(i)]}`} ${WORDS[runs.state[i]]} ${this.clock.format(runs.began + runs.start[i])}, ${took(runs.end[i] - runs.start[i])}`);
    if (at.length > 4) some.push(`and ${at.length - 4} more at this moment`);
    return [heading, [...facts, ...some]];
  }

  #facts(row) {
    const { runs } = this, n = [0, 0, 0, 0];
    let held = 0, first = Infinity, last = 0;
    for (const i of row.runs) {
      n[runs.state[i]]++;
      if (runs.state[i] === FORE) continue;
      held += runs.end[i] - runs.start[i];
      first = Math.min(first, runs.start[i]);
      last = Math.max(last, runs.end[i]);
    }
    const said = [[n[OK], "ended well"], [n[RUN], "running"], [n[FAIL], "failed"], [n[FORE], "to come"]].filter(([k]) => k).map(([k, word]) => `${count(k)} ${word}`).join(", ");
    return [said ? `${many(n[OK] + n[RUN] + n[FAIL], "run")}: ${said}` : "nothing has run", ...(first < Infinity ? [`${this.exact.format(runs.began + first)}, ${took(last - first)}; slots held ${took(held)}`] : [])];
  }

  #open(e) {
    const b = this.canvas.getBoundingClientRect(), row = this.rowAt(e.clientY - b.top), x = e.clientX - b.left;
    if (row) this.#go(row, x > this.left ? this.#runsAt(row, this.at(x)) : []);
  }

  #go(row, at) {
    const { dataset } = this.box;
    if (at.length === 1 || (at.length && this.mode !== "date")) location.assign(`/instances/${this.runs.id[at[0]]}`);
    else if (this.mode === "date") location.assign(`${dataset.instances}&bizdate=${row.label}`);
    else if (this.mode === "task") location.assign(`${dataset.instances}&task=${encodeURIComponent(row.label)}`);
  }

  #key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const span = this.until - this.from, rows = this.rows, i = rows.indexOf(this.hover);
    const to = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[e.key], aside = { ArrowLeft: -0.15, ArrowRight: 0.15 }[e.key];
    if (to) {
      this.hover = rows[Math.max(0, Math.min(rows.length - 1, i + to))];
      const top = this.hover.y, high = this.H - HEAD;
      if (top < this.box.scrollTop || top > this.box.scrollTop + high - 30) this.box.scrollTop = top - high / 2;
      const [heading, lines] = this.#words(this.hover, []);
      document.getElementById("cellsay").textContent = [heading, ...lines].join(", ");
      this.later();
    } else if (aside) this.view(this.from + aside * span, this.until + aside * span);
    else if (e.key === "+" || e.key === "=") this.zoom(0.6);
    else if (e.key === "-") this.zoom(1.6);
    else if (e.key === "0") this.zoom("fit");
    else if (e.key === "Enter" && this.hover) this.#go(this.hover, []);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }
}

/** Milliseconds by which a zone is ahead of UTC. */
function offset(ms, zone) {
  const text = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(ms).find((p) => p.type === "timeZoneName").value;
  const [, sign, h, m] = /([+-])(\d\d):(\d\d)/.exec(text) || [0, "+", 0, 0];
  return (sign === "-" ? -1 : 1) * (h * HOUR + m * MINUTE);
}

const known = (found) => ({ first: found.first_instance, stride: found.stride, dates: found.bizdates, groups: found.groups, rows: found.rows });

export function start(box, timeline, grid, forecast) {
  const runs = new Runs(timeline, known(grid), forecast, Date.now()), mode = asked("rows");
  performance.mark("timeline-data");
  const gantt = new Gantt(box, runs, ["task", "slot"].includes(mode) ? mode : "date");
  const [from, until] = ["from", "until"].map((name) => Date.parse(asked(name)) - runs.began);
  gantt.layout();
  if (from < until) gantt.view(from, until);
  gantt.draw();
  performance.measure("timeline-first-draw", "timeline-data");
  box.removeAttribute("aria-busy");
  slowest(runs);
  return gantt;
}

async function load(box) {
  const at = box.dataset.at, [timeline, grid, forecast] = await Promise.all([ask(`${at}/timeline`), ask(`${at}/grid?position=0`).then(async (one) => ({ ...one, ...(await dates(at)) })), ask(`${at}/forecast`)]);
  return [timeline, grid, forecast];
}

/** Bizdates and groups of all of it, in running order. */
async function dates(at) {
  const { dates: found } = await ask(`${at}/progress`);
  return { bizdates: found.map((d) => d.bizdate), groups: found.map((d) => d.group) };
}

const box = document.getElementById("gantt");
if (box?.dataset.at) {
  load(box).then(([timeline, grid, forecast]) => {
    const none = document.getElementById("nothing");
    none.hidden = timeline.instances.length > 0 || (forecast?.instances.length ?? 0) > 0;
    const gantt = start(box, timeline, grid, forecast);
    hangsOn((path) => gantt.hangOn(path));
    const again = calmly(async () => {
      const found = await load(box);
      none.hidden = true;
      gantt.put(new Runs(found[0], known(found[1]), found[2], Date.now()));
      gantt.layout();
      gantt.later();
      slowest(gantt.runs);
      hangsOn((path) => gantt.hangOn(path));
    }, 3000);
    document.addEventListener("retrofill:changed", again);
  }).catch((error) => {
    box.removeAttribute("aria-busy");
    document.getElementById("nothing").hidden = false;
    document.getElementById("nothing").textContent = `The timeline could not be loaded: ${error.message}`;
  });
}
