// TransposedExplorer: each input cell stamps the kernel on the output, and the stamps overlap.
import { toyCode, toyInput, toyKernel } from "./lib/arith.js";
import { fitted, grid, h, num, part, refill, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, count, fmt, upto } from "./lib/format.js";
import { line, meeting, meets, products, scatter, tap } from "./lib/scatter.js";

const keys = { size: [1, 5], kernel_size: [1, 5], stride: [1, 4], padding: [0, 3], output_padding: [0, 3], view: ["counts", "values"], at: ["input", "output"], row: [-3, 23], column: [-3, 23] };

// The whole line of stamps is kept: `padding` cuts it at both ends, `output_padding` cuts less at the end.
function numbers({ size: n, kernel_size: k, stride: s, padding: p, output_padding: extra, at, row, column }) {
  const full = (n - 1) * s + k, m = full - 2 * p + extra, refused = extra >= s ? "extra" : m < 1 ? "size" : "", side = refused === "extra" ? 0 : Math.max(full, p + m);
  const input = toyInput(n), weight = toyKernel(k), { sums, uses } = scatter(input, weight, s, 1, Math.max(side, full));
  const from = at === "input", [r, c] = [row, column].map((i) => (from ? clamp(i, 0, n - 1) : clamp(i, -p, Math.max(side - p - 1, -p))));
  const rows = from ? [] : meeting(r + p, n, k, s, 1), columns = from ? [] : meeting(c + p, n, k, s, 1);
  const taps = rows.flatMap(([h, a]) => columns.map(([w, b]) => ({ h, w, k: a, l: b })));
  const inside = (i) => i >= 0 && i < m, line = upto(refused ? 0 : m, (i) => meeting(i + p, n, k, s, 1).length);
  const kept = upto(k, (t) => [r, c].map((i) => inside(i * s + t - p))), [high, wide] = [0, 1].map((axis) => kept.filter((one) => one[axis]).length);
  return {
    n, k, s, p, d: 1, extra, full, m, less: Math.floor(k / s), back: refused ? null : Math.floor((m + 2 * p - k) / s) + 1, refused, side, input, weight, output: sums, counts: uses, line, row: r, column: c,
    rows, columns, taps, stamps: taps.length, terms: taps.map((t) => [input[t.h][t.w], weight[t.k][t.l]]), sum: !from && side ? sums[r + p][c + p] : null,
    lost: from ? k * k - high * wide : inside(r) && inside(c) ? 0 : 1, value: from ? input[r][c] : null,
  };
}

function sentence({ at }, n) {
  if (n.refused === "extra") return `No output: output_padding ${n.extra} must be below the stride ${n.s}.`;
  if (n.refused) return `No output: (${n.n} − 1)·${n.s} − 2·${n.p} + (${n.k} − 1) + ${n.extra} + 1 = ${fmt(n.m)} is below 1.`;
  const place = `(${fmt(n.row)}, ${fmt(n.column)})`;
  const here = at === "input" ? `Input cell ${place} stamps ${fmt(n.value)} times the kernel on ${count(n.k * n.k, "cell")}${n.lost ? `, ${n.lost} of them cut off by the padding` : ""}.`
    : n.lost ? `Cell ${place} is cut off by the padding.`
      : `Output ${place} is written by ${count(n.stamps, "stamp")}${n.stamps ? `, which add${n.stamps > 1 ? "" : "s"} up to ${fmt(n.sum)}` : ""}.`;
  const rule = n.k < n.s ? `Kernel ${n.k} is smaller than stride ${n.s}: between the stamps nothing is written.`
    : n.k % n.s ? `Stride ${n.s} does not divide kernel ${n.k}: away from the border the counts along an axis repeat ${upto(n.s, (i) => Math.ceil((n.k - i) / n.s)).join(", ")}, and two axes make a checkerboard.`
      : `Stride ${n.s} divides kernel ${n.k}: away from the border every cell is written ${n.less}·${n.less} times, and there is no pattern.`;
  return `${here} ${rule}${n.extra ? ` At the end ${count(n.extra, "row")} more ${n.extra > 1 ? "are" : "is"} kept${n.extra > n.p ? `; no stamp reaches ${n.extra - n.p} of them` : ""}.` : ""}`;
}

function code({ size, kernel_size, stride, padding, output_padding }) {
  const call = (x, w) => `conv_transpose2d(\n    ${x}, ${w},\n    stride=${stride}, padding=${padding}, output_padding=${output_padding},\n)\n`;
  return [
    ["convlib", `import numpy as np\nimport convlib\n\n${toyCode("input", size)}${toyCode("weight", kernel_size)}output = convlib.${call("input", "weight")}\n# how many stamps write each cell\ncounts = convlib.${call("np.ones_like(input)", "np.ones_like(weight)")}`],
    ["PyTorch", `import torch\n\ntwin = torch.nn.functional.${call("torch.from_numpy(input)", "torch.from_numpy(weight)")}`],
  ];
}

