// The grid as it is drawn: where rows and dates lie, and one frame of it. Only what is in view is drawn.
import { Cells, Overview } from "./cells.js";
import { BLOCKED, FAIL, FROZEN, LOOKS, RUN, TIME, WAIT, doneOf, isDone, tally } from "./grid.js";
import { Pen, colours, count, hatch, mark, parts, plain, shortDay } from "./pictures.js";

const TOP = 96, GAP = 10, HEAD = 26, FOOT = 12, MINIMAP = 72, NARROW = 700;
/** Zoom: height and width of a cell; without a width, all dates in view if that is possible. */
export const LEVELS = [{ h: 0 }, { h: 9 }, { h: 16 }, { h: 20, w: 18 }, { h: 24, w: 26 }];

export class MatrixView {
  constructor(box, grid) {
    this.box = box;
    this.grid = grid;
    this.canvas = box.querySelector("canvas");
    this.ctx = this.canvas.getContext("2d");
    this.sizer = box.querySelector(".sizer");
    this.level = 2;
    this.rows = [];
    this.folded = new Set(); // workspaces
    this.open = new Set(); // tasks whose times are shown one by one
    this.wanted = () => true; // which tasks are shown
    this.spot = this.cursor = this.anchor = null; // {r, d}
    this.weekend = Uint8Array.from(grid.dates, (d) => [0, 6].includes(plain(d).getUTCDay()));
    this.facts = new Map();
    this.clocks = new Set(); // dates on whose night the clocks change
    this.recolour();
  }

  recolour() {
    this.C = colours();
    this.pen = new Pen(this.ctx, this.C.font);
    this.sprites = this.map = this.mapped = this.overview = null;
  }

  // ---- where things lie

  layout() {
    const { box, grid } = this, scale = (this.scale = devicePixelRatio || 1), level = LEVELS[this.level];
    this.W = box.clientWidth;
    this.H = box.clientHeight;
    this.isNarrow = this.W < NARROW;
    this.right = this.isNarrow ? 0 : MINIMAP;
    const tasks = grid.tasks.filter((t) => !t.isGone && this.wanted(t));
    const spaces = [...new Set(tasks.map((t) => t.workspace))].sort();
    const gaps = (grid.groups.length - 1) * GAP, dates = Math.max(1, grid.dates.length);
    const least = this.isNarrow ? 118 : 236, room = this.W - this.right - gaps - 16;
    const smallest = level.h ? (this.isNarrow ? 9 : 6) : 2;
    const wide = level.w || Math.min(48, Math.max(smallest, Math.floor((room - least) / dates)));
    const tall = level.h || Math.max(2, Math.min(16, Math.floor((this.H - TOP - spaces.length * 8 - 10) / Math.max(1, tasks.length))));
    this.cw = Math.max(1, Math.round(wide * scale)) / scale;
    this.ch = Math.max(1, Math.round(tall * scale)) / scale;
    this.left = this.isNarrow ? least : Math.max(least, Math.min(330, room - this.cw * dates));
    this.xs = Int32Array.from(grid.dates, (_, d) => Math.round(d * this.cw * scale + this.#group(d) * Math.round(GAP * scale)));
    this.#rows(tasks, spaces);
    this.width = (this.xs.at(-1) ?? 0) / scale + this.cw;
    this.sizer.style.width = `${this.left + this.right + this.width + 14}px`;
    this.sizer.style.height = `${TOP + this.total}px`;
    for (const [key, size] of [["width", this.W], ["height", this.H]]) {
      this.canvas[key] = Math.round(size * scale);
      this.canvas.style[key] = `${size}px`;
    }
    this.mapped = this.map = null;
    this.#follow();
  }

  #group(d) {
    return this.grid.groups.findIndex((g) => d <= g.to);
  }

  #rows(tasks, spaces) {
    const { ch, level } = this, head = level ? HEAD : 8, rows = [];
    let y = 0;
    const put = (row) => {
      row.y = y;
      rows.push(row);
      y += row.h;
    };
    for (const workspace of spaces) {
      const all = tasks.filter((t) => t.workspace === workspace);
      put({ workspace, all, h: head });
      if (this.folded.has(workspace)) continue;
      for (const task of all) {
        put({ task, lanes: task.lanes, look: task.look, share: task.lanes.length > 1 ? task.share : null, h: ch, key: task.full });
        if (level && this.open.has(task.full)) for (const lane of task.lanes) put({ task, lane, lanes: [lane], look: lane.look, share: null, h: ch, key: `${task.full}@${lane.slot}` });
      }
    }
    this.rows = rows;
    this.total = y + FOOT;
  }

