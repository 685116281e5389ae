// Index → offset → bytes, and all elements that lie on the same bytes.
import { sizes } from "./lib/arith.js";
import { h, line, slider } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, fmt, listed, product, tuple, upto } from "./lib/format.js";
import { grid } from "./lib/grid.js";

function numbers({ shape: wide, strides: steps, buffer, itemsize: size, offset, index: wanted }) {
  const axes = Math.min(wide.length, steps.length), shape = wide.slice(0, axes), strides = steps.slice(0, axes);
  const index = shape.map((n, a) => clamp(wanted[a] ?? 0, 0, n - 1));
  let offsets = [offset], indices = [[]];
  shape.forEach((n, a) => {
    offsets = offsets.flatMap((o) => upto(n, (i) => o + i * strides[a]));
    indices = indices.flatMap((at) => upto(n, (i) => [...at, i]));
  });
  // The buffer holds 0, 10, 20, … (0, 1, 2, … in single bytes), the smaller half of a number first.
  const bytes = new DataView(new ArrayBuffer(buffer)), type = size < 8 ? `Int${8 * size}` : "BigInt64", step = size > 1 ? 10 : 1;
  const owned = upto(Math.floor(buffer / size), (i) => i * step), items = owned.length;
  owned.forEach((v, i) => bytes[`set${type}`](i * size, size < 8 ? v : BigInt(v), true));
  const read = (o) => (size < 8 ? bytes[`get${type}`](o, true) : String(bytes.getBigInt64(o, true)));
  const values = offsets.map((o) => (o >= 0 && o + size <= buffer ? read(o) : null));
  const flat = index.reduce((f, i, a) => f * shape[a] + i, 0), at = offsets[flat], reads = upto(buffer, () => 0);
  offsets.forEach((o, i) => values[i] !== null && upto(size).forEach((b) => reads[o + b]++));
  const elements = upto(offsets.length), outside = elements.filter((i) => values[i] === null);
  const shared = elements.filter((i) => Math.abs(offsets[i] - at) < size);
  const others = shared.filter((i) => i !== flat), more = others.length > 4 ? ` and ${others.length - 4} more` : "";
  const units = strides.map((v) => v / size), last = at + size - 1;
  return {
    shape, strides, buffer, size, start: offset, index, indices, offsets, owned, items, step, memory: [...new Uint8Array(bytes.buffer)],
    values, flat, at, value: values[flat], reads, outside, shared, elements: offsets.length, used: reads.filter(Boolean).length,
    unread: upto(buffer).filter((b) => !reads[b]), low: Math.min(...offsets), end: Math.max(...offsets) + size,
    bytes: size > 2 ? `bytes ${fmt(at)} to ${fmt(last)}` : listed(size > 1 ? [at, last] : [at], "byte"), final: buffer - 1,
    others: others.length, sharing: shared.length, named: others.slice(0, 4).map((i) => tuple(indices[i])).join(", ") + more,
    alike: others.every((i) => offsets[i] === at), bad: outside.length, wrong: indices[outside[0]],
    // Counted in elements, as PyTorch counts; and the settings of convlib.windows that make this view, if any do.
    units, first: offset / size, rest: buffer - items * size, twin: [offset / size, ...units].every((v) => Number.isInteger(v) && v >= 0),
    kernel: shape[1], stride: units[0], dilation: units[1],
    windows: axes === 2 && !offset && product(units) > 0 && shape[0] === sizes(items, shape[1], units[0], 0, units[1]).output,
  };
}

function sentence(_, n) {
  const read = n.value === null ? [n.at < 0 ? "before" : "behind"] : ["read", !n.others ? "alone" : n.alike ? "shared" : "overlap"];
  return [...read, n.bad ? "outside" : "all", n.unread.length && "never"];
}

const code = (_, n) => [
  n.twin && n.windows ? "windows" : n.bad ? "refused" : "ndarray",
  !n.twin ? "no_twin" : n.bad ? "refused_twin" : "PyTorch",
];

