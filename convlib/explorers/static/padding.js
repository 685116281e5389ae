// What stands beside the border, and how often each pixel is used.
import { pad, sizes, source, toyInput, useCounts } from "./lib/arith.js";
import { explorer } from "./lib/explorer.js";
import { clamp, count, fmt, tuple, upto } from "./lib/format.js";
import { stage } from "./lib/grid.js";

function numbers({ size: n, kernel_size: k, padding, mode, row, column }) {
  const asked = padding === "same" ? [Math.floor((k - 1) / 2), Math.ceil((k - 1) / 2)] : [padding, padding];
  const most = { reflect: n - 1, circular: n }[mode] ?? 5, refused = asked[1] > most, [before, after] = refused ? [0, 0] : asked;
  const z = sizes(n, k, 1, [before, after]), m = refused ? 0 : z.output;
  const [r, c] = [row, column].map((i) => clamp(i, -before, n + after - 1));
  // One axis: the pixel that each padded cell holds (-1: a zero), and how often windows read each pixel.
  const holds = upto(z.padded, (i) => source(i - before, n, mode)), reads = useCounts(z.padded, m, k);
  const uses = upto(n, (p) => reads.reduce((sum, u, i) => sum + (holds[i] === p ? u : 0), 0));
  const pixel = [r, c].map((i) => holds[i + before]), zero = pixel.includes(-1);
  // The cells of one axis that hold what is pointed at, and how often each window reads them.
  const [down, across] = [r, c].map((i, axis) => (zero ? [i + before] : upto(z.padded).filter((at) => holds[at] === pixel[axis])));
  const [high, wide] = [down, across].map((cells) => upto(m, (w) => cells.filter((i) => i >= w && i < w + k).length));
  const taps = high.map((a) => wide.map((b) => a * b));
  return {
    n, k, m, before, after, asked, wanted: asked[1], most, refused, padded: z.padded, row: r, column: c,
    input: pad(toyInput(n), [before, after], mode), line: uses, own: zero ? [] : pixel.map((i) => uses[i]),
    uses: uses.map((a) => uses.map((b) => a * b)), pixel, zero, down, across, cells: down.length * across.length, taps,
    used: taps.flat().reduce((a, b) => a + b, 0), windows: taps.flat().filter(Boolean).length, all: m * m,
    amount: padding === "same" ? '"same"' : padding,
    low: Math.min(...uses) ** 2, high: Math.max(...uses) ** 2, change: Math.abs(m - n),
    sides: [asked[0], asked[1], asked[0], asked[1]].join(", "),
  };
}

const sentence = (_, n) => n.refused ? ["refused"] : !n.m ? ["none"] : [
  n.zero ? "zero" : n.cells > 1 ? "copies" : "pixel", n.low === n.high ? "even" : "uneven",
  n.m === n.n ? "same" : n.m < n.n ? "less" : "more",
];

const code = ({ mode }) => (mode === "zeros" ? ["convlib", "PyTorch"] : ["pad", "pad_twin"]);

function build(ui) {
  const point = (row, column) => ui.set({ row, column });
  const grids = stage(ui, [point, point, null]);

  return {
    nodes: grids.node,
    draw(_, n, width) {
      const { m, before, after } = n, at = [n.row + before, n.column + before], here = n.zero ? [0, 0] : n.pixel;
      const padded = {
        ...ui.grid(before + after ? "padded" : "input", n), first: -before, at,
        frames: [[before, before, n.n, n.n, "input"], [...at, 1, 1, "kernel"]],
        look(r, c) {
          const inside = [r, c].every((i) => i >= before && i < before + n.n), on = n.down.includes(r) && n.across.includes(c);
          return {
            kind: `${on ? "kernel on" : inside ? "input" : "padding"}${inside ? "" : " pad"}`,
            name: `${inside ? "pixel" : "padding"} ${tuple([r - before, c - before])}: ${fmt(n.input[r][c])}`,
          };
        },
      };
      const uses = {
        ...ui.grid("uses", n), at: here, frames: n.zero ? [] : [[...here, 1, 1, "kernel"]],
        look: (r, c) => ({
          kind: `heat heat${Math.round((8 * n.uses[r][c]) / Math.max(1, n.high))}`,
          name: `pixel (${r}, ${c}) is used ${count(n.uses[r][c], "time")}`,
        }),
      };
      const readers = {
        ...ui.grid("taps", n),
        look: (r, c) => n.taps[r][c] ? { kind: "output on" } : { text: "", name: `window (${r}, ${c}): 0` },
      };
      grids.draw(width, [padded, uses, readers]);
      return n.refused ? [] : [ui.line(m ? "size" : "windowless", n), m ? ui.line(n.zero ? "uses" : "used", n) : null];
    },
  };
}

export default explorer({ numbers, sentence, code, build });
