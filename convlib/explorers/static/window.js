// Which cells one output reads, and which outputs read one cell.
import { correlate, pad, sizes, toyInput, toyKernel, useCounts } from "./lib/arith.js";
import { line } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, fmt, upto } from "./lib/format.js";
import { stage } from "./lib/grid.js";
import { crossed, meeting, products, walk, windows } from "./lib/windows.js";

function numbers({ size: n, kernel_size: k, padding: p, stride: s, dilation: d, view, row, column }) {
  const z = sizes(n, k, s, p, d), m = z.output, forward = view === "output";
  const input = pad(toyInput(n), [p, p]), weight = toyKernel(k), output = m ? correlate(input, weight, s, d) : [];
  const uses = useCounts(z.padded, m, k, s, d), unread = upto(z.padded).filter((i) => !uses[i]);
  const [r, c] = [row, column].map((i) => clamp(i, 0, Math.max(0, (forward ? m : z.padded) - 1)));
  const rows = upto(k, (t) => r * s + t * d), columns = upto(k, (t) => c * s + t * d);
  const taps = forward ? [] : crossed(meeting(r, m, k, s, d), meeting(c, m, k, s, d));
  return {
    n, k, p, s, d, ...z, m, room: z.padded - z.span, row: r, column: c, input, weight, output, taps, rows, columns,
    terms: forward && m ? rows.flatMap((y, a) => columns.map((x, b) => [input[y][x], weight[a][b]])) : [],
    sum: forward && m ? output[r][c] : null, reads: forward ? null : taps.length, uses: uses.map((a) => uses.map((b) => a * b)),
    unread, never: z.padded ** 2 - (z.padded - unread.length) ** 2,
    of: p ? "padded input" : "input", what: [r, c].some((i) => i < p || i >= n + p) ? "Padding" : "Input",
  };
}

const sentence = ({ view }, n) => !n.m ? ["none"]
  : [view === "output" ? "output" : ["nobody", "one"][n.reads] ?? "many", n.never && "never"];

function build(ui) {
  const point = (view) => (row, column) => ui.set({ view, row, column });
  const grids = stage(ui, [point("input"), null, point("output")]);
  return {
    nodes: grids.node,
    draw({ view }, n, width) {
      const { m, k, row, column } = n, from = view === "output" && m > 0;
      const [output, kernel, input] = windows(ui, ["output", n.d > 1 ? "spread" : "kernel", n.p ? "padded" : "input"], n, {
        from, plain: () => true, kind: () => "input", sub: (a, b) => `×${fmt(n.weight[a][b])}`,
      });
      grids.draw(width, [input, kernel, output]);
      const reader = (t, i) => `output ({taps.${i}.h}, {taps.${i}.w}) adds {input.${row}.${column}:input}·{(weight.${t.k}.${t.l}):kernel}`;
      return [ui.line(m ? "size" : "windowless", n), !m ? null : from ? products(n, k, k, "input", "output")
        : line("reads", n, `{reads}${n.taps.length ? ": " : ""}${n.taps.map(reader).join("; ")}`)];
    },
  };
}

const play = (_, n) => n.m ? { view: "output", ...walk(n, n.m) } : null;

export default explorer({ numbers, sentence, build, play });
