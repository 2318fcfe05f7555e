import { start } from "/static/gantt.js";
import { control, frames } from "/bench/frames.js";

const box = document.getElementById("gantt");

window.measure = async () => {
  const [timeline, grid] = await Promise.all(["timeline", "dates"].map(async (name) => (await fetch(`/bench/${name}.json`)).text()));
  const began = performance.now(), found = [JSON.parse(timeline), JSON.parse(grid)], parsed = performance.now();
  const gantt = start(box, ...found, null), result = { parse: parsed - began, first: performance.now() - parsed };
  const size = { width: box.clientWidth, height: box.clientHeight }, whole = gantt.whole;
  result.clear = await control(size);
  for (const mode of ["date", "task", "slot"]) {
    gantt.show(mode);
    result[`${mode}, all in view, scrolled`] = await frames((n) => {
      box.scrollTop = n * 5;
      gantt.draw();
    });
    result[`${mode}, zoomed to 1/200 and back`] = await frames((n) => {
      const span = whole / 200 ** (1 - Math.abs(n - 30) / 30);
      gantt.from = (whole - span) / 2;
      gantt.until = gantt.from + span;
      gantt.draw();
    });
    gantt.from = 0;
    gantt.until = whole;
  }
  result.again = await control(size);
  return result;
};
