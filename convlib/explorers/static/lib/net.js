// Rows of cells and the lines between them.

/** Pointing anywhere in the picture sets `key` to the place of places() that is nearest from left to right. */
export function pick(ui, picture, key, places) {
  const point = (e) => {
    const box = picture.getBoundingClientRect(), x = ((e.clientX - box.left) * picture.viewBox.baseVal.width) / box.width;
    const far = places().map((at) => Math.abs(at - x)), nearest = far.indexOf(Math.min(...far));
    if (nearest >= 0 && nearest !== ui.state()[key]) ui.set({ [key]: nearest });
  };
  picture.addEventListener("pointermove", (e) => (e.pointerType === "mouse" || e.buttons) && point(e));
  picture.addEventListener("pointerdown", point);
}

/** The path of a cell with round corners, x being its middle. */
export function box(x, y, width, height) {
  const r = Math.min(4, width / 8), w = Math.max(1, width - 1) - 2 * r, arc = (a, b) => `a${r} ${r} 0 0 1 ${a} ${b}`;
  return `M${x - w / 2} ${y}h${w}${arc(r, r)}v${height - 2 * r}${arc(-r, r)}h${-w}${arc(-r, -r)}v${2 * r - height}${arc(r, -r)}z`;
}
