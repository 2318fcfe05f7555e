import { start } from "/static/matrix.js";
import { control, frames } from "/bench/frames.js";

const box = document.getElementById("matrix");

window.measure = async () => {
  const text = await (await fetch("/bench/grid.json")).text();
  const began = performance.now(), document_ = JSON.parse(text), parsed = performance.now();
  const matrix = await start(box, document_), { view, grid } = matrix;
  const result = { parse: parsed - began, first: performance.now() - parsed }, size = { width: box.clientWidth, height: box.clientHeight };
  result.clear = await control(size);
  for (const level of [0, 1, 2, 3, 4]) {
    view.level = level;
    view.layout();
    result[`panned at zoom ${level}`] = await frames((n) => {
      box.scrollTo(n * 7, n * 11);
      view.draw();
    });
  }
  result["zoomed, a step every 12 frames"] = await frames((n) => {
    if (n % 12 === 0) {
      view.level = (n / 12) % 5;
      view.layout();
    }
    view.draw();
  });
  result["500 cells changed a frame"] = await frames((n) => {
    for (let i = 0; i < 500; i++) grid.lanes[i % grid.lanes.length].look[n % document_.bizdates.length] = 4;
    grid.version++;
    view.draw();
  });
  result.again = await control(size);
  return result;
};
