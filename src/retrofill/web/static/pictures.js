// What the pictures of a backfill share: colours of the theme, text and marks on a canvas, the tip, the address.

const STATES = ["ok", "fail", "run", "wait", "frozen", "idle"];
const PLAIN = ["ink", "ink-2", "ink-3", "line", "line-2", "surface", "hover", "select", "solid", "on-solid"];

/** Colours by their names in tokens.css, as they are in this theme, and the font. */
export function colours() {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const found = { font: getComputedStyle(document.body).fontFamily };
  for (const name of [...PLAIN, ...STATES.flatMap((s) => [s, `${s}-edge`, `${s}-on`])]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/** Call `draw` whenever the theme changes. */
export function onTheme(draw) {
  document.addEventListener("themechange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

/** A colour laid over others, as a pixel of ImageData. */
export function pixel(...layers) {
  const canvas = new OffscreenCanvas(1, 1), ctx = canvas.getContext("2d", { willReadFrequently: true });
  for (const layer of layers) {
    const [colour, alpha] = Array.isArray(layer) ? layer : [layer, 1];
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fillRect(0, 0, 1, 1);
  }
  return new Uint32Array(ctx.getImageData(0, 0, 1, 1).data.buffer)[0];
}

/** Write text whose middle goes where it is too long: names differ at both ends. */
export class Pen {
  constructor(ctx, font) {
    this.ctx = ctx;
    this.font = font;
    this.cuts = new Map();
  }

  write(text, x, y, { size = 12, weight = 400, colour, align = "left", most = Infinity }) {
    const { ctx } = this, font = `${weight} ${size}px ${this.font}`;
    if (ctx.font !== font) ctx.font = font;
    ctx.fillStyle = colour;
    ctx.textAlign = align;
    ctx.textBaseline = "middle";
    ctx.fillText(most === Infinity ? text : this.cut(text, most, font), x, y);
  }

  width(text, size = 12, weight = 400) {
    this.ctx.font = `${weight} ${size}px ${this.font}`;
    return this.ctx.measureText(text).width;
  }

  cut(text, most, font) {
    const key = `${text}\n${Math.floor(most)}\n${font}`;
    if (!this.cuts.has(key)) this.cuts.set(key, this.#shorten(text, most));
    return this.cuts.get(key);
  }

  #shorten(text, most) {
    const letters = [...text], width = (s) => this.ctx.measureText(s).width, whole = width(text);
    if (whole <= most) return text;
    let left = Math.max(2, Math.min(letters.length - 1, Math.floor((letters.length * most) / whole)));
    while (left > 2 && width(joined(letters, left)) > most) left--;
    return joined(letters, left);
  }
}

const joined = (letters, left) => {
  const begin = Math.ceil(left / 2);
  return `${letters.slice(0, begin).join("")}…${letters.slice(letters.length - (left - begin)).join("")}`;
};

/** The mark of a state, in a square of `size` around a point. */
export function mark(ctx, state, x, y, size, colour) {
  const at = (a, b) => [x + (a - 0.5) * size, y + (b - 0.5) * size];
  const line = (...points) => points.forEach((p, i) => (i ? ctx.lineTo(...at(...p)) : ctx.moveTo(...at(...p))));
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = Math.max(1.4, size / 7);
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.beginPath();
  if (state === "fail") {
    line([0.24, 0.24], [0.76, 0.76]);
    line([0.76, 0.24], [0.24, 0.76]);
    ctx.stroke();
  } else if (state === "run") {
    line([0.32, 0.22], [0.78, 0.5], [0.32, 0.78]);
    ctx.closePath();
    ctx.fill();
  } else if (state === "wait") {
    for (const a of [0.22, 0.5, 0.78]) {
      ctx.beginPath();
      ctx.arc(...at(a, 0.5), Math.max(0.8, size / 13), 0, 7);
      ctx.fill();
    }
  } else if (state === "frozen") {
    for (const turn of [0, 1, 2]) {
      const dx = 0.3 * Math.cos((turn * Math.PI) / 3 + Math.PI / 2), dy = 0.3 * Math.sin((turn * Math.PI) / 3 + Math.PI / 2);
      line([0.5 - dx, 0.5 - dy], [0.5 + dx, 0.5 + dy]);
    }
    ctx.stroke();
  }
}

/** Slanting lines, whole over neighbours. */
export function hatch(ctx, x, y, w, h, colour, step = 4) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let k = Math.floor((x + y) / step) * step; k < x + y + w + h + step; k += step) {
    ctx.moveTo(k - y, y);
    ctx.lineTo(k - y - h, y + h);
  }
  ctx.stroke();
  ctx.restore();
}

/** What stands beside the pointer: a heading, lines, a state, and at last why. */
export class Tip {
  constructor(element) {
    this.element = element;
  }

  show(x, y, heading, lines, state, word, why) {
    const tip = this.element;
    const put = (tag, text, className) => {
      const made = document.createElement(tag);
      if (className) made.className = className;
      made.textContent = text;
      tip.append(made);
      return made;
    };
    tip.replaceChildren();
    put("b", heading);
    for (const line of lines) {
      put("span", line, "faint");
      put("br", "");
    }
    if (state) {
      const cell = put("span", "", `cell ${state}`), svg = "http://www.w3.org/2000/svg";
      const icon = document.createElementNS(svg, "svg"), use = document.createElementNS(svg, "use");
      icon.setAttribute("class", "i");
      use.setAttribute("href", `#g-${state}`);
      icon.append(use);
      cell.append(icon);
    }
    if (word) put("span", word);
    if (why) put("p", why, "why");
    tip.hidden = false;
    const { offsetWidth: w, offsetHeight: h } = tip;
    tip.style.left = `${Math.max(8, Math.min(innerWidth - w - 8, x + 14))}px`;
    tip.style.top = `${y + 18 + h > innerHeight ? y - h - 12 : y + 18}px`;
  }

  hide() {
    this.element.hidden = true;
  }
}

/** Keep what is shown in the address; what is empty goes. */
export function toAddress(values) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "" || value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}

export const asked = (name) => new URL(location.href).searchParams.get(name);

/** A document of the server; where it refuses, its words are thrown. */
export async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  const document_ = await answer.json();
  if (!answer.ok) throw new Error(document_.detail || document_.title || answer.statusText);
  return document_;
}

