// BackwardExplorer: forward gathers, backward scatters; and the same as a convolution.
import { noOutput, sizes, toyCode, toyKernel } from "./lib/arith.js";
import { fitted, formula, grid, h, line, refill } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { added, call, clamp, codes, count, fmt, tuple, upto } from "./lib/format.js";
import { crossed, hits, meeting, meets, products, scatter, table, tap, walk } from "./lib/scatter.js";

const keys = { size: [1, 8], kernel_size: [1, 5], stride: [1, 4], padding: [0, 2], dilation: [1, 3], view: ["pixel", "window", "convolution"], row: [-2, 11], column: [-2, 11] };
const toyGradient = (m) => upto(m, (h) => upto(m, (w) => ((2 * h + 4 * w) % 7) - 3));

function numbers({ size: n, kernel_size: k, stride: s, padding: p, dilation: d, view, row, column }) {
  const z = sizes(n, k, s, p, d), m = z.output, g = toyGradient(m), weight = toyKernel(k), back = view === "window";
  const [r, c] = [row, column].map((i) => (back ? clamp(i, 0, Math.max(0, m - 1)) : clamp(i, -p, n + p - 1)));
  const { sums, uses, done, touched } = scatter(g, weight, s, d, z.padded, back ? r * m + c + 1 : 0);
  const rows = back ? [] : meeting(r + p, m, k, s, d), columns = back ? [] : meeting(c + p, m, k, s, d);
  const taps = crossed(rows, columns);
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
  const place = tuple([n.row, n.column]);
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
  const settings = { stride, padding, dilation }, { k, p, s, d, border } = n;
  if (!n.m) return codes(`convlib.output_size(${size}, ${k}, ${stride}, ${padding}, ${dilation})  # refused\n`,
    `# refused\n${call("torch.nn.functional.conv2d", `torch.zeros(1, 1, ${size}, ${size}), torch.zeros(1, 1, ${k}, ${k})`, settings)}`);
  const gradient = (where, words) => call(`${where}.grad.conv2d_input`, `(1, 1, ${size}, ${size}), ${words}`, settings);
  const every = `${border}:${border + (n.m - 1) * s + 1}:${s}`, kept = `${p}:${p + n.n}`, side = n.spread.length;
  const own = view === "convolution"
    ? `spread = np.zeros((1, 1, ${side}, ${side}), np.float32)\nspread[..., ${every}, ${every}] = grad_output\n` +
      `padded = convlib.conv2d(spread, weight[..., ::-1, ::-1], dilation=${d})\ngrad_input = padded[..., ${kept}, ${kept}]\n`
    : `grad_input = ${gradient("convlib", "weight, grad_output")}`;
  return codes(`${toyCode("weight", k)}h, w = np.ogrid[:${n.m}, :${n.m}]\ngrad_output = np.float32((2 * h + 4 * w) % 7 - 3)[None, None]\n${own}`,
    `twin = ${gradient("torch.nn", "torch.from_numpy(weight), torch.from_numpy(grad_output)")}`);
}

