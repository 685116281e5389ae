// Forward gathers, backward scatters; and the same as a convolution.
import { sizes, toyKernel } from "./lib/arith.js";
import { explorer } from "./lib/explorer.js";
import { added, clamp, upto } from "./lib/format.js";
import { stage } from "./lib/grid.js";
import { crossed, gathered, meeting, met, products, scatter, spreadOut, walk, windows } from "./lib/windows.js";

const toyGradient = (m) => upto(m, (h) => upto(m, (w) => ((2 * h + 4 * w) % 7) - 3)); // as in backward.py

function numbers({ size: n, kernel_size: k, stride: s, padding: p, dilation: d, view, row, column }) {
  const z = sizes(n, k, s, p, d), m = z.output, g = toyGradient(m), weight = toyKernel(k), back = view === "window";
  const [r, c] = [row, column].map((i) => (back ? clamp(i, 0, Math.max(0, m - 1)) : clamp(i, -p, n + p - 1)));
  const handed = back && m ? r * m + c + 1 : null;
  const { sums, uses, done, touched } = scatter(g, weight, s, d, z.padded, handed);
  const [rows, columns] = [r, c].map((i) => (back ? [] : meeting(i + p, m, k, s, d))), taps = crossed(rows, columns);
  return {
    n, k, s, p, d, ...z, m, row: r, column: c, place: [r, c], grad_output: g, weight, ...spreadOut(g, weight, s, z.span - 1, z.padded),
    grad_input: m ? sums : [], uses, done, touched, rows, columns, met: met([rows, columns]), taps, reads: taps.length,
    terms: taps.map((t) => [g[t.h][t.w], weight[t.k][t.l]]), sum: m && !back ? sums[r + p][c + p] : null,
    given: handed ? g[r][c] : null, shares: handed ? weight.map((ws) => ws.map((w) => w * g[r][c])) : [], taken: k * k,
    never: m ? uses.flat().filter((u) => !u).length : 0, handed, windows: m * m,
    lost: [r, c].some((i) => i < 0 || i >= n), kept: `${p}:${p + n}`,
  };
}

function sentence({ view }, n) {
  if (!n.m) return ["none"];
  if (view === "window") return ["window"];
  const gets = view === "convolution" ? "convolution" : ["nobody", "one"][n.reads] ?? "many";
  return [view === "convolution" && "same", n.lost ? `padding_${gets}` : `input_${gets}`, n.lost && "lost"];
}

const code = ({ view }, n) => !n.m ? ["refused", "refused_twin"] : [view === "convolution" ? view : "convlib", "PyTorch"];

function build(ui) {
  const turned = () => ui.state().view === "convolution";
  const grids = stage(ui, [
    (row, column) => { // the spread-out gradient begins with padding of its own
      const { padding: p, size: n } = ui.state(), at = (i) => Math.min(i - p, n + p - 1);
      ui.set(turned() ? { view: "convolution", row: at(row), column: at(column) } : { view: "window", row, column });
    }, null,
    (row, column) => ui.set({ view: turned() ? "convolution" : "pixel", row, column }),
  ]);

  const scattered = (n, back) => windows(ui, ["output", "kernel", !n.handed ? "input" : n.handed < n.windows ? "done" : "all"], n, {
    from: back && n.m > 0,
    plain: (r, c) => r * n.m + c < n.handed, kind: (r, c) => (n.touched[r][c] ? "gradient" : ""), sub: (a, b) => added(n.shares[a][b]),
  });

  return {
    nodes: grids.node,
    draw({ view }, n, width) {
      const back = view === "window";
      grids.draw(width, turned() ? gathered(ui, n, { kept: n.n, p: n.border, inner: n.reach - 2 * n.border }) : scattered(n, back));
      return !n.m ? [] : back ? [ui.line("shares", n)]
        : [turned() ? null : ui.line("taps", n), products(n, n.rows.length, n.columns.length, "gradient", "gradient")];
    },
  };
}

const play = ({ view }, n) => n.m ? walk(n, view === "window" ? n.m : n.n) : null;

export default explorer({ numbers, sentence, code, build, play });
