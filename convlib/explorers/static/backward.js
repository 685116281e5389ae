// BackwardExplorer: forward gathers, backward scatters; and the same as a convolution.
import { noOutput, sizes, toyKernel } from "./lib/arith.js";
import { fitted, grid, h, num, part, refill, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, count, fmt, upto } from "./lib/format.js";
import { line, meeting, meets, products, scatter, table, tap } from "./lib/scatter.js";

const keys = { size: [1, 8], kernel_size: [1, 5], stride: [1, 4], padding: [0, 2], dilation: [1, 3], view: ["pixel", "window", "convolution"], row: [-2, 11], column: [-2, 11] };
const toyGradient = (m) => upto(m, (h) => upto(m, (w) => ((2 * h + 4 * w) % 7) - 3));

function numbers({ size: n, kernel_size: k, stride: s, padding: p, dilation: d, view, row, column }) {
  const z = sizes(n, k, s, p, d), m = z.output, g = toyGradient(m), weight = toyKernel(k), back = view === "window";
  const [r, c] = [row, column].map((i) => (back ? clamp(i, 0, Math.max(0, m - 1)) : clamp(i, -p, n + p - 1)));
  const { sums, uses, done, touched } = scatter(g, weight, s, d, z.padded, back ? r * m + c + 1 : 0);
  const rows = back ? [] : meeting(r + p, m, k, s, d), columns = back ? [] : meeting(c + p, m, k, s, d);
  const taps = rows.flatMap(([h, a]) => columns.map(([w, b]) => ({ h, w, k: a, l: b })));
  const border = z.span - 1, side = m ? z.padded + border : 0, spread = upto(side, () => upto(side, () => 0));
  g.forEach((line, y) => line.forEach((value, x) => { spread[border + y * s][border + x * s] = value; }));
  return {
    n, k, s, p, d, ...z, m, row: r, column: c, grad_output: g, weight, turned: weight.map((ws) => ws.slice().reverse()).reverse(), grad_input: sums, uses, done, touched,
    rows, columns, taps, reads: taps.length, spread, border, between: s - 1, terms: taps.map((t) => [g[t.h][t.w], weight[t.k][t.l]]), sum: m && !back ? sums[r + p][c + p] : null,
    shares: back && m ? weight.map((ws) => ws.map((one) => one * g[r][c])) : [], never: m ? uses.flat().filter((u) => !u).length : 0, handed: back && m ? r * m + c + 1 : null, windows: m * m,
  };
}

function sentence({ view }, n) {
  if (!n.m) return noOutput(n, n.k, n.d, n.n, n.p).replace("output", "output, so no gradient");
  const place = `(${fmt(n.row)}, ${fmt(n.column)})`;
  if (view === "window") {
    const g = n.grad_output[n.row][n.column];
    return `Window ${place} hands its gradient ${fmt(g)} back to the ${count(n.k * n.k, "cell")} that it read, each times the weight that it met there. ${fmt(n.handed)} of ${count(n.windows, "window")} ${n.handed === 1 ? "has" : "have"} handed back.`;
  }
  const outside = n.row < 0 || n.column < 0 || n.row >= n.n || n.column >= n.n, what = outside ? "Padding cell" : "Input cell";
  const lost = outside ? " It is cut off: padding is nobody’s input." : "";
  if (view === "convolution") return `The same numbers, as a convolution with stride 1: the gradient of the output with ${count(n.between, "zero")} between and ${fmt(n.border)} around, under the kernel turned by half a circle. ${what} ${place} gets ${fmt(n.sum)}.${lost}`;
  if (!n.reads) return `${what} ${place} was read by no window: its gradient is 0.${lost}`;
  return `${what} ${place} was read by ${count(n.reads, "window")}; ${n.reads > 1 ? "the shares add up to" : "its share is"} ${fmt(n.sum)}.${lost}`;
}