function build(ui) {
  let now;
  const turned = () => ui.state().view === "convolution";
  const output = grid(ui, (row, column) => {
    if (turned()) ui.set({ row: Math.min(row, now.padded - 1) - now.p, column: Math.min(column, now.padded - 1) - now.p });
    else ui.set({ view: "window", row, column });
  });
  const input = grid(ui, (row, column) => ui.set({ view: turned() ? "convolution" : "pixel", row: row - now.p, column: column - now.p }));
  const kernel = grid(ui), lines = h("div", { class: "cw-lines" });

  return {
    nodes: [h("div", { class: "cw-stage" }, output.node, kernel.node, input.node), lines],
    draw({ view }, n, width) {
      now = n;
      const turn = view === "convolution", back = view === "window", { m, p, s, d, k, row: r, column: c } = n, here = [r + p, c + p], hit = hits(n.taps);
      const path = turn ? "spread" : "grad_output", weight = turn ? "turned" : "weight", result = n.done ? "done" : "grad_input";
      const [cells, indices] = fitted(width, [[n[path].length, 184], [k, turn ? 128 : 84], [n.padded, back ? 224 : 180]]);

      output.update({
        values: n[path], path, cell: cells[0], indices, at: turn ? here : back ? [r, c] : [0, 0],
        name: turn ? "Spread-out gradient" : "Gradient of the output", caption: turn ? "Gradient of the output, spread out" : undefined,
        look(y, x) {
          if (turn) {
            const a = tap(y, r + p, k, d), b = tap(x, c + p, k, d), on = a >= 0 && b >= 0, inside = [y, x].every((i) => i >= n.border && i <= n.border + (m - 1) * s);
            const real = inside && (y - n.border) % s === 0 && (x - n.border) % s === 0;
            return {
              sub: on && real ? `×${fmt(n.turned[a][b])}` : null, more: real ? "" : ", a zero put in",
              kind: `${real ? "gradient" : on ? "kernel padding" : "padding"}${inside ? "" : " pad"}${on && real ? " on" : ""}`,
            };
          }
          if (back) return { kind: y === r && x === c ? "gradient on" : y * m + x < n.handed ? "gradient" : "" };
          const t = hit.window(y, x), times = t && `×${fmt(n.weight[t.k][t.l])}`;
          return { sub: times, kind: t ? "gradient on" : "", more: t ? `, ${times}` : "" };
        },
      });
      if (back && m) output.frame(r, c, 1, 1, "gradient");
      if (turn && m) output.frame(...here, n.span, n.span, "kernel");
      kernel.update({
        values: n[weight], path: weight, cell: cells[1], indices, name: turn ? "Turned kernel" : "Kernel",
        look: (a, b) => ({ kind: turn || back || !m || hit.weight(a, b) ? "kernel on" : "" }),
      });
      input.update({
        values: n[result], path: result, rows: m ? n.padded : 0, cell: cells[2], indices, first: -p, at: back ? [0, 0] : here, name: "Gradient of the input",
        caption: `Gradient of the input ${n.n} × ${n.n}${back && n.handed < n.windows ? ", so far" : ""}`,
        look(y, x) {
          const inside = y >= p && y < p + n.n && x >= p && x < p + n.n, a = back ? tap(y, r * s, k, d) : -1, b = back ? tap(x, c * s, k, d) : -1, on = a >= 0 && b >= 0;
          const pointed = !back && y === r + p && x === c + p, unused = !n.uses[y][x];
          return {
            sub: on ? added(n.shares[a][b]) : null, more: `${inside ? "" : ", padding"}${unused ? ", never read" : ""}`,
            kind: `${unused ? "unused" : on ? "kernel" : !inside ? "padding" : n.touched[y][x] ? "gradient" : ""}${inside ? "" : " pad"}${on || pointed ? " on" : ""}`,
          };
        },
      });
      if (m && back) input.frame(r * s, c * s, n.span, n.span, "kernel");
      if (m && p) input.frame(p, p, n.n, n.n, "block");
      if (m && !back) input.frame(...here, 1, 1, "gradient");

      const shares = () => [formula(n, `{grad_output.${r}.${c}:gradient} times each weight:`), h("div", { class: "cw-table" }, table(n, k, k, (a, b) => `{shares.${a}.${b}:kernel}`))];
      refill(lines, !m ? [] : back ? line("shares", n, shares())
        : [turn ? [] : meets(n, "gradient"), products(n, n.rows.length, n.columns.length, (a, b) => `terms.${a * n.columns.length + b}`, "gradient", "gradient")]);
    },
  };
}

export default explorer({
  name: "backward", title: "The gradient, on its way back", keys, numbers, sentence, code, build,
  changed: (key, value, { view }) => (key === "view" && (value === "window") !== (view === "window") ? (value === "window" ? { row: 0, column: 0 } : { row: 2, column: 2 }) : {}),
  controls: ["size", "kernel_size", "stride", "padding", "dilation", { key: "view", label: "Show", names: ["one pixel adds up", "one window hands back", "as a convolution"] }],
  play: ({ view }, n) => (n.m ? walk(n, view === "window" ? n.m : n.n) : null),
});
