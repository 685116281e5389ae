// Sizes through a stack of layers on one axis, and what one output depends on.
import { sizes } from "./lib/arith.js";
import { h, line, put, refill, s, sized, slider } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, listed, upto } from "./lib/format.js";
import { box, pick } from "./lib/net.js";

const cells = (list) => {
  const step = list[1] - list[0], even = step > 1 && list.length > 2 && list.every((v, i) => v === list[0] + i * step);
  return even ? `cells ${list[0]} to ${list.at(-1)} in steps of ${step}` : listed(list, "cell");
};

function numbers({ size, layers: settings, cell }) {
  const layers = [];
  let n = size, jump = 1, start = 0, middle = 0, field = 1;
  for (const { kernel_size: k, stride, padding: p, dilation: d } of settings) {
    const z = sizes(n, k, stride, p, d), m = z.output;
    const read = new Set(upto(m, (o) => upto(k, (t) => o * stride - p + t * d)).flat());
    const unread = m ? upto(z.padded, (i) => i - p).filter((i) => !read.has(i)) : [];
    layers.push({
      n, k, s: stride, p, d, m, room: z.padded - z.span, span: z.span, padded: z.padded, leftover: m ? z.leftover : null,
      jump, reach: d * (k - 1), unread, middle,
    });
    if (!m) break;
    field += d * (k - 1) * jump; // a layer's taps reach over cells that are `jump` apart
    start -= p * jump;
    middle += jump * ((z.span - 1) / 2 - p);
    jump *= stride;
    n = m;
  }
  const end = layers.at(-1), stop = end.m ? null : layers.length, at = Math.min(cell, n - 1);
  // Backwards from one output: the cells of each row that it depends on.
  const seen = [[at]];
  for (const l of stop ? [] : [...layers].reverse()) {
    const read = new Set(seen[0].flatMap((o) => upto(l.k, (t) => o * l.s - l.p + t * l.d)));
    seen.unshift(upto(l.n).filter((i) => read.has(i)));
  }
  const first = start + at * jump, outside = upto(field, (i) => first + i).filter((i) => i < 0 || i >= size).length;
  const own = seen[0], unread = layers[0].unread.filter((i) => i >= 0 && i < size);
  return {
    size, sizes: [size, ...layers.filter((l) => l.m).map((l) => l.m)], layers, stop, end, at, jump, field, first, outside, middle,
    settings, seen: stop ? [] : seen, reads: stop ? null : own.length, skipped: own.length && own.at(-1) - own[0] + 1 - own.length,
    own: cells(own), unread: cells(unread), never: unread.length,
  };
}

function sentence(_, n) {
  if (n.stop) return ["none"];
  const what = `${n.layers.length > 1 ? "several_" : ""}${!n.reads ? "padding" : n.skipped ? "gaps" : "input"}`;
  return [what, !n.outside ? "field" : n.outside < n.field ? "some" : n.field > 1 ? "all" : "it", n.never && "never"];
}

const TALL = 26, GAP = 58, LABELS = 74; // of a row of cells, between two rows, left of the rows
const top = (i) => 6 + i * (TALL + GAP), middle = (i) => top(i) + TALL / 2;

/** The rows of cells: each cell stands over the middle of what it reads, in units of input cells. */
function laidOut(n, width) {
  const { jump, middle, layers } = n;
  const levels = n.sizes.map((size, i) => ({ p: 0, jump, middle, ...layers[i], size, next: layers[i], own: layers[i - 1] }));
  const ends = levels.flatMap((v) => [v.middle - v.jump * (v.p + 0.5), v.middle + v.jump * (v.size + v.p - 0.5)]);
  if (!n.stop) ends.push(n.first - 0.5, n.first + n.field - 0.5);
  const low = Math.min(...ends), wide = Math.max(...ends) - low, unit = clamp((width - LABELS - 3) / wide, 0, 34);
  for (const v of levels) {
    v.x = (i) => LABELS + (v.middle - low + i * v.jump) * unit;
    v.wide = Math.min((v.own ?? v).jump * unit, 34);
    v.step = [1, 2, 5, 10, 20].find((step) => step * v.jump * unit >= (step > 1 ? 24 : 17)) ?? 50;
  }
  return { levels, unit, full: LABELS + wide * unit + 3 };
}
const cell = (levels, i, c) => box(levels[i].x(c), top(i), levels[i].wide, TALL);
const index = ({ x, wide }, i, c, kind) => s("text", { x: x(c), y: middle(i), "font-size": clamp(wide * 0.5, 8.5, 13), class: kind }, String(c));
const wires = (levels, i, o, { own } = levels[i]) =>
  upto(own.k, (t) => `M${levels[i - 1].x(o * own.s - own.p + t * own.d)} ${top(i) - GAP}L${levels[i].x(o)} ${top(i)}`).join("");

