// Cells as pixels. Each look is drawn once per zoom and theme; a frame copies lines of pixels, so that half a million
// cells are drawn as fast as there are pixels. What is done is a thin thread, what needs a person stands tall.
import { hatch, mark, pixel } from "./pictures.js";
import { BLOCKED, CLASS, DRY, FAIL, FROZEN, HAND, IDLE, LOOKS, NONE, OFF, OK, RUN, TIME, WAIT } from "./grid.js";

/** Draw one cell in CSS pixels. */
function drawCell(ctx, C, look, w, h) {
  const big = w >= 14 && h >= 16, middle = h / 2, fw = w - (w > 5 ? 1 : 0);
  if (look === NONE || look === BLOCKED) return;
  if (look === OK || look === HAND || look === DRY || look === OFF) return drawDone(ctx, C, look, fw, h, big);
  if (look === IDLE) {
    const k = h < 7 ? 1 : 2;
    ctx.globalAlpha = 0.55;
    ctx.fillStyle = C["idle-edge"];
    ctx.fillRect(Math.round(fw / 2 - k / 2), Math.round(middle - k / 2), k, k);
    ctx.globalAlpha = 1;
    return;
  }
  const state = CLASS[look], waits = look === WAIT || look === TIME;
  const pad = h < 7 ? 0 : waits ? (big ? 5 : h / 3.6) : 1.5;
  const y = Math.round(pad), tall = Math.max(1, Math.round(h - 2 * pad - (h < 7 ? 0 : 0.5)));
  ctx.fillStyle = C[state];
  ctx.fillRect(0, y, fw, tall);
  if (h >= 7 && fw >= 4) {
    ctx.strokeStyle = C[`${state}-edge`];
    ctx.lineWidth = 1;
    ctx.strokeRect(0.5, y + 0.5, fw - 1, tall - 1);
  }
  if (big || (look === FAIL && w >= 8 && h >= 12)) mark(ctx, state, fw / 2, y + tall / 2, Math.min(fw, tall) * 0.8, C[`${state}-on`]);
}

function drawDone(ctx, C, look, w, h, big) {
  const thick = h < 7 ? Math.max(1, h - 1) : big ? 8 : h < 12 ? 4 : 5, y = h < 7 ? 0 : Math.round(h / 2 - thick / 2);
  ctx.fillStyle = ctx.strokeStyle = C.ok;
  if (look === OK || look === HAND) ctx.fillRect(0, y, w, thick);
  else if (h < 7 || w < 5) {
    ctx.globalAlpha = 0.45;
    ctx.fillRect(0, y, w, thick);
    ctx.globalAlpha = 1;
  } else {
    ctx.lineWidth = 1;
    ctx.strokeRect(0.5, y + 0.5, w - 1, thick - 1);
    if (look === DRY) hatch(ctx, 0, y, w, thick, C.ok, 3);
  }
  if (look !== HAND || h < 7) return;
  ctx.fillStyle = C.ink;
  ctx.beginPath();
  ctx.moveTo(w, y - 3);
  ctx.lineTo(w, y + 2);
  ctx.lineTo(w - 5, y - 3);
  ctx.fill();
}

/** All looks on both kinds of ground, for one size of cell in device pixels. */
export class Cells {
  constructor(C, width, height, scale) {
    this.width = width;
    this.height = height;
    this.ground = [pixel(C.surface), pixel(C.surface, C.hover)];
    this.done = pixel(C.ok);
    this.hatch = [0, 1].map((shade) => [pixel(C.surface, ...(shade ? [C.hover] : []), C.select), pixel(C.surface, C.select, C["idle-edge"])]);
    this.faint = pixel(C.surface, [C["idle-edge"], 0.7]);
    this.step = Math.max(3, Math.round(4 * scale));
    this.gap = width > 5 * scale ? Math.max(1, Math.round(scale)) : 0;
    this.pad = height < 7 * scale ? 0 : Math.round(3 * scale);
    this.#draw(C, scale);
  }

  #draw(C, scale) {
    const { width, height } = this;
    const canvas = new OffscreenCanvas(width, height * LOOKS), ctx = canvas.getContext("2d", { willReadFrequently: true });
    this.sprites = [0, 1].map((shade) => {
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      for (const colour of [C.surface, ...(shade ? [C.hover] : [])]) {
        ctx.fillStyle = colour;
        ctx.fillRect(0, 0, width, height * LOOKS);
      }
      for (let look = 0; look < LOOKS; look++) {
        ctx.setTransform(scale, 0, 0, scale, 0, look * height);
        ctx.save();
        ctx.beginPath();
        ctx.rect(0, 0, width / scale, height / scale);
        ctx.clip();
        drawCell(ctx, C, look, width / scale, height / scale);
        ctx.restore();
      }
      return new Uint32Array(ctx.getImageData(0, 0, width, height * LOOKS).data.buffer);
    });
    this.lines = Array.from({ length: LOOKS }, (_, look) => this.#extent(look));
  }

