// Frames while something moves: the distances between them, and the processor time of each.
export async function frames(step, most = 60) {
  const gaps = [], costs = [];
  let before = null;
  await new Promise((done) => {
    const turn = (now) => {
      if (before !== null) gaps.push(now - before);
      before = now;
      const began = performance.now();
      step(gaps.length);
      costs.push(performance.now() - began);
      if (gaps.length < most) requestAnimationFrame(turn);
      else done();
    };
    requestAnimationFrame(turn);
  });
  gaps.sort((a, b) => a - b);
  costs.sort((a, b) => a - b);
  const at = (values, share) => values[Math.min(values.length - 1, Math.floor(values.length * share))];
  return { median: at(gaps, 0.5), p95: at(gaps, 0.95), missed: gaps.filter((gap) => gap > 25).length, frames: gaps.length, cost: at(costs, 0.5), cost95: at(costs, 0.95) };
}

/** The control: a canvas of the same size that is only cleared. */
export function control(size) {
  const canvas = document.createElement("canvas"), scale = devicePixelRatio;
  canvas.width = size.width * scale;
  canvas.height = size.height * scale;
  canvas.style.cssText = `position:fixed;left:0;top:0;z-index:99;width:${size.width}px;height:${size.height}px`;
  document.body.append(canvas);
  const ctx = canvas.getContext("2d");
  return frames(() => ctx.clearRect(0, 0, canvas.width, canvas.height)).finally(() => canvas.remove());
}
