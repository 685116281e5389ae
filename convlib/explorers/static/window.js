// WindowExplorer: which cells one output reads, and which outputs read one cell.
import { correlate, noOutput, pad, sizes, toyCode, toyInput, toyKernel, useCounts } from "./lib/arith.js";
import { grid, h, num, part, refill, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, count, factor, fmt, listed, upto } from "./lib/format.js";

const keys = { size: [1, 10], kernel_size: [1, 5], padding: [0, 2], stride: [1, 4], dilation: [1, 3], view: ["output", "input"], row: [0, 13], column: [0, 13] };

function numbers({ size: n, kernel_size: k, padding: p, stride: s, dilation: d, view, row, column }) {
  const z = sizes(n, k, s, p, d), m = z.output;
  const padded = pad(toyInput(n), [p, p]), weight = toyKernel(k), output = m ? correlate(padded, weight, s, d) : [];
  const uses = useCounts(z.padded, m, k, s, d);
  const unread = upto(z.padded).filter((i) => !uses[i]);
  const last = (view === "output" ? m : z.padded) - 1;
  const r = clamp(row, 0, Math.max(0, last)), c = clamp(column, 0, Math.max(0, last));
  // One axis at a time: which (window, tap) pairs meet at a padded cell.
  const readers = (i) => upto(m).flatMap((w) => upto(k).filter((t) => w * s + t * d === i).map((t) => [w, t]));
  const terms = view === "output" && m ? weight.map((ws, a) => ws.map((w, b) => [padded[r * s + a * d][c * s + b * d], w])) : [];
  const taps = view === "input" ? readers(r).flatMap(([h, a]) => readers(c).map(([w, b]) => ({ h, w, k: a, l: b }))) : [];
  return {
    n, k, p, s, d, ...z, m, room: z.padded - z.span, row: r, column: c, input: padded, weight, output, terms, taps,
    sum: terms.length ? output[r][c] : null, reads: view === "input" ? taps.length : null,
    uses: uses.map((a) => uses.map((b) => a * b)), unread, never: z.padded ** 2 - (z.padded - unread.length) ** 2,
  };
}

function sentence({ view }, n) {
  if (!n.output.length) return noOutput(n, n.k, n.d, n.n, n.p);
  const spare = n.unread.length ? ` Never read: ${listed("row", n.unread)} and ${listed("column", n.unread)}, ${count(n.never, "cell")}.` : "";
  if (view === "input") {
    const what = n.row < n.p || n.column < n.p || n.row >= n.n + n.p || n.column >= n.n + n.p ? "Padding" : "Input";
    return `${what} cell (${n.row}, ${n.column}) is read ${n.reads === 1 ? "by one window" : n.reads ? `by ${n.reads} windows, each with another weight` : "by no window"}.${spare}`;
  }
  const reach = (i) => listed("", upto(n.k, (t) => i * n.s + t * n.d)).replace(/^s? /, "");
  return `Output (${n.row}, ${n.column}) reads rows ${reach(n.row)} and columns ${reach(n.column)} of the padded input; its sum is ${fmt(n.sum)}.${spare}`;
}

function code({ size, kernel_size, padding, stride, dilation }) {
  const settings = `stride=${stride}, padding=${padding}, dilation=${dilation}`;
  return [
    ["convlib", `import numpy as np\nimport convlib\n\n${toyCode("input", size)}${toyCode("weight", kernel_size)}output = convlib.conv2d(input, weight, ${settings})\n`],
    ["PyTorch", `import torch\n\ntwin = torch.nn.functional.conv2d(\n    torch.from_numpy(input), torch.from_numpy(weight), ${settings}\n)\n`],
  ];
}

