// PaddingExplorer: what stands beside the border, and how often each pixel is used.
import { pad, sizes, source, toyCode, toyInput, useCounts } from "./lib/arith.js";
import { fitted, grid, h, num, part, refill, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, count, fmt, upto } from "./lib/format.js";
import { choice, slider } from "./lib/input.js";

const MODES = ["zeros", "reflect", "replicate", "circular"];
const keys = {
  size: [1, 8], kernel_size: [1, 6], padding: (v) => v === "same" || (Number.isInteger(v) && v >= 0 && v <= 5), mode: MODES, row: [-5, 12], column: [-5, 12],
};

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
    n, k, m, before, after, asked, most, refused, padded: z.padded, span: z.span, row: r, column: c, input: pad(toyInput(n), [before, after], mode),
    line: uses, uses: uses.map((a) => uses.map((b) => a * b)), pixel, zero, down, across, taps,
    used: taps.flat().reduce((a, b) => a + b, 0), windows: taps.flat().filter(Boolean).length, low: Math.min(...uses) ** 2, high: Math.max(...uses) ** 2,
  };
}

function sentence({ mode, kernel_size: k }, n) {
  if (n.refused) return `No padding: ${mode} has at most ${count(n.most, "cell")} beside an input of ${n.n}, ${n.asked[1]} are asked for.`;
  if (!n.m) return `No output: the kernel spans ${k} cells, the padded input has ${n.padded}.`;
  const cells = n.down.length * n.across.length, by = `${n.windows} of ${count(n.m ** 2, "window")}`;
  const here = n.zero ? `A zero of the padding, read by ${by}.`
    : `Pixel (${n.pixel.join(", ")}) is used ${count(n.used, "time")}, by ${by}${cells > 1 ? `: it stands in ${cells} cells` : ""}.`;
  const all = n.low === n.high ? `All pixels are used equally often: ${count(n.low, "time")}.` : `Uses of a pixel go from ${n.low} to ${n.high}.`;
  return `${here} ${all} The output ${n.m === n.n ? "is as large as the input" : `has ${count(Math.abs(n.m - n.n), "row")} ${n.m < n.n ? "less" : "more"} than the input`}.`;
}

function code({ size, kernel_size, padding, mode }, n) {
  const plain = mode === "zeros", amount = padding === "same" ? '"same"' : padding, [b, a] = n.asked, m = plain ? "constant" : mode;
  const call = (library, pads, x, w) => plain ? `${library}.conv2d(${x}, ${w}, padding=${amount})` : `${library}.conv2d(${pads}.pad(${x}, (${b}, ${a}, ${b}, ${a}), mode="${m}"), ${w})`;
  return [
    ["convlib", `import numpy as np\nimport convlib\n\n${toyCode("input", size)}${toyCode("weight", kernel_size)}output = ${call("convlib", "convlib", "input", "weight")}\n`],
    ["PyTorch", `import torch\nfrom torch.nn import functional as F\n\nx = torch.from_numpy(input).requires_grad_()\ntwin = ${call("F", "F", "x", "torch.from_numpy(weight)")}\n\n# how often each pixel is used: the gradient where all weights are 1\nones = torch.ones(1, 1, ${kernel_size}, ${kernel_size})\n${call("F", "F", "x", "ones")}.sum().backward()\nuses = x.grad\n`],
  ];
}