/** What does not depend on the output that is pointed at: paths by class, and texts. */
function background(levels) {
  const paths = { "cw-thin": "" }, texts = [], draw = (kind, d) => { paths[kind] = (paths[kind] ?? "") + d; };
  levels.forEach((v, i) => {
    const { own } = v, unread = v.next?.unread ?? [];
    for (let c = -v.p; c < v.size + v.p; c++) {
      const inside = c >= 0 && c < v.size, never = unread.includes(c), kind = never ? "unused" : !inside ? "surface" : i ? "output" : "input";
      draw(`cw-f-${kind}${inside ? "" : " cw-pad"}`, cell(levels, i, c));
      if (inside && c % v.step === 0) texts.push(index(v, i, c, never ? "cw-t-unused" : ""));
      if (never) draw("cw-marks", `M${v.x(c) - v.wide / 2 + 2} ${top(i) + TALL - 2}L${v.x(c) + v.wide / 2 - 2} ${top(i) + 2}`);
    }
    texts.push(s("text", { x: 0, y: middle(i), class: "cw-start cw-t-muted", "font-size": 12 }, `${i ? `Layer ${i}` : "Input"}: ${v.size}`));
    if (!own) return;
    draw("cw-thin", upto(v.size, (o) => wires(levels, i, o)).join(""));
    // Where a window fits is a slot: each s-th is taken, the rest are dots.
    for (let t = 0; t <= own.room; t++)
      if (t % own.s) draw(t > (own.m - 1) * own.s ? "cw-dot cw-left" : "cw-dot", `M${v.x(t / own.s)} ${middle(i)}h0`);
  });
  return [Object.entries(paths).map(([kind, d]) => s("path", { d, class: kind })), texts];
}

function build(ui) {
  const { keys } = ui.spec.settings.layers.of, names = Object.keys(keys);
  const change = (i, key) => (value) => ui.set({ layers: ui.state().layers.map((l, j) => (j === i ? { ...l, [key]: value } : l)) });
  const rows = upto(4, (i) => {
    const sliders = names.map((key) => slider(...ui.spec.layer[key], change(i, key), [keys[key].from, keys[key].to]));
    return { sliders, node: h("fieldset", { class: "cw-layer" }, h("legend", {}, `Layer ${i + 1}`), sliders.map((one) => one.node)) };
  });
  const another = { kernel_size: 3, stride: 1, padding: 1, dilation: 1 };
  const depth = slider("Layers", "output", (count) => ui.set({ layers: upto(count, (i) => ui.state().layers[i] ?? another) }), [1, 4]);
  const output = slider("Output cell", "output", (cell) => ui.set({ cell }));
  const wire = s("path", { class: "cw-wire" }), marked = s("path", { class: "cw-f-kernel" }), [ground, texts, over] = upto(3, () => s("g"));
  const picture = s("svg", { class: "cw-net", role: "img" }, ground, wire, marked, texts, over);
  let places = [], drawn = "";
  pick(ui, picture, "cell", () => places);

  return {
    nodes: [
      h("div", { class: "cw-layers" }, h("div", { class: "cw-single" }, depth.node), rows.map((row) => row.node)),
      picture, h("p", { class: "cw-caption" }, ui.spec.legend), h("div", { class: "cw-layers cw-single" }, output.node),
    ],
    draw({ layers: settings }, n, width) {
      rows.forEach(({ node, sliders }, i) => {
        node.hidden = i >= settings.length;
        if (!node.hidden) sliders.forEach((one, j) => one.update(settings[i][names[j]]));
      });
      depth.update(settings.length);
      output.node.hidden = !!n.stop;
      if (!n.stop) output.update(n.at, [0, n.sizes.at(-1) - 1]);

      const { levels, unit, full } = laidOut(n, width), last = levels.length - 1, end = levels[last];
      const spoken = n.sizes.map((size, i) => (i ? `after layer ${i} ${size} cells` : `Input ${size} cells`));
      sized(picture, full, top(last) + TALL + 2, spoken.join(", "));
      places = n.stop ? [] : upto(end.size, end.x);
      const key = JSON.stringify([n.size, settings, full]);
      if (key !== drawn) {
        const [shapes, words] = background(levels);
        refill(ground, shapes);
        refill(texts, words);
        drawn = key;
      }
      // What one output depends on.
      put(wire, { d: n.seen.map((list, i) => (i ? list.map((o) => wires(levels, i, o)).join("") : "")).join("") });
      put(marked, { d: n.seen.slice(0, -1).map((list, i) => list.map((c) => cell(levels, i, c)).join("")).join("") });
      const frame = (i, x, wide, kind) => s("rect", { x, y: top(i) - 1, width: wide, height: TALL + 2, rx: 4, class: `cw-frame ${kind}` });
      refill(over, n.stop ? [] : [
        frame(0, levels[0].x(n.first) - unit / 2, n.field * unit, "kernel"), frame(last, end.x(n.at) - end.wide / 2 - 1, end.wide + 2, "output"),
        n.at % end.step ? index(end, last, n.at, "cw-halo") : null,
      ]);
      const layer = ({ m, leftover }, i) => ui.line(!m ? "windowless" : leftover ? "leftover" : "layer", n, i);
      const reach = n.layers.map((_, i) => ` + {layers.${i}.reach:kernel}·{layers.${i}.jump}`).join("");
      return [n.layers.map(layer), n.stop ? null : line("field", n, `1${reach}${ui.spec.field}`)];
    },
  };
}

export default explorer({ numbers, sentence, build });