function code({ stride, padding, dilation, size, view }, n) {
  if (!n.m) return [["convlib", `import convlib\n\nconvlib.output_size(${size}, ${n.k}, ${stride}, ${padding}, ${dilation})  # refused\n`], ["PyTorch", `import torch\n\ntorch.nn.functional.conv2d(\n    torch.zeros(1, 1, ${size}, ${size}), torch.zeros(1, 1, ${n.k}, ${n.k}),\n    stride=${stride}, padding=${padding}, dilation=${dilation},\n)  # refused\n`]];
  const call = `(\n    (1, 1, ${size}, ${size}), WEIGHT, GRAD,\n    stride=${stride}, padding=${padding}, dilation=${dilation},\n)\n`, last = n.border + (n.m - 1) * n.s + 1;
  const made = `k, l = np.ogrid[:${n.k}, :${n.k}]\nweight = np.float32((2 * k + 3 * l + k * l) % 5 - 2)[None, None]\nh, w = np.ogrid[:${n.m}, :${n.m}]\ngrad_output = np.float32((2 * h + 4 * w) % 7 - 3)[None, None]\n`;
  const own = view === "convolution"
    ? `spread = np.zeros((1, 1, ${n.spread.length}, ${n.spread.length}), np.float32)\nspread[..., ${n.border}:${last}:${n.s}, ${n.border}:${last}:${n.s}] = grad_output\nturned = weight[..., ::-1, ::-1]\npadded = convlib.conv2d(spread, turned, dilation=${n.d})\ngrad_input = padded[..., ${n.p}:${n.p + n.n}, ${n.p}:${n.p + n.n}]\n`
    : `grad_input = convlib.grad.conv2d_input${call.replace("WEIGHT", "weight").replace("GRAD", "grad_output")}`;
  return [
    ["convlib", `import numpy as np\nimport convlib\n\n${made}${own}`],
    ["PyTorch", `import torch\n\ntwin = torch.nn.grad.conv2d_input${call.replace("WEIGHT", "torch.from_numpy(weight)").replace("GRAD", "torch.from_numpy(grad_output)")}`],
  ];
}

