// Why an instance stands where it does: asked when somebody rests on its cell, once for each state of the data.
import { ask } from "./pictures.js";

const REST = 250; // milliseconds

export class Whys {
  #told = new Map();
  #waits = 0;
  #turn = 0;

  /** @param at where reasons are asked for; @param grid says by its version whether they still hold. */
  constructor(at, grid) {
    this.at = at;
    this.grid = grid;
  }

  /** Call `tell` with the words: at once if they are known, else when somebody rests here. */
  rest(id, tell) {
    this.leave();
    if (this.version !== this.grid.version) this.#told.clear();
    this.version = this.grid.version;
    const known = this.#told.get(id);
    if (known !== undefined) return tell(known);
    const turn = this.#turn;
    this.#waits = setTimeout(() => this.#ask(id, (text) => turn === this.#turn && tell(text)), REST);
  }

  /** Nothing is told any more of where somebody was. */
  leave() {
    clearTimeout(this.#waits);
    this.#turn++;
  }

  async #ask(id, tell) {
    const { version } = this.grid, found = await ask(`${this.at}?id=${id}`).catch(() => null);
    if (!found) return; // the cell says what it is all the same
    const text = found.items[0]?.text || "";
    if (version === this.version) this.#told.set(id, text);
    tell(text);
  }
}
