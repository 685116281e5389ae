// StrideExplorer: sizes through a stack of layers on one axis, and what one output depends on.
import { sizes } from "./lib/arith.js";
import { h, line, put, refill, s } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, codes, count, listed, upto } from "./lib/format.js";
import { button, slider } from "./lib/input.js";
import { box, pick } from "./lib/net.js";

const limits = { kernel_size: [1, 7], stride: [1, 4], padding: [0, 4], dilation: [1, 4] };
const names = Object.keys(limits), short = { kernel_size: "Kernel", stride: "Stride", padding: "Padding", dilation: "Dilation" };
const whole = (v, [low, high]) => Number.isInteger(v) && v >= low && v <= high;
const isLayer = (x) => x !== null && typeof x === "object" && Object.keys(x).length === 4 && names.every((key) => Object.hasOwn(x, key) && whole(x[key], limits[key]));
const keys = { size: [1, 32], layers: (v) => Array.isArray(v) && v.length >= 1 && v.length <= 4 && v.every(isLayer), cell: [0, 63] };

function numbers({ size, layers: settings, cell }) {
  const layers = [];
  let n = size, jump = 1, start = 0, middle = 0, field = 1;
  for (const { kernel_size: k, stride, padding: p, dilation: d } of settings) {
    const z = sizes(n, k, stride, p, d), m = z.output, room = z.padded - z.span;
    const read = new Set(upto(m, (o) => upto(k, (t) => o * stride - p + t * d)).flat());
    const unread = m ? upto(z.padded, (i) => i - p).filter((i) => !read.has(i)) : [];
    layers.push({ n, k, s: stride, p, d, m, room, span: z.span, padded: z.padded, leftover: m ? z.leftover : null, jump, reach: d * (k - 1), unread, middle });
    if (!m) break;
    field += d * (k - 1) * jump; // a layer's taps reach over cells that are `jump` apart
    start -= p * jump;
    middle += jump * ((z.span - 1) / 2 - p);
    jump *= stride;
    n = m;
  }
  const stop = layers.at(-1).m ? null : layers.length, all = [size, ...layers.filter((l) => l.m).map((l) => l.m)];
  const at = Math.min(cell, n - 1);
  // Backwards from one output: in how many ways, one tap a layer, each cell leads to it.
  let ways = stop ? [] : upto(n, (i) => +(i === at));
  const seen = stop ? [] : [[at]];
  for (const l of stop ? [] : [...layers].reverse()) {
    const below = upto(l.n, () => 0);
    ways.forEach((w, o) => w && upto(l.k, (t) => o * l.s - l.p + t * l.d).forEach((i) => { if (i >= 0 && i < l.n) below[i] += w; }));
    ways = below;
    seen.unshift(upto(l.n).filter((i) => below[i]));
  }
  const first = start + at * jump, outside = upto(field, (i) => first + i).filter((i) => i < 0 || i >= size).length;
  return { size, sizes: all, layers, stop, at, jump, field, first, outside, seen, ways, reads: stop ? null : seen[0].length, most: Math.max(0, ...ways), middle };
}

const cells = (list) => {
  const step = list[1] - list[0];
  return step > 1 && list.length > 2 && list.every((v, i) => v === list[0] + i * step) ? `cells ${list[0]} to ${list.at(-1)} in steps of ${step}` : listed("cell", list);
};

function sentence(_, n) {
  if (n.stop) {
    const l = n.layers.at(-1);
    return `Layer ${n.stop} has no output: its kernel spans ${l.d}·(${l.k} − 1) + 1 = ${l.span} cells, its padded input has ${l.n} + 2·${l.p} = ${l.padded}.`;
  }
  const own = n.seen[0], spread = own.length ? own.at(-1) - own[0] + 1 : 0;
  const what = own.length ? `${n.layers.length > 1 ? "depends on" : "reads"} input ${cells(own)}` : n.layers.length > 1 ? "depends on no input cell: its taps meet padding only" : "reads padding only";
  const gaps = spread > own.length ? ` and skips ${spread - own.length} between them` : "";
  const unread = n.layers[0].unread.filter((i) => i >= 0 && i < n.size);
  const field = `Its receptive field is ${count(n.field, "cell")} wide${n.outside ? `, ${n.outside === n.field ? "all" : n.outside} of ${n.field === 1 ? "it" : "them"} outside the input` : ""}.`;
  return `Output ${n.at} ${what}${gaps}. ${field}${unread.length ? ` Never read: input ${cells(unread)}.` : ""}`;
}