function build(ui) {
  let last;
  const point = (r, c) => ui.set({ row: r, column: c });
  const slide = (label, key, limits, role) => slider(label, limits, (value) => ui.set({ [key]: value }), role);
  const size = slide("Input size", "size", keys.size), kernel = slide("Kernel", "kernel_size", keys.kernel_size, "kernel"), amount = slide("Padding", "padding", [0, 5]);
  const named = choice("Amounts with names", [["valid", "valid"], ["same", "same"], ["full", "full"]], (name) => ui.set({ padding: { valid: 0, full: last.k - 1 }[name] ?? name }));
  const border = choice("What it holds", MODES.map((mode) => [mode, mode]), (mode) => ui.set({ mode }));
  const padded = grid(ui, (r, c) => point(r - last.before, c - last.before)), output = grid(ui), uses = grid(ui, point);
  const parts = [part("", padded.node), part("", uses.node), part("", output.node)], lines = h("div");

  return {
    nodes: [h("div", { class: "cw-controls" }, size.node, kernel.node, amount.node), h("div", { class: "cw-stage cw-pair" }, named.node, border.node), h("div", { class: "cw-stage" }, parts), lines],
    draw({ padding, mode }, n, width) {
      last = n;
      size.update(n.n), kernel.update(n.k), amount.update(n.asked[0]), border.update(mode);
      named.update(padding === "same" ? "same" : padding === 0 ? "valid" : padding === n.k - 1 ? "full" : "");
      if (n.asked[0] !== n.asked[1]) say(amount.node.querySelector("output"), n.asked.join(", "));
      const [cells] = fitted(width, [[n.padded, 130], [n.n, 125], [n.m, 140]]);
      const [y, x] = [n.row + n.before, n.column + n.before], here = n.m > 0;
      padded.update({
        rows: n.padded, columns: n.padded, cell: cells[0], at: [y, x], label: `Padded input, ${n.padded} by ${n.padded}`,
        look(r, c) {
          const i = r - n.before, j = c - n.before, inside = i >= 0 && i < n.n && j >= 0 && j < n.n, on = n.down.includes(r) && n.across.includes(c);
          return {
            text: fmt(n.input[r][c]), n: `input.${r}.${c}`, kind: `${on ? "kernel on" : inside ? "input" : "padding"}${inside ? "" : " pad"}`,
            name: `${inside ? "pixel" : "padding"} (${fmt(i)}, ${fmt(j)}): ${fmt(n.input[r][c])}`,
          };
        },
      });
      padded.frame(n.before, n.before, n.n, n.n, "input");
      padded.frame(y, x, 1, 1, "kernel");
      uses.update({
        rows: n.n, columns: n.n, cell: cells[1], at: n.zero ? [0, 0] : n.pixel, indices: true, label: `Uses of each pixel, ${n.n} by ${n.n}`,
        look: (r, c) => ({ text: fmt(n.uses[r][c]), n: `uses.${r}.${c}`, kind: `heat heat${Math.round((8 * n.uses[r][c]) / Math.max(1, n.high))}`, name: `pixel (${r}, ${c}) is used ${count(n.uses[r][c], "time")}` }),
      });
      if (!n.zero) uses.frame(...n.pixel, 1, 1, "kernel");
      output.update({
        rows: n.m, columns: n.m, cell: cells[2], label: `Output, ${n.m} by ${n.m}: how often each window reads the cell`,
        look: (r, c) => (n.taps[r][c] ? { text: fmt(n.taps[r][c]), n: `taps.${r}.${c}`, kind: "output on" } : { name: `window (${r}, ${c}): 0`, kind: "" }),
      });
      say(parts[0].caption, n.padded > n.n ? `Padded input ${n.padded} × ${n.padded}` : `Input ${n.n} × ${n.n}`);
      say(parts[1].caption, "Uses of each pixel");
      say(parts[2].caption, here ? `Output ${n.m} × ${n.m}: readers` : "No output");

      const line = (label, ...words) => h("p", { class: "cw-formula" }, h("span", { class: "cw-label" }, label), h("span", { class: "cw-math" }, words.flat()));
      const spaced = (list, give) => list.flatMap((v, i) => (i ? [" ", give(v, i)] : [give(v, i)]));
      refill(lines, n.refused ? [] : [
        line("size", num("n", fmt(n.n), "input"), " + ", num("before", fmt(n.before), "input"), " + ", num("after", fmt(n.after), "input"), " − ", num("k", fmt(n.k), "kernel"), " + 1 = ", here ? num("m", fmt(n.m), "output") : "no window"),
        ...(here ? [line("uses", "along one axis ", spaced(n.line, (v, i) => num(`line.${i}`, fmt(v), "output")), n.zero ? "" : ["; here ", ...n.pixel.flatMap((p, i) => [i ? "·" : "", num(`line.${p}`, fmt(n.line[p]), "output")]), " = ", num("used", fmt(n.used), "output")])] : []),
      ]);
    },
  };
}

const play = ({ padding }) => ({ padding: padding === "same" || padding > 4 ? 0 : padding + 1 });

export default explorer({ name: "padding", title: "Padding, and how often a pixel is used", keys, numbers, sentence, code, build, play });
