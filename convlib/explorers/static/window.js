// WindowExplorer: which cells one output reads, and which outputs read one cell.
import { correlate, noOutput, pad, sizes, toyCode, toyInput, toyKernel, useCounts } from "./lib/arith.js";
import { fitted, grid, h, line, refill } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { call, clamp, codes, count, fmt, listed, tensors, upto } from "./lib/format.js";
import { crossed, hits, meeting, products, tap, walk } from "./lib/scatter.js";

const keys = { size: [1, 10], kernel_size: [1, 5], padding: [0, 2], stride: [1, 4], dilation: [1, 3], view: ["output", "input"], row: [0, 13], column: [0, 13] };

function numbers({ size: n, kernel_size: k, padding: p, stride: s, dilation: d, view, row, column }) {
  const z = sizes(n, k, s, p, d), m = z.output, forward = view === "output";
  const padded = pad(toyInput(n), [p, p]), weight = toyKernel(k), output = m ? correlate(padded, weight, s, d) : [];
  const uses = useCounts(z.padded, m, k, s, d), unread = upto(z.padded).filter((i) => !uses[i]);
  const [r, c] = [row, column].map((i) => clamp(i, 0, Math.max(0, (forward ? m : z.padded) - 1)));
  const terms = forward && m ? weight.map((ws, a) => ws.map((w, b) => [padded[r * s + a * d][c * s + b * d], w])) : [];
  const taps = forward ? [] : crossed(meeting(r, m, k, s, d), meeting(c, m, k, s, d));
  return {
    n, k, p, s, d, ...z, m, room: z.padded - z.span, row: r, column: c, input: padded, weight, output, terms, taps,
    sum: terms.length ? output[r][c] : null, reads: forward ? null : taps.length,
    uses: uses.map((a) => uses.map((b) => a * b)), unread, never: z.padded ** 2 - (z.padded - unread.length) ** 2,
  };
}

function sentence({ view }, n) {
  if (!n.m) return noOutput(n, n.k, n.d, n.n, n.p);
  const spare = n.unread.length ? ` Never read: ${listed("row", n.unread)} and ${listed("column", n.unread)}, ${count(n.never, "cell")}.` : "";
  if (view === "input") {
    const what = [n.row, n.column].some((i) => i < n.p || i >= n.n + n.p) ? "Padding" : "Input";
    return `${what} cell (${n.row}, ${n.column}) is read ${n.reads === 1 ? "by one window" : n.reads ? `by ${n.reads} windows, each with another weight` : "by no window"}.${spare}`;
  }
  const reach = (i) => listed("", upto(n.k, (t) => i * n.s + t * n.d)).replace(/^s? /, "");
  return `Output (${n.row}, ${n.column}) reads rows ${reach(n.row)} and columns ${reach(n.column)} of the padded input; its sum is ${fmt(n.sum)}.${spare}`;
}

const code = ({ size, kernel_size, padding, stride, dilation }) => codes(
  toyCode("input", size) + toyCode("weight", kernel_size) + `output = ${call("convlib.conv2d", "input, weight", { stride, padding, dilation })}`,
  `twin = ${call("torch.nn.functional.conv2d", tensors, { stride, padding, dilation })}`,
);

function build(ui) {
  const point = (view) => (row, column) => ui.set({ view, row, column });
  const input = grid(ui, point("input")), kernel = grid(ui), output = grid(ui, point("output")), lines = h("div", { class: "cw-lines" });

  return {
    nodes: [h("div", { class: "cw-stage" }, input.node, kernel.node, output.node), lines],
    draw({ view }, n, width) {
      const { m, p, s, d, k, row, column } = n, forward = view === "output" && m > 0, here = [row, column], hit = hits(n.taps);
      const [cells, indices] = fitted(width, [[n.padded, 110], [k, 84], [m, 84]]);
      input.update({
        values: n.input, path: "input", cell: cells[0], indices, at: forward ? [0, 0] : here, name: "Padded input", caption: `${p ? "Padded input" : "Input"} ${n.padded} × ${n.padded}`,
        look(r, c) {
          const inside = r >= p && r < p + n.n && c >= p && c < p + n.n, unused = m > 0 && !n.uses[r][c];
          const a = forward ? tap(r, row * s, k, d) : -1, b = forward ? tap(c, column * s, k, d) : -1, read = a >= 0 && b >= 0;
          const on = read || (view === "input" && r === row && c === column);
          return {
            sub: read ? `×${fmt(n.weight[a][b])}` : null, more: `${inside ? "" : ", padding"}${unused ? ", never read" : ""}`,
            kind: `${unused ? "unused" : read ? "kernel" : inside ? "input" : "padding"}${inside ? "" : " pad"}${on ? " on" : ""}`,
          };
        },
      });
      if (forward) input.frame(row * s, column * s, n.span, n.span, "kernel");
      if (view === "input") input.frame(...here, 1, 1, "input");
      kernel.update({
        values: n.weight, path: "weight", cell: cells[1], indices, name: "Kernel", caption: `Kernel ${k} × ${k}${d > 1 ? `, spans ${n.span}` : ""}`,
        look: (r, c) => ({ kind: `kernel${hit.weight(r, c) || forward ? " on" : ""}` }),
      });
      output.update({
        values: n.output, path: "output", cell: cells[2], indices, at: forward ? here : [0, 0], name: "Output", of: "output ",
        look(r, c) {
          const t = hit.window(r, c), on = t || (forward && r === row && c === column);
          return { sub: t ? `×${fmt(n.weight[t.k][t.l])}` : null, kind: `output${on ? " on" : " dim"}`, more: t ? ", reads the cell" : "" };
        },
      });
      if (forward) output.frame(...here, 1, 1, "output");
      for (const t of n.taps) output.frame(t.h, t.w, 1, 1, "output");

      const size = "⌊({n:input} + 2·{p:input} − {d:kernel}·({k:kernel} − 1) − 1) / {s}⌋ + 1" + (m ? " = ⌊{room} / {s}⌋ + 1 = {m:output}" : " has no windows: {span:kernel} > {padded:input}");
      refill(lines, line("size", n, size), !m ? [] : forward ? products(n, k, k, (a, b) => `terms.${a}.${b}`, "input", "output")
        : line("reads", n, "{reads}" + n.taps.map((t, i) => `${i ? ";" : ":"} output ({taps.${i}.h}, {taps.${i}.w}) adds {input.${row}.${column}:input}·{(weight.${t.k}.${t.l}):kernel}`).join("")));
    },
  };
}

const play = ({ view }, n) => !n.m ? null : view === "input" ? { view: "output", row: 0, column: 0 } : walk(n, n.m);

export default explorer({
  name: "window", title: "One output, one window", keys, numbers, sentence, code, build, play, controls: ["size", "kernel_size", "padding", "stride", "dilation"],
});