function code({ size, layers }, { at }) {
  const list = layers.map((l) => `    {${names.map((key) => `"${key}": ${l[key]}`).join(", ")}},\n`).join("");
  return codes(
    `from convlib.receptive import receptive_field\n\nlayers = [\n${list}]\nsizes = [${size}]\nfor layer in layers:\n    sizes.append(convlib.output_size(sizes[-1], **layer))\n` +
      "field, jump = receptive_field(layers)\nprint(sizes, field, jump)\n",
    `x = torch.zeros(1, 1, ${size}, requires_grad=True)\ny, shapes = x, [${size}]\nfor layer in layers:\n    rest = {key: layer[key] for key in ("stride", "padding", "dilation")}\n` +
      `    y = torch.conv1d(y, torch.ones(1, 1, layer["kernel_size"]), **rest)\n    shapes.append(y.shape[2])\n` +
      `y[0, 0, ${at}].backward()\nways = x.grad[0, 0]  # from each input cell to output ${at}\nprint(shapes, ways.tolist())\n`,
  );
}

function formulas(n) {
  const rows = n.layers.map((l, i) => {
    const at = (part, role = "") => `{layers.${i}.${part}:${role}}`, k = "kernel", o = "output", windows = ` = ⌊${at("room")} / ${at("s", o)}⌋ + 1 = ${at("m", o)}`;
    const result = l.m ? windows + (l.leftover ? `, ${at("leftover", "unused")} left over` : "") : ` has no windows: ${at("span", k)} > ${at("padded", "input")}`;
    return line(`layer ${i + 1}`, n, `⌊(${at("n", "input")} + 2·${at("p", "input")} − ${at("d", k)}·(${at("k", k)} − 1) − 1) / ${at("s", o)}⌋ + 1${result}`);
  });
  const reach = n.layers.map((_, i) => ` + {layers.${i}.reach:kernel}·{layers.${i}.jump}`).join("");
  return [rows, n.stop ? null : line("field", n, `1${reach} = {field:kernel} wide; the next output's begins {jump} further`),
    n.stop || n.layers.length < 2 ? null : line("ways", n, `to output ${n.at} from the cells it reads, one tap a layer: ${n.seen[0].map((c) => `{ways.${c}}`).join(", ") || "none"}`)];
}