/** Draw with the next frame, however often it is asked for until then. */
export function onceAFrame(draw) {
  let waits = 0;
  return () => {
    waits ||= requestAnimationFrame(() => {
      waits = 0;
      draw();
    });
  };
}

/** Call `act` at most once in so many milliseconds, never while the page is hidden, and not twice at once. */
export function calmly(act, pause) {
  let waiting = false, busy = false, again = false;
  const run = async () => {
    if (document.hidden) return document.addEventListener("visibilitychange", run, { once: true });
    waiting = false;
    busy = true;
    try {
      await act();
    } finally {
      busy = false;
      if (again) {
        again = false;
        later();
      }
    }
  };
  const later = () => {
    if (busy) again = true;
    else if (!waiting) {
      waiting = true;
      setTimeout(run, pause);
    }
  };
  return later;
}

const numbers = new Intl.NumberFormat("en-GB");
export const count = (n) => numbers.format(n);
export const many = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** A plain date, which no time zone shifts, as UTC has it. */
export const plain = (bizdate) => new Date(`${bizdate}T00:00Z`);

/** A plain date in parts: `day` 12, `month` Sep, `monthWhole` September, `year` 2026, `weekday` Sat, `iso`. */
export function parts(date) {
  const month = MONTHS[date.getUTCMonth()], weekday = DAYS[date.getUTCDay()];
  return { day: date.getUTCDate(), month: month.slice(0, 3), monthWhole: month, year: date.getUTCFullYear(), weekday: weekday.slice(0, 3), weekdayWhole: weekday };
}

/** `12 Sep`. */
export function shortDay(bizdate) {
  const it = parts(plain(bizdate));
  return `${it.day} ${it.month}`;
}

/** `1h 04m`, `3m 20s`, `12s`. */
export function took(ms) {
  const s = ms / 1000;
  if (s < 1) return `${Number(s.toFixed(2))}s`;
  if (s < 10) return `${s.toFixed(1).replace(".0", "")}s`;
  if (s < 60) return `${Math.round(s)}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(Math.round(s % 60)).padStart(2, "0")}s`;
  return s < 172800 ? `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m` : `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
}
