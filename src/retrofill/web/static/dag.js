// Zoom, pan, search and paths in a graph that the server has drawn. The picture scrolls and leads on without this.
import { asked, toAddress } from "./pictures.js";

class Dag {
  constructor(box) {
    this.box = box;
    this.take();
    this.#listen();
    if (this.svg) this.open();
  }

  /** The picture as it is now: it is put in place anew when something has changed. */
  take() {
    this.svg = this.box.querySelector("svg.dag");
    if (!this.svg) return;
    this.W = +this.svg.dataset.w;
    this.H = +this.svg.dataset.h;
    this.nodes = new Map([...this.svg.querySelectorAll(".node")].map((node) => [node.dataset.n, node]));
    this.below = new Map();
    this.above = new Map();
    for (const edge of this.svg.querySelectorAll(".edge")) {
      for (const [map, from] of [[this.below, edge.dataset.a], [this.above, edge.dataset.b]]) {
        if (!map.has(from)) map.set(from, []);
        map.get(from).push(edge);
      }
    }
    if (this.k) this.scale(this.k);
  }

  // ---- zoom

  scale(k) {
    this.k = Math.max(0.08, Math.min(3, k));
    this.svg.setAttribute("width", this.W * this.k);
    this.svg.setAttribute("height", this.H * this.k);
    this.svg.classList.toggle("far", this.k < 0.45);
  }

  fit() {
    this.scale(Math.min(1.15, (this.box.clientWidth - 4) / this.W, (this.box.clientHeight - 4) / this.H));
  }

  /** All of it if it can be read, else what the page is about. */
  open() {
    const zoom = +asked("zoom");
    this.fit();
    if (zoom) this.scale(zoom);
    else if (this.k < 0.62) this.scale(0.9);
    else return;
    const node = this.svg.querySelector(".node.focus, .node.fail") || this.nodes.get("0");
    if (node) this.centre(node, 0.25);
  }

  centre(node, share = 0.5) {
    const { e: x, f: y } = node.transform.baseVal.consolidate().matrix, { box, k } = this;
    box.scrollLeft = x * k - box.clientWidth * share;
    box.scrollTop = y * k - box.clientHeight * 0.5;
  }

  zoom(by, cx = this.box.clientWidth / 2, cy = this.box.clientHeight / 2) {
    const { box, k } = this, x = (box.scrollLeft + cx) / k, y = (box.scrollTop + cy) / k;
    this.scale(k * by);
    box.scrollLeft = x * this.k - cx;
    box.scrollTop = y * this.k - cy;
    toAddress({ zoom: this.k.toFixed(2) });
  }

  // ---- paths

  light(node) {
    const on = new Set([node.dataset.n]);
    this.dark();
    for (const [map, end] of [[this.below, "b"], [this.above, "a"]]) {
      const front = [node.dataset.n], seen = new Set(front);
      while (front.length) {
        for (const edge of map.get(front.pop()) || []) {
          const next = edge.dataset[end];
          edge.classList.add("on");
          if (seen.has(next)) continue;
          seen.add(next);
          on.add(next);
          front.push(next);
        }
      }
    }
    for (const key of on) this.nodes.get(key)?.classList.add("on");
    this.svg.classList.add("lit");
  }

  dark() {
    this.svg.classList.remove("lit");
    for (const one of this.svg.querySelectorAll(".on")) one.classList.remove("on");
  }

  find(text, turn = 0) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length ? [...this.nodes.values()].filter((node) => words.every((word) => node.dataset.name.toLowerCase().includes(word))) : [];
    document.getElementById("nodesfound").textContent = words.length ? `${found.length} found` : "";
    this.dark();
    if (!found.length) return;
    const node = found[((turn % found.length) + found.length) % found.length];
    if (this.k < 0.6) this.scale(0.9);
    this.centre(node);
    this.light(node);
  }

  // ---- pointer, keyboard, the page around

  #listen() {
    const { box } = this, input = document.getElementById("nodefilter");
    let turn = 0, at = null;
    const date = document.getElementById("ofdate");
    date?.addEventListener("change", () => date.form.requestSubmit());
    date?.form.querySelector("button").remove();
    input?.addEventListener("input", () => this.find(input.value, (turn = 0)));
    input?.form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.find(input.value, ++turn);
    });
    document.addEventListener("click", (e) => {
      const zoom = e.target.closest("[data-zoom]");
      if (zoom && this.svg) zoom.dataset.zoom === "fit" ? (this.fit(), toAddress({ zoom: null })) : this.zoom(zoom.dataset.zoom > 0 ? 1.25 : 0.8);
      if (e.target.closest("[data-save-svg]")) this.save();
    });
    box.addEventListener("wheel", (e) => {
      if (!e.ctrlKey) return;
      e.preventDefault();
      const b = box.getBoundingClientRect();
      this.zoom(e.deltaY < 0 ? 1.12 : 0.89, e.clientX - b.left, e.clientY - b.top);
    }, { passive: false });
    box.addEventListener("pointerdown", (e) => {
      if (e.button || e.pointerType !== "mouse" || e.target.closest("a")) return;
      at = [e.clientX + box.scrollLeft, e.clientY + box.scrollTop];
      box.setPointerCapture(e.pointerId);
    });
    box.addEventListener("pointermove", (e) => at && box.scrollTo(at[0] - e.clientX, at[1] - e.clientY));
    box.addEventListener("pointerup", () => (at = null));
    for (const [kind, on] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]]) {
      box.addEventListener(kind, (e) => {
        const node = e.target.closest?.(".node");
        if (node && !node.contains(e.relatedTarget)) on ? this.light(node) : this.dark();
      });
    }
    box.addEventListener("keydown", (e) => {
      const by = { "+": 1.25, "=": 1.25, "-": 0.8 }[e.key];
      if (by) this.zoom(by);
      else if (e.key === "0") this.fit();
      else return;
      e.preventDefault();
      e.stopPropagation();
    });
    document.addEventListener("htmx:after:swap", () => this.take());
    new ResizeObserver(() => this.svg && !asked("zoom") && this.k < 0.62 && this.fit()).observe(document.documentElement);
  }

  /** A file of it that needs no style sheet. */
  save() {
    const copy = this.svg.cloneNode(true), from = [this.svg, ...this.svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", this.W);
    copy.setAttribute("height", this.H);
    from.forEach((one, i) => {
      const style = getComputedStyle(one);
      for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "text-anchor", "opacity"]) to[i].setAttribute(name, style.getPropertyValue(name));
    });
    const sprite = document.querySelector(".sprite")?.cloneNode(true);
    if (sprite) copy.prepend(...sprite.children);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
    link.download = this.box.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

const box = document.getElementById("dag");
if (box) {
  new Dag(box);
  for (const one of document.querySelectorAll("[data-scripted]")) one.hidden = false;
}