function build(ui) {
  const change = (i, key) => (value) => ui.set({ layers: ui.state().layers.map((l, j) => (j === i ? { ...l, [key]: value } : l)) });
  const rows = upto(4, (i) => {
    const sliders = names.map((key) => slider(short[key], limits[key], change(i, key), { stride: "output", padding: "input" }[key] ?? "kernel"));
    return { sliders, node: h("fieldset", { class: "cw-layer" }, h("legend", {}, `Layer ${i + 1}`), sliders.map((x) => x.node)) };
  });
  const more = button("Add a layer", () => ui.set({ layers: [...ui.state().layers, { kernel_size: 3, stride: 1, padding: 1, dilation: 1 }] }));
  const less = button("Remove the last", () => ui.set({ layers: ui.state().layers.slice(0, -1) }));
  const output = slider("Output cell", keys.cell, (cell) => ui.set({ cell }), "output");
  const picture = s("svg", { class: "cw-net", role: "img" }), lines = h("div", { class: "cw-lines" }), ground = s("g"), over = s("g");
  const marks = { "cw-wire": s("path", { class: "cw-wire" }), "cw-f-kernel": s("path", { class: "cw-f-kernel" }) }, indices = s("g");
  const legend = h("p", { class: "cw-caption" }, "Dots: places where a window fits, skipped by the stride; rings: left over, the next step would leave the input.");
  picture.append(ground, ...Object.values(marks), indices, over);
  let places = [], drawn = "";
  pick(ui, picture, "cell", () => places);

  return {
    nodes: [h("div", { class: "cw-layers" }, rows.map((row) => row.node), h("div", { class: "cw-tools" }, more, less)), picture, legend, h("div", { class: "cw-layers cw-single" }, output.node), lines],
    draw({ layers: settings }, n, width) {
      rows.forEach(({ node, sliders }, i) => {
        node.hidden = i >= settings.length;
        if (!node.hidden) sliders.forEach((x, j) => x.update(settings[i][names[j]]));
      });
      more.disabled = settings.length === 4;
      less.disabled = settings.length === 1;
      output.node.hidden = !!n.stop;
      if (!n.stop) output.update(n.at, [0, n.sizes.at(-1) - 1]);

      // Each cell stands over the middle of what it reads, in units of input cells.
      const levels = n.sizes.map((size, i) => ({ p: 0, jump: n.jump, middle: n.middle, ...n.layers[i], size, next: n.layers[i], own: n.layers[i - 1] }));
      const ends = levels.flatMap((v) => [v.middle - v.jump * (v.p + 0.5), v.middle + v.jump * (v.size + v.p - 0.5)]).concat(n.stop ? [] : [n.first - 0.5, n.first + n.field - 0.5]);
      const low = Math.min(...ends) - 0.1, wide = Math.max(...ends) + 0.1 - low, unit = clamp((width - 2) / wide, 0, 34), full = wide * unit + 2;
      const tall = 26, gap = 58, top = (i) => 22 + i * (tall + gap), height = top(levels.length - 1) + tall + 2, end = levels.at(-1), bottom = levels.length - 1;
      for (const v of levels) {
        v.x = (i) => 1 + (v.middle - low + i * v.jump) * unit;
        v.cell = Math.min((v.own ?? v).jump * unit, 34);
        v.step = [1, 2, 5, 10, 20].find((step) => step * v.jump * unit >= (step > 1 ? 24 : 17)) ?? 50;
      }
      put(picture, { viewBox: `0 0 ${full} ${height}`, width: full, height, "aria-label": n.sizes.map((size, i) => (i ? `after layer ${i} ${size} cells` : `Input ${size} cells`)).join(", ") });
      places = n.stop ? [] : upto(n.sizes.at(-1), end.x);
      const cell = (v, c, y) => box(v.x(c), y, v.cell, tall), index = (v, i, c, kind) => s("text", { x: v.x(c), y: top(i) + tall / 2, "font-size": clamp(v.cell * 0.5, 8.5, 13), class: kind }, String(c));
      const wires = (i, o, { own } = levels[i]) => upto(own.k, (t) => `M${levels[i - 1].x(o * own.s - own.p + t * own.d)} ${top(i) - gap}L${levels[i].x(o)} ${top(i)}`).join("");

      const key = JSON.stringify([n.size, settings, width]);
      if (key !== drawn) { // what does not depend on the output that is pointed at
        drawn = key;
        const paths = { "cw-thin": [] }, dots = [], texts = [], draw = (kind, d) => { (paths[kind] ??= []).push(d); };
        levels.forEach((v, i) => {
          const { own } = v, y = top(i), unread = new Set(v.next?.unread);
          for (let c = -v.p; c < v.size + v.p; c++) {
            const inside = c >= 0 && c < v.size;
            draw(`${unread.has(c) ? "cw-f-unused" : !inside ? "cw-f-surface" : i ? "cw-f-output" : "cw-f-input"}${inside ? "" : " cw-pad"}`, cell(v, c, y));
            if (inside && c % v.step === 0) texts.push(index(v, i, c, unread.has(c) ? "cw-t-unused" : ""));
          }
          // Beside its row, behind the last slot; above it where there is no room.
          const slots = Math.max(v.size + v.p, own ? Math.floor(own.room / own.s) + 2 : 0), end = v.x(slots) - v.cell / 2 + 8, beside = i && end + 110 < width;
          texts.push(s("text", { x: beside ? end : 0, y: beside ? y + tall / 2 + 4 : y - 11, class: "cw-start cw-halo cw-t-muted", "font-size": 12 }, `${i ? `Layer ${i}` : "Input"}: ${count(v.size, "cell")}`));
          if (!own) return;
          draw("cw-thin", upto(v.size, (o) => wires(i, o)).join(""));
          // Every place where a window fits is a slot of this row; each s-th is taken, the rest are dots.
          for (let t = 0; t <= own.room; t++) if (t % own.s) dots.push(s("circle", { cx: v.x(t / own.s), cy: y + tall / 2, r: Math.min(3, unit / 4), class: t > (own.m - 1) * own.s ? "cw-hole" : "cw-dot" }));
        });
        // Unread cells are hatched over their fill.
        const hatch = levels.flatMap((v, i) => (v.next?.unread ?? []).map((c) => `M${v.x(c) - v.cell / 2 + 2} ${top(i) + tall - 2}L${v.x(c) + v.cell / 2 - 2} ${top(i) + 2}`));
        refill(ground, Object.entries({ ...paths, "cw-marks": hatch }).map(([kind, d]) => s("path", { d: d.join(""), class: kind })), dots);
        refill(indices, texts);
        legend.hidden = n.layers.every((l) => l.s < 2 || l.room < 1);
      }

      // What one output depends on.
      put(marks["cw-wire"], { d: n.seen.map((list, i) => (i ? list.map((o) => wires(i, o)).join("") : "")).join("") });
      put(marks["cw-f-kernel"], { d: n.seen.slice(0, -1).map((list, i) => list.map((c) => cell(levels[i], c, top(i))).join("")).join("") });
      refill(over, n.stop ? [] : [
        s("rect", { x: levels[0].x(n.first) - unit / 2, y: top(0) - 2, width: n.field * unit, height: tall + 4, rx: 4, class: "cw-frame kernel" }),
        s("rect", { x: end.x(n.at) - end.cell / 2 - 1, y: top(bottom) - 1, width: end.cell + 2, height: tall + 2, rx: 4, class: "cw-frame output" }),
        n.at % end.step ? index(end, bottom, n.at, "cw-halo") : null,
      ]);
      refill(lines, formulas(n));
    },
  };
}

export default explorer({
  name: "stride", title: "Sizes and receptive fields, layer by layer", keys, numbers, sentence, code, build, controls: ["size"],
  play: (_, n) => (n.stop ? null : { cell: (n.at + 1) % n.sizes.at(-1) }),
});
