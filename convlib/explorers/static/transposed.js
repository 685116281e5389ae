// TransposedExplorer: each input cell stamps the kernel on the output, and the stamps overlap.
import { toyCode, toyInput, toyKernel } from "./lib/arith.js";
import { fitted, grid, h, line, refill } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { added, call, clamp, codes, count, fmt, tensors, tuple, upto } from "./lib/format.js";
import { crossed, hits, meeting, meets, products, scatter, tap, walk } from "./lib/scatter.js";

const keys = { size: [1, 5], kernel_size: [1, 5], stride: [1, 4], padding: [0, 3], output_padding: [0, 3], view: ["counts", "values"], at: ["input", "output"], row: [-3, 23], column: [-3, 23] };

// The whole line of stamps is kept: `padding` cuts it at both ends, `output_padding` cuts less at the end.
function numbers({ size: n, kernel_size: k, stride: s, padding: p, output_padding: extra, at, row, column }) {
  const full = (n - 1) * s + k, m = full - 2 * p + extra, refused = extra >= s ? "extra" : m < 1 ? "size" : "", side = refused === "extra" ? 0 : Math.max(full, p + m);
  const input = toyInput(n), weight = toyKernel(k), { sums, uses } = scatter(input, weight, s, 1, Math.max(side, full));
  const from = at === "input", [r, c] = [row, column].map((i) => (from ? clamp(i, 0, n - 1) : clamp(i, -p, Math.max(side - p - 1, -p))));
  const rows = from ? [] : meeting(r + p, n, k, s, 1), columns = from ? [] : meeting(c + p, n, k, s, 1);
  const taps = crossed(rows, columns);
  const inside = (i) => i >= 0 && i < m, line = upto(refused ? 0 : m, (i) => meeting(i + p, n, k, s, 1).length);
  const kept = upto(k, (t) => [r, c].map((i) => inside(i * s + t - p))), [high, wide] = [0, 1].map((axis) => kept.filter((one) => one[axis]).length);
  return {
    n, k, s, p, d: 1, extra, full, m, less: Math.floor(k / s), back: refused ? null : Math.floor((m + 2 * p - k) / s) + 1, refused, side, input, weight, output: sums, counts: uses, line, row: r, column: c,
    rows, columns, taps, stamps: taps.length, terms: taps.map((t) => [input[t.h][t.w], weight[t.k][t.l]]), sum: !from && side ? sums[r + p][c + p] : null,
    lost: from ? k * k - high * wide : inside(r) && inside(c) ? 0 : 1, value: from ? input[r][c] : null,
  };
}

function sentence({ at }, n) {
  if (n.refused === "extra") return `No output: output_padding ${n.extra} must be below the stride ${n.s}.`;
  if (n.refused) return `No output: (${n.n} − 1)·${n.s} − 2·${n.p} + (${n.k} − 1) + ${n.extra} + 1 = ${fmt(n.m)} is below 1.`;
  const place = tuple([n.row, n.column]);
  const here = at === "input" ? `Input cell ${place} stamps ${fmt(n.value)} times the kernel on ${count(n.k * n.k, "cell")}${n.lost ? `, ${n.lost} of them cut off by the padding` : ""}.`
    : n.lost ? `Cell ${place} is cut off by the padding.`
      : `Output ${place} is written by ${count(n.stamps, "stamp")}${n.stamps ? `, which add${n.stamps > 1 ? "" : "s"} up to ${fmt(n.sum)}` : ""}.`;
  const rule = n.k < n.s ? `Kernel ${n.k} is smaller than stride ${n.s}: between the stamps nothing is written.`
    : n.k % n.s ? `Stride ${n.s} does not divide kernel ${n.k}: away from the border the counts along an axis repeat ${upto(n.s, (i) => Math.ceil((n.k - i) / n.s)).join(", ")}, and two axes make a checkerboard.`
      : `Stride ${n.s} divides kernel ${n.k}: away from the border every cell is written ${n.less}·${n.less} times, and there is no pattern.`;
  return `${here} ${rule}${n.extra ? ` At the end ${count(n.extra, "row")} more ${n.extra > 1 ? "are" : "is"} kept${n.extra > n.p ? `; no stamp reaches ${n.extra - n.p} of them` : ""}.` : ""}`;
}