function build(ui) {
  let now;
  const input = grid(ui, (row, column) => ui.set({ at: "input", row, column })), kernel = grid(ui);
  const output = grid(ui, (row, column) => ui.set({ at: "output", row: row - now.p, column: column - now.p }));
  const parts = [part("", input.node), part("", kernel.node), part("", output.node)], lines = h("div", { class: "cw-lines" });

  return {
    nodes: [h("div", { class: "cw-stage" }, parts), lines],
    draw({ view, at }, n, width) {
      now = n;
      const { p, k, s, m } = n, r = n.row, c = n.column, from = at === "input", counts = view === "counts", name = counts ? "counts" : "output", most = Math.max(...n.counts.flat());
      const [cells, indices] = fitted(width, [[n.n, 84], [k, 84], [n.side, counts ? 250 : 100]]), subs = cells[0] >= 30;
      const hit = new Map(n.taps.map((t) => [`${t.h},${t.w}`, t])), used = new Set(n.taps.map((t) => `${t.k},${t.l}`));
      input.update({
        rows: n.n, columns: n.n, cell: cells[0], indices, at: from ? [r, c] : [0, 0], label: `Input, ${n.n} by ${n.n}`,
        look(y, x) {
          const t = hit.get(`${y},${x}`), on = t || (from && y === r && x === c);
          return { text: fmt(n.input[y][x]), n: `input.${y}.${x}`, sub: t && subs ? `×${fmt(n.weight[t.k][t.l])}` : null, kind: on ? "input on" : from ? "input" : "", name: `input row ${y}, column ${x}: ${fmt(n.input[y][x])}${t ? ", stamps the cell" : ""}` };
        },
      });
      if (from) input.frame(r, c, 1, 1, "input");
      kernel.update({
        rows: k, columns: k, cell: cells[1], indices, label: `Kernel, ${k} by ${k}`,
        look: (a, b) => ({ text: fmt(n.weight[a][b]), n: `weight.${a}.${b}`, kind: from || used.has(`${a},${b}`) ? "kernel on" : "" }),
      });
      output.update({
        rows: n.side, columns: n.side, cell: cells[2], indices, first: -p, at: from ? [0, 0] : [r + p, c + p], label: `${counts ? "Stamps on each cell of the output" : "Output"}, ${fmt(m)} by ${fmt(m)}${p ? ", and what is cut off" : ""}`,
        look(y, x) {
          const inside = y >= p && y < p + m && x >= p && x < p + m, a = from ? tap(y, r * s, k, 1) : -1, b = from ? tap(x, c * s, k, 1) : -1, on = a >= 0 && b >= 0, uses = n.counts[y][x];
          const share = on && !counts && subs ? n.value * n.weight[a][b] : null;
          return {
            text: fmt(n[name][y][x]), n: `${name}.${y}.${x}`, sub: share == null ? null : (share < 0 ? "" : "+") + fmt(share),
            kind: `${inside && !uses ? "unused" : !counts && on ? "kernel" : !inside ? "padding" : counts ? `heat heat${Math.round((8 * uses) / most)}` : "output"}${inside ? "" : " pad"}${on || (!from && y === r + p && x === c + p) ? " on" : ""}`,
            name: `row ${fmt(y - p)}, column ${fmt(x - p)}: ${fmt(n[name][y][x])}${inside ? "" : ", cut off"}`,
          };
        },
      });
      if (n.side && m > 0) output.frame(p, p, m, m, "block");
      if (n.side) from ? output.frame(r * s, c * s, k, k, "kernel") : output.frame(r + p, c + p, 1, 1, "output");
      parts[2].hidden = !n.side;
      say(parts[0].caption, `Input ${n.n} × ${n.n}`);
      say(parts[1].caption, `Kernel ${k} × ${k}`);
      say(parts[2].caption, n.refused ? "All of it is cut off" : `Output ${m} × ${m}${counts ? ": how many stamps write a cell" : ""}`);

      const size = line("size", ["(", num("n", fmt(n.n), "input"), " − 1)·", num("s", fmt(s)), " − 2·", num("p", fmt(p)), " + (", num("k", fmt(k), "kernel"), " − 1) + ", num("extra", fmt(n.extra)), " + 1 = ", num("m", fmt(m), "output")]);
      refill(lines, size, n.refused ? [] : [
        line("back", ["⌊(", num("m", fmt(m), "output"), " + 2·", num("p", fmt(p)), " − ", num("k", fmt(k), "kernel"), ") / ", num("s", fmt(s)), "⌋ + 1 = ", num("back", fmt(n.back), "input")]),
        line("stamps", ["along one axis ", n.line.map((v, i) => [i ? " " : "", num(`line.${i}`, fmt(v), "output")])]),
        from || n.lost ? [] : [meets(n, "input"), products(n, "input", "output")],
      ]);
    },
  };
}

const play = ({ at }, n) => {
  const side = at === "input" ? n.n : n.m;
  if (n.refused) return null;
  return n.column + 1 < side ? { row: clamp(n.row, 0, side - 1), column: Math.max(0, n.column + 1) } : { row: (n.row + 1) % side, column: 0 };
};

export default explorer({
  name: "transposed", title: "Each input cell stamps a window", keys, numbers, sentence, code, build, play,
  controls: [
    { key: "size", label: "Input size" }, { key: "kernel_size", label: "Kernel", role: "kernel" }, { key: "stride", label: "Stride", role: "output" },
    { key: "padding", label: "Padding" }, { key: "output_padding", label: "Output pad", role: "output" },
    { key: "view", label: "Show", names: ["how many stamps", "their sums"] },
  ],
});
