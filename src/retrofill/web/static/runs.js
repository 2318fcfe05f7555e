// Runs of a backfill as columns: what has run and what will, in rows by bizdate, by task or by slot.

export const OK = 0, RUN = 1, FAIL = 2, FORE = 3;
const STATES = { s: OK, r: RUN, f: FAIL };
const SLACK = 100; // milliseconds: a slot is free when a tick sees that its run has ended, and that tick began a little earlier

/** All runs, and what is expected to run; moments are milliseconds since the first one began. */
export class Runs {
  constructor(timeline, grid, forecast, now) {
    this.began = timeline.began_at ? Date.parse(timeline.began_at) : forecast ? Date.parse(forecast.at) : now;
    this.now = Math.max(0, (forecast ? Date.parse(forecast.at) : now) - this.began);
    this.tasks = timeline.tasks;
    this.grid = grid; // {first, stride, dates, groups}
    const runs = timeline.instances.length, shift = forecast ? Date.parse(forecast.at) - this.began : 0;
    const fore = forecast ? forecast.instances.map((_, i) => i).filter((i) => forecast.started[i] > 0 || forecast.ended[i] > 0) : [];
    const size = runs + fore.length;
    this.start = new Float64Array(size);
    this.end = new Float64Array(size);
    this.state = new Uint8Array(size);
    this.id = new Float64Array(size);
    this.task = new Int32Array(size);
    this.day = new Int32Array(size); // position of the bizdate in running order
    const running = new Set(), taskOf = new Int32Array(grid.stride).fill(-1), { first, stride } = grid;
    const { states, instances, task_of } = timeline;
    for (let i = 0; i < runs; i++) {
      const state = STATES[states[i]], id = instances[i], day = Math.floor((id - first) / stride);
      this.start[i] = timeline.started[i];
      this.end[i] = state === RUN ? Math.max(this.now, timeline.started[i]) : timeline.ended[i];
      this.state[i] = state;
      this.id[i] = id;
      this.day[i] = day;
      this.task[i] = taskOf[id - first - day * stride] = task_of[i];
      if (state === RUN) running.add(id);
    }
    this.#names(taskOf);
    fore.forEach((from, k) => {
      const i = runs + k, id = forecast.instances[from];
      this.start[i] = shift + forecast.started[from];
      this.end[i] = shift + forecast.ended[from];
      this.state[i] = FORE;
      this.id[i] = id;
      this.day[i] = Math.floor((id - first) / stride);
      this.task[i] = taskOf[(id - first) % stride];
    });
    this.known = runs;
    this.size = size;
    this.last = 0;
    for (let i = 0; i < size; i++) if (this.end[i] > this.last) this.last = this.end[i];
    this.running = running;
    this.expected = forecast?.end_at ? [forecast.low_end_at, forecast.end_at, forecast.high_end_at].map((at) => (at ? Date.parse(at) - this.began : null)) : null;
  }