function build(ui) {
  let last, place, per, first;
  const custom = (patch) => ui.set({ ...patch, preset: "custom" }), point = (i) => ui.set({ index: last.indices[i] });
  const axis = (key, a, label, role, { from, to }) =>
    slider(`Axis ${a}: ${label}`, role, (v) => custom({ [key]: last[key].map((old, i) => (i === a ? v : old)) }), [from, to]);
  const { shape, strides } = ui.spec.settings;
  const axes = upto(4, (a) => [axis("shape", a, "size", "output", shape.of), axis("strides", a, "stride", "kernel", strides.of)]);
  const pairs = axes.map((two) => h("div", {}, two.map((one) => one.node)));

  const memory = grid(ui, (r, c) => {
    const byte = first + r * per + c, i = last.offsets.findIndex((o) => o <= byte && byte < o + last.size);
    if (i >= 0 && i !== last.flat) point(i);
  });
  const view = grid(ui, (r, c) => point(place[r][c]));
  view.node.classList.add("cw-bytes");
  memory.node.classList.add("cw-bytes");

  /** The buffer, byte by byte, and the places beside it that the view would reach. */
  function drawMemory(n, width) {
    per = [24, 16].find((columns) => width >= 29 * columns) ?? 8;
    first = per * clamp(Math.floor(Math.min(0, n.low) / per), -2, 0);
    const asked = new Set(n.outside.flatMap((i) => upto(n.size, (b) => n.offsets[i] + b))), role = n.value === null ? "outside" : "kernel";
    const cellOf = (b) => [Math.floor((b - first) / per), (b - first) % per], here = upto(n.size, (b) => cellOf(n.at + b));
    memory.update({
      ...ui.grid("memory", n), rows: Math.ceil((clamp(n.end, n.buffer + 1, n.buffer + 2 * per) - first) / per), columns: per,
      cell: Math.min(36, Math.floor((width - 2) / per)), at: here[0], frames: here.map((cell) => [...cell, 1, 1, role]),
      look(r, c) {
        const b = first + r * per + c, i = b / n.size, held = b >= 0 && i in n.owned, now = n.reads[b] && b >= n.at && b < n.at + n.size;
        return {
          text: held ? fmt(n.owned[i]) : "", n: held ? `owned.${i}` : null, sub: fmt(b), name: `byte ${fmt(b)}`,
          kind: b >= 0 && b < n.buffer ? (now ? "kernel on" : n.reads[b] ? "input" : "unused") : asked.has(b) ? "outside" : "pad",
        };
      },
    });
  }

  /** The element in row y and column x: two axes are rows and columns; four are blocks, side by side if there is room. */
  function drawView(n, width) {
    const { shape } = n, r = shape.length, [a, b, c, d] = shape, tail = shape[r - 1], tiled = r === 4 && b * d <= 12;
    const tile = (y, x) => ((Math.floor(y / c) * b + Math.floor(x / d)) * c + (y % c)) * d + (x % d);
    place = tiled ? upto(a * c, (y) => upto(b * d, (x) => tile(y, x))) : upto(n.elements / tail, (y) => upto(tail, (x) => y * tail + x));
    const rows = place.length, columns = place[0].length, row = place.findIndex((list) => list.includes(n.flat));
    const high = tiled ? c : r > 2 ? shape[r - 2] : rows, wide = tiled ? d : columns;
    const blocks = r > 2 ? upto(rows / high, (y) => upto(columns / wide, (x) => [y * high, x * wide, high, wide, "block"])).flat() : [];
    const at = [row, place[row].indexOf(n.flat)];
    view.update({
      ...ui.grid("view", n), rows, columns, cell: clamp(Math.floor((width - 18) / columns), 24, width < 420 ? 32 : 44), at, indices: r < 3,
      frames: [...blocks, [...at, 1, 1, n.value === null ? "outside" : "kernel"]],
      look(y, x) {
        const i = place[y][x], none = n.values[i] === null, on = n.shared.includes(i);
        const words = none ? "?" : fmt(n.values[i]), fits = words.length < 6;
        return {
          text: fits ? words : "…", n: none || !fits ? null : `values.${i}`, sub: fmt(n.offsets[i]),
          kind: `${none ? "outside" : on ? "kernel" : "output"}${on ? " on" : ""}`,
          name: `element ${tuple(n.indices[i])}: ${none ? "outside" : words}, byte ${fmt(n.offsets[i])}`,
        };
      },
    });
  }

  return {
    nodes: [h("div", { class: "cw-stage" }, memory.node, view.node), h("div", { class: "cw-groups" }, pairs)],
    draw(_, n, width) {
      const outside = n.value === null;
      last = n;
      axes.forEach(([size, step], a) => {
        pairs[a].hidden = a >= n.shape.length;
        if (a >= n.shape.length) return;
        size.update(n.shape[a], [1, Math.min(12, Math.floor((shape.product * n.shape[a]) / n.elements))]);
        step.update(n.strides[a]);
      });
      drawMemory(n, width);
      drawView(n, width);
      const steps = n.index.map((_, a) => ` + {index.${a}:output}·{(strides.${a}):kernel}`).join("");
      return [line("offset", n, `{start}${steps} = {at:${outside ? "outside" : "kernel"}}`), ui.line(outside ? "none" : "value", n)];
    },
  };
}

export default explorer({ numbers, sentence, code, build });
