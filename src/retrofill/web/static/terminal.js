// What a program has printed for a terminal, as elements; the same as `web/terminal.py`, held to it by a test.
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const SEQUENCE = /\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?/g;
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "turned", 9: "struck" };
const ENDS = { 21: ["bold"], 22: ["bold", "dim"], 23: ["italic"], 24: ["under"], 27: ["turned"], 29: ["struck"] };
const CUBE = [0, 95, 135, 175, 215, 255];
const DRAWN = [[0, 0, 0], [205, 49, 49], [13, 188, 121], [229, 229, 16], [36, 114, 200], [188, 63, 188], [17, 168, 205], [229, 229, 229]];

/** One line as a fragment of text and spans. */
export function painted(text) {
  text = text.replace(/\r$/, "");
  text = text.slice(text.lastIndexOf("\r") + 1);
  const found = document.createDocumentFragment(), style = new Map();
  let at = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    put(found, text.slice(at, match.index), style);
    at = match.index + match[0].length;
    if (match[1] !== undefined) apply(match[1], style);
  }
  put(found, text.slice(at), style);
  return found;
}

function put(found, text, style) {
  if (!text) return;
  const shown = text.replace(/[\x00-\x08\x0a-\x1f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)));
  if (!style.size) { found.append(shown); return; }
  const span = document.createElement("span");
  span.className = [...style.values()].sort().join(" ");
  span.textContent = shown;
  found.append(span);
}

function apply(parameters, style) {
  const codes = parameters.replaceAll(":", ";").split(";").map((code) => Number(code.slice(-9)) || 0);
  for (let at = 0; at < codes.length;) {
    const code = codes[at++];
    if (code === 0) style.clear();
    else if (STYLES[code]) style.set(STYLES[code], `t-${STYLES[code]}`);
    else if (ENDS[code]) for (const name of ENDS[code]) style.delete(name);
    else if (code === 38 || code === 48) {
      const [colour, next] = colourOf(codes, at);
      at = next;
      if (colour !== null) style.set(code === 38 ? "ink" : "paper", `t-${code === 38 ? "" : "on-"}${NAMES[colour]}`);
    } else if (code === 39 || code === 49) style.delete(code === 39 ? "ink" : "paper");
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) style.set("ink", `t-${NAMES[code % 10]}`);
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) style.set("paper", `t-on-${NAMES[code % 10]}`);
  }
}

function colourOf(codes, at) {
  if (codes[at] === 5 && at + 1 < codes.length) return [of256(codes[at + 1]), at + 2];
  if (codes[at] === 2 && at + 3 < codes.length) return [nearest(codes.slice(at + 1, at + 4)), at + 4];
  return [null, codes.length];
}

function of256(number) {
  if (number < 16) return number % 8;
  if (number >= 232) { const grey = (Math.min(number, 255) - 232) * 10 + 8; return nearest([grey, grey, grey]); }
  const cube = number - 16;
  return nearest([CUBE[Math.floor(cube / 36)], CUBE[Math.floor(cube / 6) % 6], CUBE[cube % 6]]);
}

function nearest(colour) {
  const distances = DRAWN.map((one) => one.reduce((sum, value, i) => sum + (value - colour[i]) ** 2, 0));
  return distances.indexOf(Math.min(...distances));
}
