// Which windows and cells meet: the taps, the lines that name them, and windows that write instead of read.
import { formula, h, line } from "./draw.js";
import { clamp, fmt, upto } from "./format.js";

/** Each value times the kernel is added to its window: { sums, uses }, and both after `stop` values. */
export function scatter(values, weight, s, d, side, stop) {
  const empty = () => upto(side, () => upto(side, () => 0)), copy = (rows) => rows.map((row) => row.slice());
  const sums = empty(), uses = empty();
  let done = null, touched = uses, count = 0;
  values.forEach((line, y) => line.forEach((value, x) => {
    weight.forEach((ws, a) => ws.forEach((w, b) => {
      sums[y * s + a * d][x * s + b * d] += value * w;
      uses[y * s + a * d][x * s + b * d]++;
    }));
    if (++count === stop) [done, touched] = [copy(sums), copy(uses)];
  }));
  return { sums, uses, done, touched };
}

/** One axis: which (window, tap) pairs of m windows meet at place i. */
export const meeting = (i, m, k, s, d) => upto(m).flatMap((w) => upto(k).filter((t) => w * s + t * d === i).map((t) => [w, t]));

/** The place in a window that starts at `start`, if i is one of its taps, else -1. */
export const tap = (i, start, k, d) => ((i - start) % d === 0 && i >= start && i - start <= d * (k - 1) ? (i - start) / d : -1);

/** Both axes together, as { h, w, k, l }. */
export const crossed = (rows, columns) => rows.flatMap(([h, a]) => columns.map(([w, b]) => ({ h, w, k: a, l: b })));

/** The tap whose window is (h, w), and whether a weight (k, l) is among the taps. */
export function hits(taps) {
  const windows = new Map(taps.map((t) => [`${t.h},${t.w}`, t])), weights = new Set(taps.map((t) => `${t.k},${t.l}`));
  return { window: (h, w) => windows.get(`${h},${w}`), weight: (k, l) => weights.has(`${k},${l}`) };
}

/** The next cell of a square, row by row. */
export function walk({ row, column }, side) {
  const r = clamp(row, 0, side - 1), c = Math.max(0, column + 1);
  return c < side ? { row: r, column: c } : { row: (r + 1) % side, column: 0 };
}

/** A table of `rows` by `columns` formulas. */
export const table = (n, rows, columns, word) => upto(rows, (a) => h("div", { class: "cw-row" }, upto(columns, (b) => h("span", { class: "cw-term" }, formula(n, word(a, b))))));

/** "h·2 + k·1 = 3 + 1: (h, k) = (2, 0), (1, 2)": who meets at a place, along both axes. */
export const meets = (n, role) => line("taps", n, [["rows", "h", "k", n.row], ["columns", "w", "l", n.column]].map(([name, w, t, i]) => h("span", { class: "cw-term" },
  formula(n, `${w}·${n.s} + ${t}${n.d > 1 ? `·${n.d}` : ""} = ${fmt(i)}${n.p ? ` + ${n.p}` : ""}: ${n[name].length ? `(${w}, ${t}) = ` : "nothing"}` +
    n[name].map((_, j) => `({${name}.${j}.0:${role}}, {${name}.${j}.1:kernel})`).join(", ")))));

/** The sum of the products at path(a, b), as a table. */
export const products = (n, rows, columns, path, role, total) => line("sum", n, [
  table(n, rows, columns, (a, b) => `${a + b ? "+ " : ""}{${path(a, b)}.0:${role}}·{(${path(a, b)}.1):kernel}`), table(n, 1, 1, () => `= {sum:${total}}`),
], "table");
