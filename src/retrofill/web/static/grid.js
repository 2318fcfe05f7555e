// The grid's document as rows of bytes: one byte an instance says how it looks, one how it passes.
import { count } from "./pictures.js";

export const NONE = 0, IDLE = 1, WAIT = 2, RUN = 3, OK = 4, FAIL = 5, FROZEN = 6, DRY = 7, OFF = 8, BLOCKED = 9, HAND = 10, TIME = 11;
export const LOOKS = 12;
/** How the style sheets call what a byte means. */
export const CLASS = ["", "idle", "wait", "run", "ok", "fail", "frozen", "dry", "dry", "blocked", "hand", "wait"];
/** Per look: its words, and how many instances of it are called. */
export const WORDS = ["No instance", "Not run", "Waiting (for resources)", "Running", "Successful", "Failed", "Frozen", "Successful, dry run", "Successful, passed without running", "Not run, held up", "Successful, set by a person", "Waiting (for scheduled time)"];
// Of several instances in one cell, what is shown: the first that any of them is.
const WORST = [FAIL, FROZEN, RUN, WAIT, TIME, BLOCKED, IDLE, OK, HAND, DRY, OFF, NONE];
const RANK = new Uint8Array(LOOKS);
WORST.forEach((look, rank) => (RANK[look] = rank));

export const isDone = (look) => look === OK || look === DRY || look === OFF || look === HAND;

const OF_STATE = { ".": NONE, n: IDLE, t: TIME, w: WAIT, r: RUN, s: OK, f: FAIL, z: FROZEN };
const TABLE = new Uint8Array(128 * 128); // state letter and mark -> look
for (const [state, look] of Object.entries(OF_STATE)) {
  for (let mark = 0; mark < 128; mark++) TABLE[state.charCodeAt(0) * 128 + mark] = look;
}
const set = (state, mark, look) => (TABLE[state.charCodeAt(0) * 128 + mark.charCodeAt(0)] = look);
set("s", "d", DRY);
set("s", "o", OFF);
set("s", "v", OFF);
set("s", "m", HAND);
set("n", "h", BLOCKED);
const NO_MARK = "-".charCodeAt(0), PASSES = { d: "dry run", o: "off day", v: "virtual" };

const encoder = new TextEncoder(), rooms = [new Uint8Array(0), new Uint8Array(0)];
/** Letters as bytes, until the same room is used again. */
function bytes(text, room) {
  if (rooms[room].length < text.length * 3) rooms[room] = new Uint8Array(text.length * 3);
  encoder.encodeInto(text, rooms[room]);
  return rooms[room];
}

/** A task: its lanes (one a time of the day), and what is shown where they are folded into one row. */
class Task {
  constructor(full, columns) {
    const dot = full.indexOf(".");
    this.full = full;
    this.workspace = full.slice(0, dot);
    this.name = full.slice(dot + 1);
    this.lanes = [];
    this.look = new Uint8Array(columns);
    this.share = null; // of a running cell, how much is done: 0 to 255
  }

  fold(columns) {
    if (this.lanes.length === 1) {
      this.look = this.lanes[0].look;
      return;
    }
    this.share ||= new Uint8Array(this.look.length);
    for (const d of columns) {
      let worst = NONE, done = 0, all = 0;
      for (const lane of this.lanes) {
        const look = lane.look[d];
        if (RANK[look] < RANK[worst]) worst = look;
        if (look !== NONE) all++;
        if (isDone(look)) done++;
      }
      this.look[d] = worst;
      this.share[d] = all ? (255 * done) / all : 0;
    }
  }
}

/** All instances of a backfill by task and bizdate. */
export class Grid {
  constructor(document_) {
    this.dates = document_.bizdates;
    this.groupOf = document_.groups;
    this.first = document_.first_instance;
    this.stride = document_.stride;
    this.lanes = document_.rows.map((row) => ({ place: row.place, slot: row.slot, task: row.task, look: new Uint8Array(this.dates.length), marks: null }));
    this.byPlace = new Map(this.lanes.map((lane) => [lane.place, lane]));
    const tasks = new Map();
    for (const lane of this.lanes) {
      if (!tasks.has(lane.task)) tasks.set(lane.task, new Task(lane.task, this.dates.length));
      tasks.get(lane.task).lanes.push(lane);
    }
    this.tasks = [...tasks.values()];
    this.groups = this.#groups();
    this.byDate = new Int32Array(this.dates.length * LOOKS);
    this.version = 0;
    this.put(document_);
  }

  /** Take over what a document says of its dates. */
  put(document_) {
    const columns = document_.positions;
    for (const row of document_.rows) {
      const lane = this.byPlace.get(row.place);
      if (!lane) continue;
      if (row.marks && !lane.marks) lane.marks = new Uint8Array(this.dates.length).fill(NO_MARK);
      const { look, marks } = lane, states = bytes(row.cells, 0), told = row.marks ? bytes(row.marks, 1) : null;
      for (let i = 0; i < columns.length; i++) {
        const mark = told ? told[i] : NO_MARK;
        look[columns[i]] = TABLE[(states[i] << 7) | mark];
        if (marks) marks[columns[i]] = mark;
      }
    }
    for (const task of this.tasks) task.fold(columns);
    this.#count(columns);
    this.version++;
  }

  #groups() {
    const found = [];
    this.groupOf.forEach((number, d) => {
      if (!found.length || found.at(-1).number !== number) found.push({ number, from: d, to: d });
      found.at(-1).to = d;
    });
    return found;
  }

  #count(columns) {
    const { byDate } = this;
    for (const d of columns) byDate.fill(0, d * LOOKS, (d + 1) * LOOKS);
    for (const { look } of this.lanes) for (const d of columns) byDate[d * LOOKS + look[d]]++;
  }

  /** How many instances of each look a date has. */
  of(d) {
    return this.byDate.subarray(d * LOOKS, (d + 1) * LOOKS);
  }

  id(lane, d) {
    return this.first + d * this.stride + lane.place;
  }

  /** The lane and date of an instance; null where it is not shown. */
  find(id) {
    const lane = this.byPlace.get((id - this.first) % this.stride), d = Math.floor((id - this.first) / this.stride);
    return lane && d >= 0 && d < this.dates.length ? { lane, d } : null;
  }

  /** What an instance is, in words. */
  word(lane, d) {
    const passes = lane.marks && PASSES[String.fromCharCode(lane.marks[d])], look = lane.look[d];
    if (passes && isDone(look)) return `Successful, ${passes}`;
    return passes && look !== NONE ? `${WORDS[look]}, ${passes}` : WORDS[look];
  }
}

/** How many instances of each look there are in these lanes and dates. */
export function tally(lanes, from, to) {
  const found = new Int32Array(LOOKS);
  for (const { look } of lanes) for (let d = from; d <= to; d++) found[look[d]]++;
  return found;
}

export const doneOf = (c) => c[OK] + c[DRY] + c[OFF] + c[HAND];

/** Counts in words, what needs a person first. */
export function said(c) {
  return [[c[FAIL], "failed"], [c[FROZEN], "frozen"], [c[RUN], "running"], [c[WAIT] + c[TIME], "waiting"], [c[BLOCKED], "held up"], [c[IDLE], "not run"], [doneOf(c), "successful"]]
    .filter(([n]) => n)
    .map(([n, word]) => `${count(n)} ${word}`)
    .join(", ");
}
