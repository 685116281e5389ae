// Which windows and cells meet: the taps, the pictures that window, backward and transposed share, and their lines.
import { formula, h, line } from "./draw.js";
import { clamp, fmt, tuple, upto } from "./format.js";

/** Each value times the kernel is added to its window: { sums, uses }, and both after `stop` values. */
export function scatter(values, weight, s, d, side, stop) {
  const empty = () => upto(side, () => upto(side, () => 0)), sums = empty(), uses = empty();
  let done = null, touched = uses, count = 0;
  values.forEach((row, y) => row.forEach((value, x) => {
    weight.forEach((ws, a) => ws.forEach((w, b) => {
      sums[y * s + a * d][x * s + b * d] += value * w;
      uses[y * s + a * d][x * s + b * d]++;
    }));
    if (++count === stop) [done, touched] = structuredClone([sums, uses]);
  }));
  return { sums, uses, done, touched };
}

/** One axis: which (window, tap) pairs of m windows meet at place i. */
export const meeting = (i, m, k, s, d) => upto(m).flatMap((w) => upto(k).filter((t) => w * s + t * d === i).map((t) => [w, t]));

/** Both axes together, as { h, w, k, l }. */
export const crossed = (rows, columns) => rows.flatMap(([h, a]) => columns.map(([w, b]) => ({ h, w, k: a, l: b })));

/** The next cell of a square, row by row. */
export function walk({ row, column }, side) {
  const r = clamp(row, 0, side - 1), c = Math.max(0, column + 1);
  return c < side ? { row: r, column: c } : { row: (r + 1) % side, column: 0 };
}

/**
 * What three grids of the class show: a cell for each window, the kernel, and the cells on which the windows lie. With
 * `from` a window is pointed at, else a cell. `plain(r, c)`: whether a window that nobody points at has its colour;
 * `kind(r, c)`: how a cell inside of the padding looks; `sub(k, l)`: what stands small at a tap; `above`: the kernel's
 * colour does not cover the cells'; `words(r, c)`: what else is said of a cell inside.
 */
export function windows(ui, names, n, options) {
  const { from, plain, kind, sub, above, words, inner, m, s, p, weight, taps, uses } = { inner: n.n, ...n, ...options }, { k, d } = n;
  const [small, kernel, large] = names.map((name) => ui.grid(name, n));
  const meets = new Map(taps.map((t) => [`${t.h},${t.w}`, t])), weights = new Set(taps.map((t) => `${t.k},${t.l}`));
  const tap = (i, place) => upto(k).find((t) => place * s + t * d === i);
  const [window, cell] = [small, large].map(({ first }) => [n.row - first, n.column - first]), [row, column] = window;
  const same = (place, r, c) => place[0] === r && place[1] === c;
  const frames = p && inner > 0 ? [[p, p, inner, inner, "block"]] : [];
  return [
    {
      ...small, at: from ? window : [0, 0], frames: from ? [[...window, 1, 1, small.role]] : taps.map((t) => [t.h, t.w, 1, 1, small.role]),
      look(r, c) {
        const t = meets.get(`${r},${c}`), on = t || (from && same(window, r, c));
        return {
          sub: t && `×${fmt(weight[t.k][t.l])}`, more: t ? small.met : "",
          kind: on ? `${small.role} on` : plain(r, c) ? small.role : "",
        };
      },
    },
    { ...kernel, look: (a, b) => ({ kind: from || !m || weights.has(`${a},${b}`) ? "kernel on" : "" }) },
    {
      ...large, at: from ? [0, 0] : cell,
      frames: [...frames, from ? [row * s, column * s, n.span, n.span, "kernel"] : [...cell, 1, 1, large.role]],
      look(r, c) {
        const inside = [r, c].every((i) => i >= p && i < p + inner), unused = m > 0 && !uses[r][c];
        const [a, b] = from ? [tap(r, row), tap(c, column)] : [], on = a >= 0 && b >= 0;
        return {
          sub: on ? sub(a, b) : null, more: `${inside ? words?.(r, c) ?? "" : large.outside}${unused ? ", never used" : ""}`,
          kind: [
            unused ? "unused" : on && !above ? "kernel" : inside ? kind(r, c) : "padding",
            !inside && "pad", (on || (!from && same(cell, r, c))) && "on",
          ].filter(Boolean).join(" "),
        };
      },
    },
  ];
}

/** Values as a convolution with stride 1 reads them for `outputs` cells: s − 1 zeros between, `border` around; the kernel turned. */
export function spreadOut(values, weight, s, border, outputs) {
  const places = values.map((_, i) => border + i * s), reach = places.length && outputs + border;
  const spread = upto(reach, (r) => upto(reach, (c) => values[places.indexOf(r)]?.[places.indexOf(c)] ?? 0));
  const every = `${border}:${(places.at(-1) ?? 0) + 1}:${s}`, turned = weight.map((ws) => [...ws].reverse()).reverse();
  return { spread, places, reach, border, between: s - 1, every, turned };
}

/**
 * The same as a convolution: each cell reads the values of spreadOut() through the turned kernel. `kept` of the cells are not
 * cut off by the padding; the rows from `p` on are framed, `inner` of them, and with `cut` the others are never read.
 */
export function gathered(ui, n, { kept, cut, p, inner }) {
  const real = (r, c) => [r, c].every((i) => n.places.includes(i)), stays = (r, c) => [r, c].every((i) => i >= n.p && i < n.p + kept);
  const read = (i) => !cut || (i >= p && i < p + inner), on = new Set(n.taps.map((t) => `${n.k - 1 - t.k},${n.k - 1 - t.l}`));
  const [cells, kernel, spread] = windows(ui, ["gathered", "turned", "spread"], n, {
    from: n.reach > 0, above: true, s: 1, p, inner, weight: n.turned, taps: [], plain: stays,
    uses: n.spread.map((row, r) => row.map((_, c) => read(r) && read(c))),
    kind: (r, c) => (real(r, c) ? ui.spec.grids.spread.role : "padding pad"), words: (r, c) => (real(r, c) ? "" : ", a zero put in"),
    sub: (a, b) => `×${fmt(n.turned[a][b])}`,
  });
  return [
    { ...spread, at: cells.at },
    { ...kernel, look: (a, b) => ({ kind: on.has(`${a},${b}`) ? "kernel on" : "" }) },
    {
      ...cells, frames: [...(n.p ? [[n.p, n.p, kept, kept, "block"]] : []), ...cells.frames],
      look(r, c) {
        const seen = cells.look(r, c);
        return stays(r, c) ? seen : { kind: `padding pad${seen.kind && " on"}`, more: cells.outside };
      },
    },
  ];
}

const table = (n, rows, columns, word) => upto(rows, (a) =>
  h("div", { class: "cw-row" }, upto(columns, (b) => h("span", { class: "cw-term" }, formula(n, word(a, b))))));

/** The (window, tap) pairs of both axes in words. */
export const met = (axes) => axes.map((pairs) => pairs.map(tuple).join(", ") || "none");

/** The sum of the products in n.terms, `columns` in a row. */
export const products = (n, rows, columns, role, total) => line("sum", n, [
  table(n, rows, columns, (a, b) => {
    const path = `terms.${a * columns + b}`;
    return `${a + b ? "+ " : ""}{${path}.0:${role}}·{(${path}.1):kernel}`;
  }),
  table(n, 1, 1, () => `= {sum:${total}}`),
], "table");
