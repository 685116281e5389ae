// Rows of cells and the lines between them.
import { put, refill, s } from "./draw.js";
import { clamp } from "./format.js";

/** Where an event is in a picture, in the picture's units: [x, y]. */
export function where(e, picture) {
  const box = picture.getBoundingClientRect(), scale = picture.viewBox.baseVal.width / box.width;
  // On a page with CSS zoom, WebKit gives boxes in pixels of what is zoomed, and events in the window's.
  let zoom = 1;
  if (!("currentCSSZoom" in picture)) for (let part = picture; part; part = part.parentElement) zoom *= +getComputedStyle(part).zoom || 1;
  return [(e.pageX / zoom - scrollX - box.left) * scale, (e.pageY / zoom - scrollY - box.top) * scale];
}

/** Pointing into the picture sets `key` to the nearest of places(). */
export function pick(ui, picture, key, places) {
  const near = (e) => {
    const [x] = where(e, picture), far = places().map((at) => Math.abs(at - x)), nearest = far.indexOf(Math.min(...far));
    return nearest >= 0 && [nearest];
  };
  const show = ([nearest]) => nearest !== ui.state()[key] && ui.set({ [key]: nearest });
  ui.pointing(picture, near, show);
  picture.addEventListener("pointermove", (e) => { // a finger that is drawn along
    const at = e.pointerType !== "mouse" && e.buttons && near(e);
    if (at) show(at);
  });
}

/** The path of a cell with round corners, x being its middle. */
export function box(x, y, width, height) {
  const r = Math.min(4, width / 8), w = Math.max(1, width - 1) - 2 * r, arc = (a, b) => `a${r} ${r} 0 0 1 ${a} ${b}`;
  return `M${x - w / 2} ${y}h${w}${arc(r, r)}v${height - 2 * r}${arc(-r, r)}h${-w}${arc(-r, -r)}v${2 * r - height}${arc(r, -r)}z`;
}

/** A row of numbered cells around the places xs, some of them marked: three elements, however many cells. */
export function cells(role) {
  const all = s("path", { class: `cw-f-${role}` }), marked = s("path", { class: "cw-f-kernel" }), indices = s("g");
  let laid = "";
  return {
    node: s("g", {}, all, marked, indices),
    update(xs, y, width, height, on) {
      const path = (list) => list.map((x) => box(x, y, width, height)).join("");
      put(marked, { d: path(on.map((i) => xs[i])) });
      if (laid === xs.join()) return;
      laid = xs.join();
      put(all, { d: path(xs) });
      refill(indices, xs.map((x, i) => s("text", { x, y: y + height / 2, "font-size": clamp(width * 0.5, 9, 13) }, String(i))));
    },
  };
}