const code = ({ size, kernel_size, stride, padding, output_padding }) => {
  const transposed = (where, words) => call(`${where}.conv_transpose2d`, words, { stride, padding, output_padding });
  return codes(
    `${toyCode("input", size)}${toyCode("weight", kernel_size)}output = ${transposed("convlib", "input, weight")}` +
      `# how many stamps write each cell\ncounts = ${transposed("convlib", "np.ones_like(input), np.ones_like(weight)")}`,
    `twin = ${transposed("torch.nn.functional", tensors)}`,
  );
};

function build(ui) {
  let now;
  const input = grid(ui, (row, column) => ui.set({ at: "input", row, column })), kernel = grid(ui), lines = h("div", { class: "cw-lines" });
  const output = grid(ui, (row, column) => ui.set({ at: "output", row: row - now.p, column: column - now.p }));

  return {
    nodes: [h("div", { class: "cw-stage" }, input.node, kernel.node, output.node), lines],
    draw({ view, at }, n, width) {
      now = n;
      const { p, k, s, m, row: r, column: c } = n, from = at === "input", counts = view === "counts", path = counts ? "counts" : "output";
      const [cells, indices] = fitted(width, [[n.n, 84], [k, 84], [n.side, counts ? 250 : 100]]), hit = hits(n.taps), most = Math.max(...n.counts.flat());
      input.update({
        values: n.input, path: "input", cell: cells[0], indices, at: from ? [r, c] : [0, 0], name: "Input", of: "input ",
        look(y, x) {
          const t = hit.window(y, x), on = t || (from && y === r && x === c);
          return { sub: t ? `×${fmt(n.weight[t.k][t.l])}` : null, kind: on ? "input on" : from ? "input" : "", more: t ? ", stamps the cell" : "" };
        },
      });
      if (from) input.frame(r, c, 1, 1, "input");
      kernel.update({ values: n.weight, path: "weight", cell: cells[1], indices, name: "Kernel", look: (a, b) => ({ kind: from || hit.weight(a, b) ? "kernel on" : "" }) });
      output.update({
        values: n[path], path, rows: n.side, cell: cells[2], indices, first: -p, at: from ? [0, 0] : [r + p, c + p],
        name: counts ? "Stamps on each cell of the output" : "Output", size: m,
        caption: n.refused ? "All of it is cut off" : `Output ${m} × ${m}${counts ? ": how many stamps write a cell" : ""}`,
        look(y, x) {
          const inside = y >= p && y < p + m && x >= p && x < p + m, uses = n.counts[y][x];
          const a = from ? tap(y, r * s, k, 1) : -1, b = from ? tap(x, c * s, k, 1) : -1, on = a >= 0 && b >= 0;
          const heat = counts ? `heat heat${Math.round((8 * uses) / most)}` : "output";
          return {
            sub: on && !counts ? added(n.value * n.weight[a][b]) : null, more: inside ? "" : ", cut off",
            kind: `${inside && !uses ? "unused" : !counts && on ? "kernel" : inside ? heat : "padding"}${inside ? "" : " pad"}${on || (!from && y === r + p && x === c + p) ? " on" : ""}`,
          };
        },
      });
      if (n.side && m > 0) output.frame(p, p, m, m, "block");
      if (n.side) from ? output.frame(r * s, c * s, k, k, "kernel") : output.frame(r + p, c + p, 1, 1, "output");

      refill(lines, line("size", n, "({n:input} − 1)·{s} − 2·{p} + ({k:kernel} − 1) + {extra} + 1 = {m:output}"), n.refused ? [] : [
        line("back", n, "⌊({m:output} + 2·{p} − {k:kernel}) / {s}⌋ + 1 = {back:input}"),
        line("stamps", n, `along one axis ${n.line.map((_, i) => `{line.${i}:output}`).join(" ")}`),
        from || n.lost ? [] : [meets(n, "input"), products(n, n.rows.length, n.columns.length, (a, b) => `terms.${a * n.columns.length + b}`, "input", "output")],
      ]);
    },
  };
}

export default explorer({
  name: "transposed", title: "Each input cell stamps a window", keys, numbers, sentence, code, build,
  controls: ["size", "kernel_size", "stride", "padding", { key: "output_padding", label: "Output pad", role: "output" }, { key: "view", label: "Show", names: ["how many stamps", "their sums"] }],
  play: ({ at }, n) => (n.refused ? null : walk(n, at === "input" ? n.n : n.m)),
});