  /** Whether its box has another size than that which it was laid out for. */
  get hasGrown() {
    return this.box.clientWidth !== this.W || this.box.clientHeight !== this.H || (devicePixelRatio || 1) !== this.scale;
  }

  /** The cursor stays at its cell over another layout. */
  #follow() {
    const cells = this.rows.filter((r) => r.task);
    for (const name of ["cursor", "anchor", "spot"]) {
      const at = this[name];
      if (!at) continue;
      const row = cells.find((r) => r.key === at.r.key) || cells.find((r) => r.task === at.r.task);
      this[name] = row ? { r: row, d: at.d } : null;
    }
  }

  rowAt(y) {
    const { rows } = this;
    let low = 0, high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (rows[middle].y <= y) low = middle;
      else high = middle - 1;
    }
    const row = rows[low];
    return row && y >= row.y && y < row.y + row.h ? row : null;
  }

  /** The first date that ends to the right of a place (device pixels in the whole grid). */
  #dateFrom(x) {
    let low = 0, high = this.xs.length;
    const wide = Math.round(this.cw * this.scale);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.xs[middle] + wide > x) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  dateAt(x) {
    const at = Math.floor(x * this.scale), d = this.#dateFrom(at);
    return d < this.xs.length && this.xs[d] <= at ? d : -1;
  }

  x(d) {
    return this.left + 6 + this.xs[d] / this.scale - this.scrollX;
  }

  y(row) {
    return TOP + row.y - this.scrollY;
  }

  /** What lies at a place of the canvas: a cell, the name of a row, a date, the minimap, or nothing. */
  hit(x, y) {
    if (this.right && x > this.W - this.right) return y > TOP ? { map: (y - TOP) / (this.H - TOP - FOOT) } : {};
    const d = x > this.left ? this.dateAt(x - this.left - 6 + this.box.scrollLeft) : -1;
    if (y < TOP) return d >= 0 && y > 30 ? { date: d } : {};
    const r = this.rowAt(y - TOP + this.box.scrollTop);
    if (!r) return {};
    if (x <= this.left) return { name: r };
    return r.task && d >= 0 ? { cell: { r, d } } : {};
  }

  /** Bring a cell into view; @param share of the height above it, where it is not. */
  reveal(at, share = null) {
    const { box } = this, high = this.H - TOP, wide = this.W - this.left - this.right, x = this.xs[at.d] / this.scale;
    if (share !== null || at.r.y < box.scrollTop || at.r.y + at.r.h > box.scrollTop + high) box.scrollTop = Math.max(0, at.r.y - high * (share ?? (at.r.y < box.scrollTop ? 0.1 : 0.8)));
    if (share !== null || x < box.scrollLeft || x + this.cw > box.scrollLeft + wide) box.scrollLeft = Math.max(0, x - wide * 0.5);
  }

  // ---- one frame

  draw() {
    const { ctx, scale, W, H, C } = this;
    this.spotted = this.spot || this.cursor;
    this.scrollX = this.box.scrollLeft; // asked once a frame: each question may cost a layout
    this.scrollY = this.box.scrollTop;
    this.sx = Math.round(this.scrollX * scale);
    this.sy = Math.round(this.scrollY * scale);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.#body();
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    this.#over();
    ctx.fillStyle = C.surface;
    ctx.fillRect(0, 0, W, TOP);
    this.#dates();
    this.#names();
    this.#minimap();
    ctx.fillStyle = C["line-2"];
    ctx.fillRect(0, TOP - 6, W, 1);
  }

  /** The cells, as pixels. */
  #body() {
    const { scale, ctx } = this, x0 = Math.round(this.left * scale), y0 = Math.round(TOP * scale);
    const wide = Math.round((this.W - this.right) * scale) - x0, high = Math.round(this.H * scale) - y0;
    if (wide <= 0 || high <= 0) return;
    const tall = Math.round(this.ch * scale), cw = Math.round(this.cw * scale);
    if (!this.sprites || this.sprites.width !== cw || this.sprites.height !== tall) this.sprites = new Cells(this.C, cw, tall, scale);
    if (this.image?.width !== wide || this.image.height !== high) this.image = new ImageData(wide, high);
    const out = new Uint32Array(this.image.data.buffer), { sprites, weekend, xs } = this;
    const start = Math.round(6 * scale) - this.sx, from = this.#dateFrom(-start), to = Math.min(xs.length, this.#dateFrom(wide - start) + 1);
    const columns = xs.map((x) => x + start), ground = new Uint32Array(wide).fill(sprites.ground[0]);
    for (let d = from; d < to; d++) if (weekend[d]) ground.fill(sprites.ground[1], Math.max(0, columns[d]), Math.max(0, columns[d] + cw));
    for (let y = 0; y < high; y++) out.set(ground, y * wide);
    this.from = from;
    this.to = to;
    for (const row of this.#seen()) {
      if (row.task) sprites.row(out, wide, high, Math.round(row.y * scale) - this.sy, row.look, row.share, columns, from, to, weekend, (this.sx + this.sy) % sprites.step);
    }
    ctx.putImageData(this.image, x0, y0);
  }

  /** Rows in view. */
  *#seen() {
    const { rows } = this, end = this.scrollY + this.H - TOP;
    let low = 0, high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].y + rows[middle].h > this.scrollY) high = middle;
      else low = middle + 1;
    }
    for (let i = low; i < rows.length && rows[i].y < end; i++) yield rows[i];
  }

  /** What lies over the cells: lines of workspaces, the row and date in hand, what is chosen. */
  #over() {
    const { ctx, C, left, cw, W, H, spotted, cursor } = this, end = W - this.right;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, TOP, end - left, H - TOP);
    ctx.clip();
    if (this.level) {
      ctx.fillStyle = C.line;
      for (const row of this.#seen()) if (row.workspace) ctx.fillRect(left, Math.round(this.y(row) + HEAD - 3), end - left, 1);
    }
    if (spotted) {
      ctx.fillStyle = C.select;
      ctx.fillRect(left, this.y(spotted.r), end - left, spotted.r.h);
      ctx.fillRect(this.x(spotted.d) - 0.5, TOP, cw, H - TOP);
    }
    if (cursor) {
      const { x1, x2, y1, y2 } = this.#chosen();
      if (this.anchor && (this.anchor.r !== cursor.r || this.anchor.d !== cursor.d)) {
        ctx.fillStyle = C.select;
        ctx.fillRect(x1, y1, x2 - x1, y2 - y1);
      }
      for (const [colour, width] of [[C.surface, 4], [C.ink, 2]]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = width;
        ctx.strokeRect(x1 - 2, y1 - 1, x2 - x1 + 4, y2 - y1 + 2);
      }
    }
    ctx.restore();
  }

  #chosen() {
    const b = this.cursor, a = this.anchor || b, [first, last] = a.r.y <= b.r.y ? [a.r, b.r] : [b.r, a.r];
    return { x1: this.x(Math.min(a.d, b.d)), x2: this.x(Math.max(a.d, b.d)) + this.cw - 1, y1: this.y(first), y2: this.y(last) + last.h };
  }

  /** Groups, months, days, and how far each date is. */
  #dates() {
    const { ctx, left, W, grid } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, 0, W - this.right - left, TOP);
    ctx.clip();
    grid.groups.forEach((group) => this.#groupHead(group));
    let free = 0;
    for (let d = this.from; d < this.to; d++) {
      free = this.#dayHead(d, free);
      this.#progress(d);
    }
    ctx.restore();
  }

  #groupHead(group) {
    const { ctx, C, pen } = this, x1 = this.x(group.from), x2 = this.x(group.to) + this.cw - 1;
    if (x2 < this.left || x1 > this.W) return;
    ctx.fillStyle = C["line-2"];
    ctx.fillRect(x1, 27, x2 - x1, 1);
    ctx.fillRect(x1, 27, 1, 4);
    ctx.fillRect(x2 - 1, 27, 1, 4);
    const name = `Group ${group.number}`, at = Math.min(Math.max(x1 + 1, this.left + 6), Math.max(x1 + 1, x2 - 60)), wide = pen.width(name, 12, 600);
    if (x2 - at > wide) pen.write(name, at, 14, { weight: 600, colour: C.ink });
    const ends = [this.grid.dates[group.from], this.grid.dates[group.to]].map(shortDay);
    const note = ends[0] === ends[1] ? ends[0] : `${ends[0]} to ${ends[1]}`;
    if (x2 - at - wide - 12 > 40) pen.write(note, at + wide + 9, 14, { colour: C["ink-3"], most: x2 - at - wide - 12 });
  }

  #dayHead(d, free) {
    const { ctx, C, pen, cw, grid } = this, x = this.x(d), middle = x + (cw - 1) / 2;
    const fact = this.#day(d), isOn = this.spotted?.d === d, starts = grid.groups.some((g) => g.from === d);
    if (isOn) {
      ctx.fillStyle = C.solid;
      ctx.fillRect(middle - 9, 33, 18, 16);
      pen.write(fact.number, middle, 41, { size: 11, weight: 600, align: "center", colour: C["on-solid"] });
    } else if ((fact.number === "1" || starts) && x >= free) {
      const day = fact.number === "1" ? "" : `${fact.number} `; // where a group begins within a month, the day is said
      const name = day ? `${day}${fact.month}` : cw > 12 ? fact.monthWhole : fact.month === "Jan" ? `${fact.month} ${fact.year % 100}` : fact.month;
      pen.write(name, x, 41, { size: 11, weight: 600, colour: C["ink-2"] });
      free = x + pen.width(name, 11, 600) + 4;
    } else if (x > free && (cw >= 15 || (fact.isMonday && cw >= 3 && fact.room > 30 / cw)) && !(this.spotted && Math.abs(this.x(this.spotted.d) - x) <= 20)) {
      pen.write(fact.number, middle, 41, { size: 11, align: "center", colour: C["ink-3"] });
    }
    if (this.clocks.has(d)) {
      ctx.fillStyle = C.ink;
      ctx.beginPath();
      ctx.moveTo(middle, 49);
      ctx.lineTo(middle - 3, 52);
      ctx.lineTo(middle + 3, 52);
      ctx.fill();
    }
    return free;
  }

  #day(d) {
    if (!this.facts.has(d)) {
      const date = plain(this.grid.dates[d]), it = parts(date), last = new Date(Date.UTC(it.year, date.getUTCMonth() + 1, 0)).getUTCDate();
      this.facts.set(d, { ...it, number: String(it.day), isMonday: date.getUTCDay() === 1, room: last - it.day });
    }
    return this.facts.get(d);
  }

  #progress(d) {
    const { ctx, C, cw } = this, c = this.grid.of(d), x = this.x(d), base = 84, high = 28, w = Math.max(1, cw - (cw > 4 ? 1 : 0));
    let sum = 0;
    for (let look = 1; look < LOOKS; look++) sum += c[look];
    if (!sum) return;
    const px = (n) => Math.max(n ? 1 : 0, Math.round((high * n) / sum)), done = doneOf(c);
    let y = base - px(done);
    ctx.fillStyle = C.line;
    ctx.fillRect(x, base, w, 1);
    ctx.fillStyle = C.ok;
    ctx.globalAlpha = 0.3;
    ctx.fillRect(x, y, w, px(done));
    ctx.globalAlpha = 1;
    if (done) ctx.fillRect(x, y, w, 2);
    for (const [state, n] of [["run", c[RUN]], ["wait", c[WAIT] + c[TIME]], ["frozen", c[FROZEN]]]) {
      if (!n) continue;
      y -= px(n);
      ctx.fillStyle = C[state];
      ctx.fillRect(x, Math.max(base - high, y), w, px(n));
    }
    if (c[FAIL]) {
      ctx.fillStyle = C.fail;
      ctx.fillRect(x, base - high - 3, Math.max(2, w), 5);
    }
  }

  #names() {
    const { ctx, C, left, H } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, TOP - 5, left, H);
    ctx.clip();
    ctx.fillStyle = C.surface;
    ctx.fillRect(0, TOP - 5, left, H);
    for (const row of this.#seen()) row.workspace ? this.#workspace(row) : this.#name(row);
    ctx.restore();
    ctx.fillStyle = C.line;
    ctx.fillRect(left - 1, TOP - 5, 1, H);
  }

  #workspace(row) {
    const { ctx, C, pen, left } = this, y = this.y(row);
    if (!this.level) {
      const top = Math.max(TOP, y + 8), end = Math.min(this.H, y + 8 + row.all.length * this.ch), under = (top + end) / 2;
      if (end - top < 12 || this.ch >= 9) return;
      pen.write(row.workspace, 16, under, { weight: 600, colour: C.ink, most: left - 60 });
      pen.write(count(row.all.length), left - 10, under, { align: "right", size: 11, colour: C["ink-3"] });
      return;
    }
    const middle = y + row.h / 2, { done, all } = this.#state(row).sums;
    ctx.fillStyle = C.line;
    ctx.fillRect(16, Math.round(y + HEAD - 3), left, 1);
    pen.write(row.workspace, 16, middle, { weight: 620, colour: C.ink, most: left - 70 });
    const wide = pen.width(row.workspace, 12, 620);
    if (!this.isNarrow && left - wide > 130) pen.write(this.folded.has(row.workspace) ? `${row.all.length} folded` : `${row.all.length} tasks`, 23 + wide, middle, { size: 11, colour: C["ink-3"] });
    pen.write(all ? `${Math.floor((100 * done) / all)} %` : "", left - 10, middle, { align: "right", size: 11, weight: 600, colour: C["ink-2"] });
  }

  #name(row) {
    const { ctx, C, pen, left } = this, y = this.y(row), middle = y + row.h / 2, { bad, held, done } = this.#state(row);
    if (row.h < 9) {
      if (!bad) return;
      ctx.fillStyle = C.fail;
      ctx.fillRect(left - 6, y - 1, 4, row.h + 2);
      return;
    }
    const isOn = this.spotted?.r === row, isNarrow = this.isNarrow;
    if (isOn) {
      ctx.fillStyle = C.select;
      ctx.fillRect(8, y, left - 8, row.h);
    }
    if (bad) {
      ctx.fillStyle = C.fail;
      ctx.fillRect(16, Math.round(middle - 5), 10, 10);
      mark(ctx, "fail", 21, Math.round(middle), 9, C["fail-on"]);
    } else if (held) hatch(ctx, 16, Math.round(middle - Math.min(4, row.h / 2 - 2)), 8, Math.min(8, row.h - 4), C["idle-edge"], 3);
    const x = (bad || held ? 31 : 16) + (row.lane ? 14 : 0), folds = !row.lane && row.lanes.length > 1;
    const name = row.lane ? row.lane.slot : folds ? `${row.task.name} ×${row.lanes.length}` : row.task.name;
    pen.write(name, x, middle, { size: row.h < 12 ? 9 : isNarrow ? 11 : 12, weight: bad ? 650 : 400, colour: bad || isOn ? C.ink : C["ink-2"], most: left - x - (isNarrow ? 8 : 48) });
    if (!isNarrow && row.h >= 12) pen.write(count(done), left - 10, middle, { align: "right", size: 11, colour: C["ink-3"] });
  }

  /** What the name of a row tells; counted once for each state of the data. */
  #state(row) {
    if (row.counted === this.grid.version) return row;
    row.counted = this.grid.version;
    if (row.workspace) {
      const c = tally(row.all.flatMap((t) => t.lanes), 0, this.grid.dates.length - 1);
      row.sums = { done: doneOf(c), all: c.reduce((a, b) => a + b, 0) - c[0] };
      return row;
    }
    row.bad = row.look.includes(FAIL);
    row.held = !row.bad && row.look.includes(BLOCKED);
    row.done = row.look.reduce((n, look) => n + isDone(look), 0);
    return row;
  }

  #drawMap(wide, high) {
    const { scale } = this, w = Math.round(wide * scale), h = Math.round(high * scale);
    this.overview ||= new Overview(this.C);
    this.map = new OffscreenCanvas(w, h);
    this.map.getContext("2d").putImageData(this.overview.draw(this.rows, this.grid.dates.length, w, h, (high * scale) / this.total), 0, 0);
    this.mapped = this.grid.version;
    this.mapping = null;
    this.draw();
  }

  /** All of it, and which part is in view. */
  #minimap() {
    if (!this.right) return;
    const { ctx, C, W, H, right, scale } = this, x = W - right + 12, wide = right - 24, high = H - TOP - FOOT, k = high / this.total;
    ctx.fillStyle = C.surface;
    ctx.fillRect(W - right, 0, right, H);
    this.pen.write("overview", W - right + 9, 80, { size: 11, colour: C["ink-3"] });
    if (this.mapped !== this.grid.version && !this.mapping) this.mapping = setTimeout(() => this.#drawMap(wide, high), this.map ? 1000 : 30); // what is first seen are the cells
    if (this.map) ctx.drawImage(this.map, x, TOP, wide, high);
    const part = Math.min(1, (W - this.left - right) / (this.width + 14)), from = (this.scrollX / (this.width + 14)) * (wide + 6);
    ctx.strokeStyle = C.ink;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(x - 3 + from, TOP + this.scrollY * k, (wide + 6) * part, Math.min((H - TOP) * k, high));
  }
}
