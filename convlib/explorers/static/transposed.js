// Each input cell stamps the kernel on the output, and the stamps overlap.
import { toyInput, toyKernel } from "./lib/arith.js";
import { explorer } from "./lib/explorer.js";
import { added, clamp, upto } from "./lib/format.js";
import { stage } from "./lib/grid.js";
import { crossed, meeting, met, products, scatter, walk, windows } from "./lib/windows.js";

// The whole line of stamps is kept: `padding` cuts it at both ends, `output_padding` cuts less at the end.
function numbers({ size: n, kernel_size: k, stride: s, padding: p, output_padding: extra, at, row, column }) {
  const full = (n - 1) * s + k, m = full - 2 * p + extra, refused = extra >= s ? "extra" : m < 1 ? "size" : "";
  const side = refused === "extra" ? 0 : Math.max(full, p + m), from = at === "input", input = toyInput(n), weight = toyKernel(k);
  const { sums, uses } = scatter(input, weight, s, 1, Math.max(side, full));
  const [r, c] = [row, column].map((i) => (from ? clamp(i, 0, n - 1) : clamp(i, -p, Math.max(side - p - 1, -p))));
  const [rows, columns] = [r, c].map((i) => (from ? [] : meeting(i + p, n, k, s, 1))), taps = crossed(rows, columns);
  const inside = (i) => i >= 0 && i < m, [high, wide] = [r, c].map((i) => upto(k).filter((t) => inside(i * s + t - p)).length);
  const stamps = (i) => meeting(i, n, k, s, 1).length, line = upto(refused ? 0 : m, (i) => stamps(i + p));
  return {
    n, k, s, p, d: 1, span: k, extra, full, m, refused, side, input, weight, row: r, column: c,
    output: side ? sums : [], counts: side ? uses : [], uses, place: [r, c],
    line, cycle: upto(s, (i) => Math.ceil((k - i) / s)), less: Math.floor(k / s),
    back: refused ? null : Math.floor((m + 2 * p - k) / s) + 1, rows, columns, met: met([rows, columns]), taps, stamps: taps.length,
    terms: taps.map((t) => [input[t.h][t.w], weight[t.k][t.l]]), sum: !from && side ? sums[r + p][c + p] : null,
    value: from ? input[r][c] : null, stamped: k * k, lost: from ? k * k - high * wide : inside(r) && inside(c) ? 0 : 1, beyond: line.slice(Math.max(0, m - extra)).filter((count) => !count).length,
  };
}

function sentence({ at }, n) {
  if (n.refused) return [`no_${n.refused}`];
  const here = at === "input" ? (n.lost ? "stamps_less" : "stamps") : n.lost ? "cut" : ["blank", "once"][n.stamps] ?? "written";
  const rule = n.k < n.s ? "apart" : n.k % n.s ? "uneven" : "even";
  return [here, rule, n.extra && (n.beyond > 0 ? "more_blank" : "more")];
}

function build(ui) {
  const point = (at) => (row, column) => ui.set({ at, row, column }), grids = stage(ui, [point("input"), null, point("output")]);
  return {
    nodes: grids.node,
    draw({ view, at }, n, width) {
      const { m } = n, from = at === "input", counts = view === "counts", most = Math.max(...n.counts.flat());
      const [input, kernel, output] = windows(ui, ["input", "kernel", n.refused ? "cut" : view], n, {
        from, m: n.n, inner: m, plain: () => from, above: counts,
        kind: (r, c) => (counts ? `heat heat${Math.round((8 * n.uses[r][c]) / most)}` : "output"),
        sub: (a, b) => (counts ? null : added(n.value * n.weight[a][b])),
      });
      grids.draw(width, [input, kernel, { ...output, size: m }]);
      const sum = () => [ui.line("taps", n), products(n, n.rows.length, n.columns.length, "input", "output")];
      return [ui.line("size", n), n.refused ? [] : [ui.line("back", n), ui.line("stamps", n), from || n.lost ? [] : sum()]];
    },
  };
}

export default explorer({ numbers, sentence, build, play: ({ at }, n) => (n.refused ? null : walk(n, at === "input" ? n.n : n.m)) });
