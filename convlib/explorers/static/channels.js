// One window through all input channels: a partial sum from each, the bias, and a kernel for each output channel.
import { correlate, toyInput, toyKernel } from "./lib/arith.js";
import { formula, h, line } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, fmt, upto } from "./lib/format.js";
import { grid } from "./lib/grid.js";
import { walk } from "./lib/windows.js";

const mapped = (rows, change) => rows.map((row, y) => row.map((v, x) => change(v, y, x)));
const sum = (list) => list.reduce((a, b) => a + b, 0);

function numbers({ in_channels: a, out_channels: b, kernel_size: k, channel, row, column }) {
  const n = 5, m = n - k + 1, [o, r, c] = [[channel, b], [row, m], [column, m]].map(([at, all]) => clamp(at, 0, all - 1));
  const channels = upto(a), bias = [1, -2].slice(0, b); // the arrays are channels.py's
  const input = channels.map((i) => mapped(toyInput(n), (v, y, x) => (v + i * (y + 3 * x + 2)) % 10));
  const weight = upto(b, (to) => channels.map((i) => mapped(toyKernel(k), (v, y, x) => ((v + 2 + 3 * i + to * (y + x + 1)) % 5) - 2)));
  const apart = weight.map((own) => own.map((one, i) => correlate(input[i], one)));
  const output = apart.map((maps, to) => mapped(maps[0], (_, y, x) => sum(maps.map((one) => one[y][x])) + bias[to]));
  return {
    n, a, b, k, m, o, row: r, column: c, channels, input, weight, bias, output, taps: a * k * k,
    rows: upto(k, (t) => r + t), columns: upto(k, (t) => c + t), parts: apart[o].map((one) => one[r][c]), own: bias[o], sum: output[o][r][c],
  };
}

const sentence = (_, { b }) => ["output", b > 1 && "other"];

function build(ui) {
  const each = (to) => upto(3, () => grid(ui, to)), inputs = each(), kernels = upto(2, () => each());
  const outputs = upto(2, (channel) => grid(ui, (row, column) => ui.set({ channel, row, column })));
  const outs = h("div", { class: "cw-outs" }, outputs.map((one) => one.node));
  const stack = h("div", { class: "cw-stack" }, [...inputs, ...kernels.flat()].map((one) => one.node), outs);
  const show = (one, place, there, shown) => {
    one.node.style.gridArea = place.join("/");
    one.update(there ? shown() : { values: [], cell: 0, caption: "" });
  };
  const term = (n, words) => h("span", { class: "cw-term" }, formula(n, words));

  return {
    nodes: stack,
    draw(_, n, width) {
      const { a, b, k, m, o, row, column } = n, inside = (at, first) => at >= first && at < first + k;
      // Beside each other a row for each kernel and its outputs; on a phone the outputs below.
      const wide = width >= 560, room = width - 16 * (wide ? a + 1 : 0) - 12 * (wide ? a : a - 1);
      const cell = clamp(Math.floor(room / (a * n.n + (wide ? m : 0))), 12, 34), indices = wide;
      stack.classList.toggle("cw-across", wide);
      stack.style.gridTemplateColumns = `repeat(${a}, max-content)`;
      inputs.forEach((one, i) => show(one, [1, i + 1], i < a, () => ({
        ...ui.grid("input", { ...n, i }), cell, indices, frames: [[row, column, k, k, "kernel"]],
        look(y, x) {
          const on = inside(y, row) && inside(x, column);
          return { sub: on && wide ? `×${fmt(n.weight[o][i][y - row][x - column])}` : null, kind: on ? "kernel on" : "input" };
        },
      })));
      kernels.forEach((own, to) => own.forEach((one, i) => show(one, [to + 2, i + 1], to < b && i < a, () => ({
        ...ui.grid("kernel", { ...n, o: to, i }), cell, look: () => ({ kind: to === o ? "kernel on" : "" }),
      }))));
      outs.style.gridArea = wide ? "" : "4 / 1 / auto / -1";
      outputs.forEach((one, to) => show(one, [to + 2, a + 1], to < b, () => ({
        ...ui.grid("output", { ...n, o: to }), cell: wide ? cell : clamp(Math.floor((width - 16) / (b * m)), 24, 36), indices,
        at: [row, column], frames: to === o ? [[row, column, 1, 1, "output"]] : [],
        look: (y, x) => ({ kind: to !== o ? "" : y === row && x === column ? "output on" : "output" }),
      })));
      return [
        line("sum", n, [
          ...n.parts.map((_, i) => term(n, `${i ? `+ {(parts.${i})` : "{parts.0"}:kernel} from i = ${i}`)),
          term(n, "+ {(own)} bias"), term(n, "= {sum:output}"),
        ]),
        ui.line("count", n), line("shapes", n, ui.spec.shapes.map((words) => term(n, words))),
      ];
    },
  };
}

function play({ channel }, n) {
  const next = walk(n, n.m), done = !next.row && !next.column && n.row === n.m - 1;
  return { ...next, channel: done ? (n.o + 1) % n.b : Math.min(channel, n.b - 1) };
}

export default explorer({ numbers, sentence, build, play });
