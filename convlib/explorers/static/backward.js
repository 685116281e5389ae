// BackwardExplorer: forward gathers, backward scatters; and the same as a convolution.
import { noOutput, sizes, toyKernel } from "./lib/arith.js";
import { fitted, grid, h, num, part, refill, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, count, factor, fmt, upto } from "./lib/format.js";

const keys = { size: [1, 8], kernel_size: [1, 5], stride: [1, 4], padding: [0, 2], dilation: [1, 3], view: ["pixel", "window", "convolution"], row: [-2, 11], column: [-2, 11] };
const toyGradient = (m) => upto(m, (h) => upto(m, (w) => ((2 * h + 4 * w) % 7) - 3));

function numbers({ size: n, kernel_size: k, stride: s, padding: p, dilation: d, view, row, column }) {
  const z = sizes(n, k, s, p, d), m = z.output, g = toyGradient(m), weight = toyKernel(k), back = view === "window";
  const at = (i) => (back ? clamp(i, 0, Math.max(0, m - 1)) : clamp(i, -p, n + p - 1));
  const r = at(row), c = at(column), input = upto(z.padded, () => upto(z.padded, () => 0)), uses = input.map((line) => line.slice());
  // Scatter: each window hands its gradient back, tap by tap. `done` is the state when window (r, c) has.
  let done = null, touched = uses;
  g.forEach((line, y) => line.forEach((value, x) => {
    weight.forEach((ws, a) => ws.forEach((one, b) => {
      input[y * s + a * d][x * s + b * d] += value * one;
      uses[y * s + a * d][x * s + b * d]++;
    }));
    if (y === r && x === c && back) [done, touched] = [input, uses].map((all) => all.map((line) => line.slice()));
  }));
  // Which (window, tap) pairs of one axis meet at a place.
  const pairs = (i) => upto(m).flatMap((w) => upto(k).filter((t) => w * s + t * d === i + p).map((t) => [w, t]));
  const rows = back ? [] : pairs(r), columns = back ? [] : pairs(c);
  const taps = rows.flatMap(([h, a]) => columns.map(([w, b]) => ({ h, w, k: a, l: b })));
  const border = z.span - 1, spread = upto(m ? z.padded + border : 0, (y) => upto(z.padded + border, (x) => (y < border || x < border || (y - border) % s || (x - border) % s ? 0 : g[(y - border) / s]?.[(x - border) / s] ?? 0)));
  return {
    n, k, s, p, d, ...z, m, row: r, column: c, grad_output: g, weight, turned: weight.map((ws) => ws.slice().reverse()).reverse(), grad_input: input, uses,
    done, touched, rows, columns, taps, reads: taps.length, spread, border, between: s - 1, terms: taps.map((t) => [g[t.h][t.w], weight[t.k][t.l]]), sum: m && !back ? input[r + p][c + p] : null,
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
  const where = h("p", { class: "cw-formula" }), terms = h("div", { class: "cw-terms" });
  const term = (i) => h("span", { class: "cw-term" }, h("span", { class: "cw-op" }, i ? "+" : ""), num(`terms.${i}.0`, fmt(now.terms[i][0]), "gradient"), "·", num(`terms.${i}.1`, factor(now.terms[i][1]), "kernel"));

  return {
    nodes: [h("div", { class: "cw-stage" }, parts), where, terms],
    draw({ view }, n, width) {
      now = n;
      const turn = view === "convolution", back = view === "window", { m, p, s, d } = n, r = n.row, c = n.column, left = turn ? n.spread : n.grad_output;
      const [cell, indices] = fitted(width, [[left.length, 184], [n.k, turn ? 128 : 84], [n.padded, back ? 224 : 180]]), subs = cell >= 30;
      const hit = new Map(n.taps.map((t) => [`${t.h},${t.w}`, t])), used = new Set(n.taps.map((t) => `${t.k},${t.l}`));
      const tap = (i, start) => (i >= start && i < start + n.span && (i - start) % d === 0 ? (i - start) / d : -1);
      const times = (w) => (subs ? `×${fmt(w)}` : null);

      output.update({
        rows: left.length, columns: left.length, cell, indices, at: turn ? [r + p, c + p] : back ? [r, c] : [0, 0], label: turn ? `Spread-out gradient, ${left.length} by ${left.length}` : `Gradient of the output, ${m} by ${m}`,
        look(y, x) {
          const value = left[y][x], one = { text: fmt(value), n: turn ? `spread.${y}.${x}` : `grad_output.${y}.${x}`, name: `row ${y}, column ${x}: ${fmt(value)}` };
          if (turn) {
            const a = tap(y, r + p), b = tap(x, c + p), on = a >= 0 && b >= 0, u = y - n.border, v = x - n.border, inside = u >= 0 && v >= 0 && u <= (m - 1) * s && v <= (m - 1) * s;
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
        rows: n.k, columns: n.k, cell, indices, label: `Kernel${turn ? ", turned" : ""}, ${n.k} by ${n.k}`,
        look: (a, b) => ({ text: fmt((turn ? n.turned : n.weight)[a][b]), n: `${turn ? "turned" : "weight"}.${a}.${b}`, kind: turn || back || !m || used.has(`${a},${b}`) ? "kernel on" : "" }),
      });
      const shown = n.done ?? n.grad_input;
      input.update({
        rows: m ? n.padded : 0, columns: m ? n.padded : 0, cell, indices, first: -p, at: back ? [0, 0] : [r + p, c + p], label: `Gradient of the ${p ? "padded " : ""}input, ${n.padded} by ${n.padded}`,
        look(y, x) {
          const inside = y >= p && y < p + n.n && x >= p && x < p + n.n, a = back ? tap(y, r * s) : -1, b = back ? tap(x, c * s) : -1, on = a >= 0 && b >= 0, value = shown[y][x];
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

      if (!m) return refill(where), void refill(terms);
      if (back) {
        const g = n.grad_output[r][c];
        refill(where, h("span", { class: "cw-label" }, "shares"), h("span", { class: "cw-math" }, num(`grad_output.${r}.${c}`, fmt(g), "gradient"), " times each weight:"));
        return void refill(terms, h("span", { class: "cw-label" }, ""), h("div", { class: "cw-sums cw-table" }, n.shares.map((line, a) => h("div", { class: "cw-row" }, line.map((share, b) => h("span", { class: "cw-term" }, num(`shares.${a}.${b}`, fmt(share), "kernel")))))));
      }
      // Which windows (h, w), by which taps (k, l), are at this place: one equation an axis.
      const meet = (name, letters, i, list) => h("span", { class: "cw-term" }, `${letters[0]}·${s} + ${letters[1]}·${d} = ${fmt(i)} + ${p} `, list.length ? [`for (${letters.join(", ")}) = `, list.flatMap(([w, t], j) => [j ? ", (" : "(", num(`${name}.${j}.0`, fmt(w), "gradient"), ", ", num(`${name}.${j}.1`, fmt(t), "kernel"), ")"])] : "never");
      if (turn) refill(where);
      else refill(where, h("span", { class: "cw-label" }, "reads"), h("span", { class: "cw-math" }, meet("rows", ["h", "k"], r, n.rows), meet("columns", ["w", "l"], c, n.columns)));
      const lines = n.rows.map((_, i) => h("div", { class: "cw-row" }, n.columns.map((_, j) => term(i * n.columns.length + j))));
      refill(terms, h("span", { class: "cw-label" }, "sum"), h("div", { class: "cw-sums cw-table" }, lines, h("div", { class: "cw-row" }, h("span", { class: "cw-term" }, h("span", { class: "cw-op" }, "="), num("sum", fmt(n.sum), "gradient")))));
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