  /** Tasks of which nothing has run yet are known by their place in the grid. */
  #names(taskOf) {
    for (const row of this.grid.rows) {
      if (taskOf[row.place] >= 0) continue;
      let index = this.tasks.indexOf(row.task);
      if (index < 0) index = this.tasks.push(row.task) - 1;
      taskOf[row.place] = index;
    }
  }

  date(i) {
    return this.day[i];
  }

  /** Rows of a mode: `{key, label, runs}`, runs by start, and `reach`: how far those up to each one last. */
  rows(mode) {
    const order = this.#byStart();
    if (mode === "slot") return this.#slots(order);
    if (mode === "date") return dealt(order, this.day, this.grid.dates.length).map((runs, d) => this.#row(d, this.grid.dates[d], runs));
    const rows = dealt(order, this.task, this.tasks.length).map((runs, key) => this.#row(key, this.tasks[key], runs));
    return rows.filter((row) => row.runs.length).sort((a, b) => this.start[a.runs[0]] - this.start[b.runs[0]]);
  }

  /** Sorted as numbers, each the moment and the run in one: a tenth of the time that comparing takes. */
  #byStart() {
    if (this.order) return this.order;
    const { size, start } = this, grain = Math.max(1, Math.ceil((this.last * size) / 2 ** 52)), keys = new Float64Array(size);
    for (let i = 0; i < size; i++) keys[i] = Math.floor(start[i] / grain) * size + i;
    keys.sort();
    const order = new Uint32Array(size);
    for (let k = 0; k < size; k++) order[k] = keys[k] % size;
    return (this.order = order);
  }

  /** How many slots were held at once at most, and will be. */
  get peak() {
    return (this.most ??= peakOf(this, this.#byStart()));
  }

  /** As few rows as there were runs at once: each takes the first that is free. */
  #slots(order) {
    const rows = [], free = [];
    for (const i of order) {
      let slot = free.findIndex((end) => end <= this.start[i] + SLACK);
      if (slot < 0) slot = rows.push([]) - 1;
      rows[slot].push(i);
      free[slot] = this.end[i];
    }
    return rows.map((runs, slot) => this.#row(slot, `${slot + 1}`, runs));
  }

  #row(key, label, runs) {
    const list = runs instanceof Uint32Array ? runs : Uint32Array.from(runs), reach = new Float64Array(list.length);
    let far = -Infinity;
    for (let k = 0; k < list.length; k++) {
      if (this.end[list[k]] > far) far = this.end[list[k]];
      reach[k] = far;
    }
    return { key, label, runs: list, reach };
  }

  /** Which of a row's runs may lie in a span: from index, to index. */
  inside(row, from, to) {
    return [first(row.reach, (end) => end > from), first(row.runs, (i) => this.start[i] >= to)];
  }

  /** Run time by task, most first: `{task, count, sum, mean}` in milliseconds. */
  byTask() {
    const sums = new Map();
    for (let i = 0; i < this.known; i++) {
      const of = sums.get(this.task[i]) || { task: this.tasks[this.task[i]], count: 0, sum: 0 };
      of.count++;
      of.sum += this.end[i] - this.start[i];
      sums.set(this.task[i], of);
    }
    return [...sums.values()].map((of) => ({ ...of, mean: of.sum / of.count })).sort((a, b) => b.sum - a.sum);
  }
}

/** Runs by their key, 0 to `size`, in the order in which they come; those of no key are left out. */
function dealt(order, keys, size) {
  const from = new Uint32Array(size + 1), all = new Uint32Array(order.length), n = order.length;
  for (let k = 0; k < n; k++) if (keys[order[k]] >= 0) from[keys[order[k]] + 1]++;
  for (let key = 0; key < size; key++) from[key + 1] += from[key];
  const next = from.slice();
  for (let k = 0; k < n; k++) if (keys[order[k]] >= 0) all[next[keys[order[k]]]++] = order[k];
  return Array.from({ length: size }, (_, key) => all.subarray(from[key], from[key + 1]));
}

/** How many of these runs, by start, there were at once at most. */
export function peakOf({ start, end }, list) {
  const ends = new Float64Array(list.length);
  for (let k = 0; k < list.length; k++) ends[k] = end[list[k]];
  ends.sort();
  let most = 0, ended = 0;
  for (let k = 0; k < list.length; k++) {
    while (ended < ends.length && ends[ended] <= start[list[k]] + SLACK) ended++;
    if (k + 1 - ended > most) most = k + 1 - ended;
  }
  return most;
}

function first(values, holds) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(values[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How much of each pixel is held by runs, several at once added. */
export class Cover {
  constructor(size) {
    this.part = new Float64Array(size + 2);
    this.step = new Float64Array(size + 2);
    this.value = new Float64Array(size);
    this.clear();
  }

  clear() {
    if (this.to > 0) {
      this.part.fill(0, this.from, this.to + 2);
      this.step.fill(0, this.from, this.to + 2);
    }
    this.from = this.value.length;
    this.to = 0;
  }

  /** From pixel a to pixel b, as fractions. */
  add(a, b) {
    const size = this.value.length;
    if (b <= 0 || a >= size) return;
    if (a < 0) a = 0;
    if (b > size) b = size;
    const i = Math.floor(a), j = Math.floor(b);
    if (i < this.from) this.from = i;
    if (j + 1 > this.to) this.to = j + 1;
    if (i === j) this.part[i] += b - a;
    else {
      this.part[i] += i + 1 - a;
      this.part[j] += b - j;
      this.step[i + 1]++;
      this.step[j]--;
    }
  }

  /** Sum up, where anything is; `smooth` times, each pixel with its neighbours. @returns the greatest value */
  sum(smooth = 0) {
    const { part, step, value } = this, from = Math.max(0, this.from - 4), to = Math.min(value.length, this.to + 4);
    let level = 0, most = 0;
    for (let x = from; x < to; x++) {
      level += step[x];
      value[x] = level + part[x];
    }
    for (; smooth > 0; smooth--) {
      let before = value[from];
      for (let x = from + 1; x < to - 1; x++) {
        const own = value[x];
        value[x] = (before + 2 * own + value[x + 1]) / 4;
        before = own;
      }
    }
    for (let x = from; x < to; x++) if (value[x] > most) most = value[x];
    return most;
  }

  /** At a pixel, once summed up. */
  at(x) {
    return x >= this.from - 4 && x < this.to + 4 ? this.value[x] : 0;
  }
}
