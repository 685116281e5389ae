// Which input channels an output channel reads, and which weights are never made.
import { h, part, put, s, say, sized } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, upto } from "./lib/format.js";
import { grid } from "./lib/grid.js";
import { cells, pick } from "./lib/net.js";

function numbers({ in_channels: a, out_channels: b, groups: g, kernel_size: k, channel }) {
  const fits = a % g === 0 && b % g === 0, at = Math.min(channel, b - 1), per = a / g, each = b / g;
  // weight[o, i] belongs to output channel o and to the i-th input channel of o's group.
  const matrix = upto(fits ? b : 0, (o) => upto(a, (c) => (Math.floor(c / per) === Math.floor(o / each) ? c % per : null)));
  const pairs = matrix.map((row, o) => row.map((i) => (i === null ? null : `${o},${i}`)));
  const params = fits ? b * per * k * k : null;
  return {
    a, b, g, k, fits, at, matrix, pairs, dense: a * b * k * k, params, flops: fits ? 2 * params : null,
    per: fits ? per : null, each: fits ? each : null, choices: upto(16, (i) => i + 1).filter((i) => a % i + b % i === 0).join(", "),
    reads: fits ? upto(a).filter((c) => matrix[at][c] !== null) : [],
  };
}

const sentence = (_, { a, g, b, each, fits }) => !fits ? [a % g ? "in" : "out"]
  : ["reads", g === 1 ? (a > 1 ? "one" : null) : g < a ? "groups" : each > 1 ? "multiplier" : "depthwise"];

function build(ui) {
  const net = s("svg", { class: "cw-net", role: "img" }), weight = grid(ui, (channel) => ui.set({ channel }));
  const shown = part("", net), wires = s("path", { class: "cw-thin" }), own = s("path", { class: "cw-wire" });
  const rows = ["input", "output"].map((role) => cells(role)), frame = s("rect", { class: "cw-frame output", rx: 4 });
  net.append(wires, own, ...rows.map((row) => row.node), frame);
  let places = [];
  pick(ui, net, "channel", () => places);

  return {
    nodes: h("div", { class: "cw-stage cw-halves" }, shown, weight.node),
    draw(_, n, width) {
      const most = Math.max(n.a, n.b), room = width >= 600 ? (width - 28) / 2 : width, tall = 26, low = 132;
      // The channels, a gap between groups; both rows as wide as the longer one.
      const gaps = n.fits ? n.g - 1 : 0, unit = clamp((room - 2) / (most + gaps * 0.35), 12, 34);
      const gap = n.fits ? 0.35 * unit : 0, full = most * unit + gaps * gap;
      const row = (count, per) => upto(count, (i) => n.fits
        ? 1 + (Math.floor(i / per) + 0.5) * ((full + gap) / n.g) - gap / 2 + ((i % per) - (per - 1) / 2) * unit
        : 1 + full / 2 + (i - (count - 1) / 2) * unit);
      const top = row(n.a, n.per), bottom = row(n.b, n.each);
      places = bottom;
      const lead = (o) => upto(n.a).filter((i) => n.matrix[o]?.[i] != null).map((i) => `M${top[i]} ${tall + 1}L${bottom[o]} ${low}`).join("");
      sized(net, full + 2, low + tall + 2, `${n.a} input channels above, ${n.b} output channels below`);
      put(wires, { d: upto(n.b, lead).join("") });
      put(own, { d: lead(n.at) });
      rows[0].update(top, 1, unit, tall, n.reads);
      rows[1].update(bottom, low, unit, tall, []);
      put(frame, { x: bottom[n.at] - unit / 2, y: low - 0.5, width: unit, height: tall + 1 });
      say(shown.caption, `${n.a} input channels → ${n.b} output channels`);

      weight.update({
        ...ui.grid(n.g > 1 ? "groups" : "weight", n), rows: n.fits ? n.b : 0, columns: n.a,
        cell: Math.floor(clamp((room - 18) / n.a, 12, 30)), at: [n.at, 0], indices: true, frames: [[n.at, 0, 1, n.a, "output"]],
        look(o, c) {
          const i = n.matrix[o][c], none = i === null, place = `output channel ${o}, input channel ${c}`;
          return {
            text: n.pairs[o][c] ?? "", n: none ? null : `pairs.${o}.${c}`, kind: none ? "pad" : o === n.at ? "kernel on" : "kernel",
            name: `${place}: ${none ? "no weight" : `weight[${o}, ${i}], ${n.k} by ${n.k}`}`,
          };
        },
      });
      return n.fits ? ["weight", n.g > 1 ? "less" : "cost", "flops"].map((name) => ui.line(name, n)) : [ui.line("groups", n)];
    },
  };
}

export default explorer({ numbers, sentence, build });
