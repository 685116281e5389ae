// What chapters 7 and 8 share: windows that write instead of read, and the lines that say so.
import { h, num } from "./draw.js";
import { factor, fmt, upto } from "./format.js";

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

/** A line under the figure: a label, and what it names. */
export const line = (label, words, kind = "math") => h("div", { class: "cw-terms" }, h("span", { class: "cw-label" }, label), h("span", { class: `cw-${kind}` }, words));

/** A table of `rows` by `columns` words. */
export const table = (rows, columns, word) => upto(rows, (a) => h("div", { class: "cw-row" }, upto(columns, (b) => h("span", { class: "cw-term" }, word(a, b)))));

/** "h·2 + k·1 = 3 + 1 for (h, k) = (2, 0), (1, 2)": who meets at a place, along both axes. */
export const meets = (n, roles) => line("taps", [["rows", "h", "k", n.row], ["columns", "w", "l", n.column]].map(([name, w, t, i]) => h("span", { class: "cw-term" },
  `${w}·${n.s} + ${t}${n.d > 1 ? `·${n.d}` : ""} = ${fmt(i)}${n.p ? ` + ${n.p}` : ""}: `, n[name].length ? [`(${w}, ${t}) = `, n[name].map(([a, b], j) => [j ? ", (" : "(", num(`${name}.${j}.0`, fmt(a), roles), ", ", num(`${name}.${j}.1`, fmt(b), "kernel"), ")"])] : "nothing")));

/** The sum of the products that meet there, as a table. */
export const products = (n, role, total) => line("sum", [
  ...table(n.rows.length, n.columns.length, (a, b, i = a * n.columns.length + b) => [h("span", { class: "cw-op" }, i ? "+" : ""), num(`terms.${i}.0`, fmt(n.terms[i][0]), role), "·", num(`terms.${i}.1`, factor(n.terms[i][1]), "kernel")]),
  h("div", { class: "cw-row" }, h("span", { class: "cw-term" }, h("span", { class: "cw-op" }, "="), num("sum", fmt(n.sum), total))),
], "table");