function build(ui) {
  const look = (view) => (row, column) => ui.set({ view, row, column });
  const input = grid(ui, look("input")), kernel = grid(ui), output = grid(ui, look("output"));
  const parts = [part("Padded input", input.node), part("Kernel", kernel.node), part("Output", output.node)];
  const formula = h("p", { class: "cw-formula" }), terms = h("div", { class: "cw-terms" });

  return {
    nodes: [h("div", { class: "cw-stage" }, parts), formula, terms],
    draw({ view }, n, width) {
      const m = n.output.length, forward = view === "output" && m > 0;
      // All three in a row if the cells stay large enough, else input and kernel, else one a row.
      const fits = [[n.padded + n.k + m, 3], [Math.max(n.padded + n.k, m), 2], [Math.max(n.padded, m), 1]].map(([cells, grids]) => (width - 28 * (grids - 1) - 17 * grids) / cells);
      let cell = Math.floor(clamp(fits.find((c, i) => c >= 25 || i === 2), 20, fits[0] >= 25 ? 44 : 34));
      const indices = cell >= 24;
      if (!indices) cell = Math.floor(Math.max(cell, (width - 2) / Math.max(n.padded, m)));
      const tapOf = (i, w) => (i - w * n.s) % n.d === 0 && i >= w * n.s && i < w * n.s + n.span ? (i - w * n.s) / n.d : -1;
      const hit = new Map(n.taps.map((t) => [`${t.h},${t.w}`, t]));

      input.update({
        rows: n.padded, columns: n.padded, cell, at: view === "input" ? [n.row, n.column] : [0, 0], indices,
        label: `Padded input, ${n.padded} by ${n.padded}`,
        look(r, c) {
          const inside = r >= n.p && r < n.p + n.n && c >= n.p && c < n.p + n.n;
          const a = forward ? tapOf(r, n.row) : -1, b = forward ? tapOf(c, n.column) : -1, read = a >= 0 && b >= 0;
          const here = view === "input" && r === n.row && c === n.column;
          const unused = m > 0 && !n.uses[r][c];
          return {
            text: fmt(n.input[r][c]), n: `input.${r}.${c}`,
            sub: read && cell >= 30 ? `×${fmt(n.weight[a][b])}` : null,
            kind: `${unused ? "unused" : read ? "kernel" : inside ? "input" : "padding"}${inside ? "" : " pad"}${here || read ? " on" : ""}`,
            name: `row ${r}, column ${c}: ${fmt(n.input[r][c])}${inside ? "" : ", padding"}${unused ? ", never read" : ""}`,
          };
        },
      });
      if (forward) input.frame(n.row * n.s, n.column * n.s, n.span, n.span, "kernel");
      if (view === "input") input.frame(n.row, n.column, 1, 1, "input");
      kernel.update({
        rows: n.k, columns: n.k, cell, indices, label: `Kernel, ${n.k} by ${n.k}`,
        look: (r, c) => ({ text: fmt(n.weight[r][c]), n: `weight.${r}.${c}`, kind: `kernel${n.taps.some((t) => t.k === r && t.l === c) || forward ? " on" : ""}` }),
      });
      output.update({
        rows: m, columns: m, cell, at: view === "output" ? [n.row, n.column] : [0, 0], indices, label: `Output, ${m} by ${m}`,
        look(r, c) {
          const tap = hit.get(`${r},${c}`), here = forward && r === n.row && c === n.column;
          return {
            text: fmt(n.output[r][c]), n: `output.${r}.${c}`, sub: tap && cell >= 30 ? `×${fmt(n.weight[tap.k][tap.l])}` : null,
            kind: `output${tap || here ? " on" : " dim"}`, name: `output row ${r}, column ${c}: ${fmt(n.output[r][c])}${tap ? ", reads the cell" : ""}`,
          };
        },
      });
      if (forward) output.frame(n.row, n.column, 1, 1, "output");
      for (const t of n.taps) output.frame(t.h, t.w, 1, 1, "output");
      say(parts[0].caption, n.p ? `Padded input ${n.padded} × ${n.padded}` : `Input ${n.n} × ${n.n}`);
      say(parts[1].caption, n.d > 1 ? `Kernel ${n.k} × ${n.k}, spans ${n.span}` : `Kernel ${n.k} × ${n.k}`);
      say(parts[2].caption, `Output ${m} × ${m}`);

      const top = ["⌊(", num("n", fmt(n.n), "input"), " + 2·", num("p", fmt(n.p), "input"), " − ", num("d", fmt(n.d), "kernel"), "·(", num("k", fmt(n.k), "kernel"), " − 1) − 1) / ", num("s", fmt(n.s)), "⌋ + 1"];
      refill(formula, h("span", { class: "cw-label" }, "size"), h("span", { class: "cw-math" }, top, m ? [" = ⌊", num("room", fmt(n.room)), " / ", num("s", fmt(n.s)), "⌋ + 1 = ", num("m", fmt(m), "output")] : [" has no windows: ", num("span", fmt(n.span), "kernel"), " > ", num("padded", fmt(n.padded), "input")]));
      if (!m) return void refill(terms);
      if (forward) {
        const rows = n.terms.map((row, a) => h("div", { class: "cw-row" }, row.map(([x, w], b) => h("span", { class: "cw-term" }, h("span", { class: "cw-op" }, a + b ? "+" : ""), num(`terms.${a}.${b}.0`, fmt(x), "input"), "·", num(`terms.${a}.${b}.1`, factor(w), "kernel")))));
        refill(terms, h("span", { class: "cw-label" }, `sum`), h("div", { class: "cw-sums cw-table" }, rows, h("div", { class: "cw-row" }, h("span", { class: "cw-term" }, h("span", { class: "cw-op" }, "="), num("sum", fmt(n.sum), "output")))));
      } else {
        const value = n.input[n.row][n.column];
        const list = n.taps.map((t, i) => h("span", { class: "cw-term" }, "output (", num(`taps.${i}.h`, fmt(t.h)), ", ", num(`taps.${i}.w`, fmt(t.w)), ") adds ", num(`input.${n.row}.${n.column}`, fmt(value), "input"), "·", num(`weight.${t.k}.${t.l}`, factor(n.weight[t.k][t.l]), "kernel")));
        refill(terms, h("span", { class: "cw-label" }, "reads"), h("div", { class: "cw-sums" }, num("reads", fmt(n.reads)), list.length ? ": " : "", list));
      }
    },
  };
}

const play = ({ view, row, column }, n) => {
  const m = n.output.length, r = Math.min(row, m - 1), c = Math.min(column, m - 1);
  if (!m) return null;
  if (view === "input") return { view: "output", row: 0, column: 0 };
  return c + 1 < m ? { row: r, column: c + 1 } : { row: (r + 1) % m, column: 0 };
};

export default explorer({
  name: "window", title: "One output, one window", keys, numbers, sentence, code, build, play,
  controls: [
    { key: "size", label: "Input size" }, { key: "kernel_size", label: "Kernel", role: "kernel" },
    { key: "padding", label: "Padding" }, { key: "stride", label: "Stride", role: "output" }, { key: "dilation", label: "Dilation", role: "kernel" },
  ],
});