  /** The first line of a look that is not all ground, and the one after the last. */
  #extent(look) {
    const { width, height } = this, pixels = this.sprites[0], ground = this.ground[0];
    const isEmpty = (y) => pixels.subarray((look * height + y) * width, (look * height + y + 1) * width).every((p) => p === ground);
    let from = 0, to = height;
    while (from < to && isEmpty(from)) from++;
    while (to > from && isEmpty(to - 1)) to--;
    return [from, to];
  }

  /**
   * Put a row of cells into a picture.
   * @param out pixels, `wide` a line; `lines` of them.
   * @param top of the row in the picture; may lie outside of it.
   * @param look, share: bytes by date; @param columns: left ends of dates, in the picture.
   */
  row(out, wide, lines, top, look, share, columns, from, to, shaded, phase) {
    const { width, height, sprites } = this;
    for (let d = from; d < to; d++) {
      const kind = look[d];
      if (kind === NONE) continue;
      const x = columns[d], left = x < 0 ? -x : 0, right = x + width > wide ? wide - x : width;
      if (right <= left) continue;
      if (kind === BLOCKED) {
        this.#blocked(out, wide, lines, top, x, left, right, shaded[d], phase);
        continue;
      }
      const [first, last] = this.lines[kind], pixels = sprites[shaded[d]];
      const y0 = top + first < 0 ? -top : first, y1 = top + last > lines ? lines - top : last;
      for (let y = y0; y < y1; y++) {
        let at = (top + y) * wide + x + left, sprite = (kind * height + y) * width + left;
        for (let k = left; k < right; k++) out[at++] = pixels[sprite++];
      }
      if (share && kind === RUN && share[d]) this.#partly(out, wide, lines, top, x, left, right, share[d] / 255);
    }
  }

  /** The part of a running cell that is done, from below. */
  #partly(out, wide, lines, top, x, left, right, part) {
    const [first, last] = this.lines[RUN], from = Math.round(last - 1 - (last - first - 2) * part);
    for (let y = Math.max(from, -top); y < Math.min(last - 1, lines - top); y++) {
      for (let k = Math.max(left, 1); k < Math.min(right, this.width - this.gap - 1); k++) out[(top + y) * wide + x + k] = this.done;
    }
  }

  /** Hatched, whole over neighbours: by where a pixel lies in the whole grid. */
  #blocked(out, wide, lines, top, x, left, right, shade, phase) {
    const { step, pad, height } = this, end = Math.min(right, this.width - this.gap);
    const y0 = Math.max(pad, -top), y1 = Math.min(height - pad - (pad ? 0 : height > 1 ? 1 : 0), lines - top);
    const [ground, line] = pad ? this.hatch[shade] : [this.faint, this.faint];
    for (let y = y0; y < y1; y++) {
      let at = (top + y) * wide + x + left, slant = (phase + x + left + top + y) % step;
      for (let k = left; k < end; k++) {
        out[at++] = slant ? ground : line;
        slant = slant + 1 === step ? 0 : slant + 1;
      }
    }
  }
}

// Of several cells in one pixel, what is seen: the later ones lie above.
const ABOVE = [NONE, IDLE, OFF, DRY, OK, HAND, BLOCKED, TIME, WAIT, RUN, FROZEN, FAIL];

/** All of a grid in few pixels: of the cells in each, the one that most needs a person. */
export class Overview {
  constructor(C) {
    const shade = { [NONE]: 0, [IDLE]: 0, [OK]: 0.5, [HAND]: 0.5, [DRY]: 0.3, [OFF]: 0.3, [BLOCKED]: 0.4 };
    const name = { [BLOCKED]: "idle-edge", [DRY]: "ok", [OFF]: "ok", [HAND]: "ok" };
    this.order = new Uint8Array(LOOKS);
    ABOVE.forEach((look, rank) => (this.order[look] = rank));
    this.colours = ABOVE.map((look) => pixel(C.surface, [C[name[look] || CLASS[look] || "surface"], shade[look] ?? 1]));
  }

  /** @param rows of `{look, y, h}`; @param scale pixels of the picture per pixel of the rows. */
  draw(rows, dates, wide, high, scale) {
    const worst = new Uint8Array(wide * high), { order, colours } = this, red = order[FAIL];
    const left = Uint32Array.from({ length: dates }, (_, d) => Math.floor((d * wide) / dates));
    const right = left.map((x, d) => Math.max(x + 1, Math.floor(((d + 1) * wide) / dates))), line = new Uint8Array(wide);
    for (const { look, y, h } of rows) {
      if (!look) continue;
      line.fill(0);
      let bad = false;
      for (let d = 0; d < dates; d++) {
        const rank = order[look[d]];
        for (let x = left[d], end = right[d]; x < end; x++) if (line[x] < rank) line[x] = rank;
        if (rank === red) bad = true;
      }
      const y0 = Math.floor(y * scale), y1 = Math.min(high, Math.max(y0 + 1, Math.floor((y + h) * scale)));
      for (let at = y0 * wide, end = y1 * wide; at < end; at += wide) for (let x = 0; x < wide; x++) if (worst[at + x] < line[x]) worst[at + x] = line[x];
      if (bad) grow(worst, line, red, wide, high, y0, y1);
    }
    const image = new ImageData(wide, high), pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < worst.length; i++) pixels[i] = colours[worst[i]];
    return image;
  }
}

/** What failed is seen, however small it is. */
function grow(worst, line, red, wide, high, y0, y1) {
  for (let x = 0; x < wide; x++) if (line[x] === red) for (let y = y0; y < Math.min(high, y1 + 2); y++) worst.fill(red, y * wide + x, y * wide + Math.min(wide, x + 3));
}
