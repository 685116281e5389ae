// PaddingExplorer: what stands beside the border, and how often each pixel is used.
import { pad, sizes, source, toyCode, toyInput, useCounts } from "./lib/arith.js";
import { fitted, grid, h, line, refill, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, codes, count, fmt, tuple, upto } from "./lib/format.js";
import { choice, slider } from "./lib/input.js";

const keys = {
  size: [1, 8], kernel_size: [1, 6], padding: (v) => v === "same" || (Number.isInteger(v) && v >= 0 && v <= 5), mode: ["zeros", "reflect", "replicate", "circular"], row: [-5, 12], column: [-5, 12],
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
  const plain = mode === "zeros", amount = padding === "same" ? '"same"' : padding, [b, a] = n.asked;
  const convolved = (library, pads, x, w) => plain ? `${library}.conv2d(${x}, ${w}, padding=${amount})` : `${library}.conv2d(${pads}.pad(${x}, (${b}, ${a}, ${b}, ${a}), mode="${mode}"), ${w})`;
  const torch = (w) => convolved("torch.nn.functional", "torch.nn.functional", "x", w);
  return codes(
    `${toyCode("input", size)}${toyCode("weight", kernel_size)}output = ${convolved("convlib", "convlib", "input", "weight")}\n`,
    `x = torch.from_numpy(input).requires_grad_()\ntwin = ${torch("torch.from_numpy(weight)")}\n\n` +
      `# how often each pixel is used: the gradient where all weights are 1\nones = torch.ones(1, 1, ${kernel_size}, ${kernel_size})\n${torch("ones")}.sum().backward()\nuses = x.grad\n`,
  );
}

function build(ui) {
  let last;
  const point = (row, column) => ui.set({ row, column });
  const amount = slider("Padding", [0, 5], (padding) => ui.set({ padding }));
  const named = choice("Amounts with names", [["valid", "valid"], ["same", "same"], ["full", "full"]], (name) => ui.set({ padding: { valid: 0, full: last.k - 1 }[name] ?? name }));
  const padded = grid(ui, (r, c) => point(r - last.before, c - last.before)), output = grid(ui), uses = grid(ui, point), lines = h("div", { class: "cw-lines" });

  return {
    nodes: [h("div", { class: "cw-stage cw-pair" }, amount.node, named.node), h("div", { class: "cw-stage" }, padded.node, uses.node, output.node), lines],
    draw({ padding }, n, width) {
      last = n;
      const { m, before, after } = n, [cells] = fitted(width, [[n.padded, 130], [n.n, 125], [m, 140]]), at = [n.row + before, n.column + before];
      amount.update(n.asked[0]);
      if (n.asked[0] !== n.asked[1]) say(amount.node.querySelector("output"), n.asked.join(", "));
      named.update(padding === "same" ? "same" : padding === 0 ? "valid" : padding === n.k - 1 ? "full" : "");
      padded.update({
        values: n.input, path: "input", cell: cells[0], at, name: "Padded input", caption: `${before + after ? "Padded input" : "Input"} ${n.padded} × ${n.padded}`,
        look(r, c) {
          const inside = [r, c].every((i) => i >= before && i < before + n.n), on = n.down.includes(r) && n.across.includes(c);
          return {
            kind: `${on ? "kernel on" : inside ? "input" : "padding"}${inside ? "" : " pad"}`,
            name: `${inside ? "pixel" : "padding"} ${tuple([r - before, c - before])}: ${fmt(n.input[r][c])}`,
          };
        },
      });
      padded.frame(before, before, n.n, n.n, "input");
      padded.frame(...at, 1, 1, "kernel");
      uses.update({
        values: n.uses, path: "uses", cell: cells[1], at: n.zero ? [0, 0] : n.pixel, indices: true, name: "Uses of each pixel", caption: "Uses of each pixel",
        look: (r, c) => ({ kind: `heat heat${Math.round((8 * n.uses[r][c]) / Math.max(1, n.high))}`, name: `pixel (${r}, ${c}) is used ${count(n.uses[r][c], "time")}` }),
      });
      if (!n.zero) uses.frame(...n.pixel, 1, 1, "kernel");
      output.update({
        rows: m, cell: cells[2], name: "Output: how often each window reads the cell", caption: `Output ${m} × ${m}: readers`,
        look: (r, c) => (n.taps[r][c] ? { text: fmt(n.taps[r][c]), n: `taps.${r}.${c}`, kind: "output on" } : { name: `window (${r}, ${c}): 0` }),
      });

      const here = n.zero ? "" : `; here ${n.pixel.map((p) => `{line.${p}:output}`).join("·")} = {used:output}`;
      refill(lines, n.refused ? [] : [
        line("size", n, `{n:input} + {before:input} + {after:input} − {k:kernel} + 1 = ${m ? "{m:output}" : "no window"}`),
        m ? line("uses", n, `along one axis ${n.line.map((_, i) => `{line.${i}:output}`).join(" ")}${here}`) : null,
      ]);
    },
  };
}

export default explorer({
  name: "padding", title: "Padding, and how often a pixel is used", keys, numbers, sentence, code, build, controls: ["size", "kernel_size", { key: "mode", label: "What it holds" }],
  play: ({ padding }) => ({ padding: padding === "same" || padding > 4 ? 0 : padding + 1 }),
});
