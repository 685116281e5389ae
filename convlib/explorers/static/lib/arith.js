// The arithmetic of windows on small arrays: the same rules as convlib.geometry, convlib.padding and
// convlib.convolution, against which the browser tests compare every number. Arrays are lists of rows.
import { upto } from "./format.js";

export const span = (k, d = 1) => d * (k - 1) + 1;

/** One axis: { span, padded, output, leftover }; no output is output 0. Padding is a side, or [before, after]. */
export function sizes(n, k, s = 1, p = 0, d = 1) {
  const [before, after] = Array.isArray(p) ? p : [p, p];
  const padded = n + before + after, reach = span(k, d), room = padded - reach;
  return room < 0
    ? { span: reach, padded, output: 0, leftover: padded }
    : { span: reach, padded, output: Math.floor(room / s) + 1, leftover: room % s };
}

/** How many of the m windows read each padded cell of one axis. */
export function useCounts(padded, m, k, s = 1, d = 1) {
  const uses = upto(padded, () => 0);
  for (let h = 0; h < m; h++) for (let t = 0; t < k; t++) uses[h * s + t * d]++;
  return uses;
}

/** Which cell of an axis of n cells stands at place i (i < 0 or i ≥ n is padding); -1 is a zero. */
export function source(i, n, mode = "zeros") {
  if (i >= 0 && i < n) return i;
  if (mode === "zeros") return -1;
  if (mode === "replicate") return i < 0 ? 0 : n - 1;
  const period = mode === "circular" ? n : 2 * (n - 1), j = ((i % period) + period) % period;
  return j < n ? j : period - j; // reflect: the border cell is not repeated
}

/** Pad a square by [before, after] on both axes. */
export function pad(x, [before, after], mode = "zeros") {
  const places = upto(x.length + before + after, (i) => source(i - before, x.length, mode));
  return places.map((r) => places.map((c) => (r < 0 || c < 0 ? 0 : x[r][c])));
}

/** Correlate a padded square with a square kernel: out[h][w] = Σ x[h·s + k·d][w·s + l·d] · weight[k][l]. */
export function correlate(x, weight, s = 1, d = 1) {
  const k = weight.length, m = sizes(x.length, k, s, 0, d).output;
  return upto(m, (h) => upto(m, (w) => {
    let sum = 0;
    for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) sum += x[h * s + a * d][w * s + b * d] * weight[a][b];
    return sum;
  }));
}

/** The toy arrays of the book, as in _base.py. */
export const toyInput = (n) => upto(n, (h) => upto(n, (w) => (7 * h + 5 * w + 3 * h * w) % 10));
export const toyKernel = (n) => upto(n, (k) => upto(n, (l) => ((2 * k + 3 * l + k * l) % 5) - 2));