function build(ui) {
  let now;
  const output = grid(ui, (row, column) => {
    if (ui.state().view !== "convolution") return ui.set({ view: "window", row, column });
    ui.set({ row: Math.min(row, now.padded - 1) - now.p, column: Math.min(column, now.padded - 1) - now.p });
  });
  const kernel = grid(ui);
  const input = grid(ui, (row, column) => ui.set({ view: ui.state().view === "convolution" ? "convolution" : "pixel", row: row - now.p, column: column - now.p }));
  const parts = [part("", output.node), part("", kernel.node), part("", input.node)];
  const lines = h("div", { class: "cw-lines" });

  return {
    nodes: [h("div", { class: "cw-stage" }, parts), lines],
    draw({ view }, n, width) {
      now = n;
      const turn = view === "convolution", back = view === "window", { m, p, s, d } = n, r = n.row, c = n.column, left = turn ? n.spread : n.grad_output;
      const [cells, indices] = fitted(width, [[left.length, 184], [n.k, turn ? 128 : 84], [n.padded, back ? 224 : 180]]), subs = cells[0] >= 30;
      const hit = new Map(n.taps.map((t) => [`${t.h},${t.w}`, t])), used = new Set(n.taps.map((t) => `${t.k},${t.l}`));
      const times = (w) => (subs ? `×${fmt(w)}` : null);

      output.update({
        rows: left.length, columns: left.length, cell: cells[0], indices, at: turn ? [r + p, c + p] : back ? [r, c] : [0, 0], label: turn ? `Spread-out gradient, ${left.length} by ${left.length}` : `Gradient of the output, ${m} by ${m}`,
        look(y, x) {
          const value = left[y][x], one = { text: fmt(value), n: turn ? `spread.${y}.${x}` : `grad_output.${y}.${x}`, name: `row ${y}, column ${x}: ${fmt(value)}` };
          if (turn) {
            const a = tap(y, r + p, n.k, d), b = tap(x, c + p, n.k, d), on = a >= 0 && b >= 0, u = y - n.border, v = x - n.border, inside = u >= 0 && v >= 0 && u <= (m - 1) * s && v <= (m - 1) * s;
            const real = inside && u % s === 0 && v % s === 0;
            return { ...one, sub: on && real ? times(n.turned[a][b]) : null, kind: `${real ? "gradient" : on ? "kernel padding" : "padding"}${inside ? "" : " pad"}${on && real ? " on" : ""}`, name: one.name + (real ? "" : ", a zero put in") };
          }
          if (back) return { ...one, kind: y === r && x === c ? "gradient on" : y * m + x < n.handed ? "gradient" : "" };
          const t = hit.get(`${y},${x}`);
          return { ...one, sub: t ? times(n.weight[t.k][t.l]) : null, kind: t ? "gradient on" : "", name: one.name + (t ? `, times ${fmt(n.weight[t.k][t.l])}` : "") };
        },
      });
      if (back && m) output.frame(r, c, 1, 1, "gradient");
      if (turn && m) output.frame(r + p, c + p, n.span, n.span, "kernel");
      kernel.update({
        rows: n.k, columns: n.k, cell: cells[1], indices, label: `Kernel${turn ? ", turned" : ""}, ${n.k} by ${n.k}`,
        look: (a, b) => ({ text: fmt((turn ? n.turned : n.weight)[a][b]), n: `${turn ? "turned" : "weight"}.${a}.${b}`, kind: turn || back || !m || used.has(`${a},${b}`) ? "kernel on" : "" }),
      });
      const shown = n.done ?? n.grad_input;
      input.update({
        rows: m ? n.padded : 0, columns: m ? n.padded : 0, cell: cells[2], indices, first: -p, at: back ? [0, 0] : [r + p, c + p], label: `Gradient of the ${p ? "padded " : ""}input, ${n.padded} by ${n.padded}`,
        look(y, x) {
          const inside = y >= p && y < p + n.n && x >= p && x < p + n.n, a = back ? tap(y, r * s, n.k, d) : -1, b = back ? tap(x, c * s, n.k, d) : -1, on = a >= 0 && b >= 0, value = shown[y][x];
          const here = !back && y === r + p && x === c + p, unused = !n.uses[y][x];
          return {
            text: fmt(value), n: `${n.done ? "done" : "grad_input"}.${y}.${x}`, sub: on && subs ? `${n.shares[a][b] < 0 ? "" : "+"}${fmt(n.shares[a][b])}` : null,
            kind: `${unused ? "unused" : on ? "kernel" : !inside ? "padding" : n.touched[y][x] ? "gradient" : ""}${inside ? "" : " pad"}${on || here ? " on" : ""}`,
            name: `row ${fmt(y - p)}, column ${fmt(x - p)}: ${fmt(value)}${inside ? "" : ", padding"}${unused ? ", never read" : ""}`,
          };
        },
      });
      if (m && back) input.frame(r * s, c * s, n.span, n.span, "kernel");
      if (m && p) input.frame(p, p, n.n, n.n, "block");
      if (m && !back) input.frame(r + p, c + p, 1, 1, "gradient");
      parts[0].hidden = parts[2].hidden = !m;
      say(parts[0].caption, !m ? "" : turn ? `Gradient of the output, spread out` : `Gradient of the output ${m} × ${m}`);
      say(parts[1].caption, `${turn ? "Turned kernel" : "Kernel"} ${n.k} × ${n.k}${turn ? "" : d > 1 ? `, spans ${n.span}` : ""}`);
      say(parts[2].caption, `Gradient of the input ${n.n} × ${n.n}${back && n.handed < n.windows ? ", so far" : ""}`);

      refill(lines, !m ? [] : !back ? [turn ? [] : meets(n, "gradient"), products(n, "gradient", "gradient")]
        : [line("shares", [num(`grad_output.${r}.${c}`, fmt(n.grad_output[r][c]), "gradient"), " times each weight:", h("div", { class: "cw-table" }, table(n.k, n.k, (a, b) => num(`shares.${a}.${b}`, fmt(n.shares[a][b]), "kernel")))])]);
    },
  };
}

const play = ({ view }, n) => {
  if (!n.m) return null;
  const side = view === "window" ? n.m : n.n, r = clamp(n.row, 0, side - 1), c = n.column + 1;
  return c < side ? { row: r, column: Math.max(0, c) } : { row: (r + 1) % side, column: 0 };
};

export default explorer({
  name: "backward", title: "The gradient, on its way back", keys, numbers, sentence, code, build, play,
  changed: (key, value, { view }) => (key === "view" && (value === "window") !== (view === "window") ? (value === "window" ? { row: 0, column: 0 } : { row: 2, column: 2 }) : {}),
  controls: [
    { key: "size", label: "Input size" }, { key: "kernel_size", label: "Kernel", role: "kernel" }, { key: "stride", label: "Stride", role: "output" },
    { key: "padding", label: "Padding" }, { key: "dilation", label: "Dilation", role: "kernel" },
    { key: "view", label: "Show", names: ["one pixel adds up", "one window hands back", "as a convolution"] },
  ],
});
