// Each input cell stamps the kernel on the output, and the stamps overlap.
import { toyInput, toyKernel } from "./lib/arith.js";
import { explorer } from "./lib/explorer.js";
import { added, clamp, upto } from "./lib/format.js";
import { stage } from "./lib/grid.js";
import { crossed, gathered, meeting, met, products, scatter, spreadOut, walk, windows } from "./lib/windows.js";

// The whole line of stamps is kept: `padding` cuts it at both ends, `output_padding` cuts less at the end.
function numbers({ size: n, kernel_size: k, stride: s, padding: p, output_padding: extra, view, at, row, column }) {
  const full = (n - 1) * s + k, m = full - 2 * p + extra, refused = extra >= s ? "extra" : m < 1 ? "size" : "";
  const side = refused === "extra" ? 0 : Math.max(full, p + m), input = toyInput(n), weight = toyKernel(k);
  const from = at === "input" && view !== "convolution";
  const { sums, uses } = scatter(input, weight, s, 1, Math.max(side, full));
  const [r, c] = [row, column].map((i) => (from ? clamp(i, 0, n - 1) : clamp(i, -p, Math.max(side - p - 1, -p))));
  const [rows, columns] = [r, c].map((i) => (from ? [] : meeting(i + p, n, k, s, 1))), taps = crossed(rows, columns);
  const inside = (i) => i >= 0 && i < m, [high, wide] = [r, c].map((i) => upto(k).filter((t) => inside(i * s + t - p)).length);
  const stamps = (i) => meeting(i, n, k, s, 1).length, line = upto(refused ? 0 : m, (i) => stamps(i + p));
  return {
    n, k, s, p, d: 1, span: k, extra, full, m, refused, side, input, weight, from, row: r, column: c,
    output: side ? sums : [], counts: side ? uses : [], uses, place: [r, c],
    line, cycle: upto(s, (i) => Math.ceil((k - i) / s)), less: Math.floor(k / s),
    back: refused ? null : Math.floor((m + 2 * p - k) / s) + 1, rows, columns, met: met([rows, columns]), taps, stamps: taps.length,
    // As a convolution: padding takes p zeros away from the border of k − 1; and the taps of the turned kernel that meet numbers.
    ...spreadOut(input, weight, s, k - 1, side), kept: `${p}:${p + m}`, around: k - 1 - p, over: p - k + 1,
    down: rows.map(([, t]) => k - 1 - t), across: columns.map(([, t]) => k - 1 - t),
    terms: taps.map((t) => [input[t.h][t.w], weight[t.k][t.l]]), sum: !from && side ? sums[r + p][c + p] : null,
    value: from ? input[r][c] : null, stamped: k * k, lost: from ? k * k - high * wide : inside(r) && inside(c) ? 0 : 1, beyond: line.slice(Math.max(0, m - extra)).filter((count) => !count).length,
  };
}

const walks = ({ view }, n) => view === "convolution" && !n.refused;

function sentence(state, n) {
  if (n.refused) return [`no_${n.refused}`];
  const more = n.extra && (n.beyond > 0 ? "more_blank" : "more"), rule = n.k < n.s ? "apart" : n.k % n.s ? "uneven" : "even";
  if (walks(state, n)) {
    const meets = !n.stamps ? "meets_none" : n.stamps < n.stamped ? "meets" : "meets_all";
    return [n.lost ? "cut" : meets, n.over > 0 ? "spread_less" : "spread", more];
  }
  const here = n.from ? (n.lost ? "stamps_less" : "stamps") : n.lost ? "cut" : ["blank", "once"][n.stamps] ?? "written";
  return [here, rule, more];
}

const code = (state, n) => [walks(state, n) ? "convolution" : "convlib", "PyTorch"];

function build(ui) {
  const point = (at) => (row, column) => ui.set({ at: ui.state().view === "convolution" ? "output" : at, row, column });
  const grids = stage(ui, [point("input"), null, point("output")]);

  function stamped({ view }, n) {
    const { from, refused, uses } = n, counts = view === "counts", most = Math.max(...n.counts.flat());
    return windows(ui, ["input", "kernel", refused ? "cut" : view], n, {
      from, m: n.n, inner: n.m, plain: () => from, above: counts,
      kind: (r, c) => (counts ? `heat heat${Math.round((8 * uses[r][c]) / most)}` : "output"),
      sub: (a, b) => (counts ? null : added(n.value * n.weight[a][b])),
    });
  }

  return {
    nodes: grids.node,
    draw(state, n, width) {
      const { m, p, k } = n, walking = walks(state, n);
      const [input, kernel, output] = walking ? gathered(ui, n, { kept: m, cut: true, p, inner: m + k - 1 }) : stamped(state, n);
      grids.draw(width, [input, kernel, { ...output, size: m }]);
      const sum = n.from || n.lost ? [] : [walking ? [] : ui.line("taps", n), products(n, n.rows.length, n.columns.length, "input", "output")];
      const more = walking ? [] : [ui.line("back", n), ui.line("stamps", n)];
      return [ui.line(walking ? "walk" : "size", n), n.refused ? [] : [more, sum]];
    },
  };
}

export default explorer({ numbers, sentence, code, build, play: (_, n) => (n.refused ? null : walk(n, n.from ? n.n : n.m)) });
