// GroupsExplorer: which input channels an output channel reads, and which weights are never made.
import { grid, h, line, part, put, refill, s, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, codes, listed, upto } from "./lib/format.js";
import { button } from "./lib/input.js";
import { box, pick } from "./lib/net.js";

const keys = { in_channels: [1, 16], out_channels: [1, 16], groups: [1, 16], kernel_size: [1, 7], channel: [0, 15] };

function numbers({ in_channels: a, out_channels: b, groups: g, kernel_size: k, channel }) {
  const fits = a % g === 0 && b % g === 0, at = Math.min(channel, b - 1), per = a / g, each = b / g;
  // weight[o, i] belongs to output channel o and to the i-th input channel of o's group.
  const matrix = upto(fits ? b : 0, (o) => upto(a, (c) => (Math.floor(c / per) === Math.floor(o / each) ? c % per : null)));
  const params = fits ? b * per * k * k : null, dense = a * b * k * k;
  const choices = upto(16, (i) => i + 1).filter((i) => a % i === 0 && b % i === 0).join(", ");
  return {
    a, b, g, k, fits, choices, at, matrix, dense, params, per: fits ? per : null, each: fits ? each : null, flops: fits ? 2 * params : null,
    group: fits ? Math.floor(at / each) : null, reads: fits ? upto(a).filter((c) => matrix[at][c] !== null) : [],
  };
}

const kindOf = ({ a, b, g, each }) => g === 1 ? (a === 1 ? "" : " One group: every output channel reads every input channel.")
  : g === a ? ` Depthwise: each input channel has ${each === 1 ? "one output channel of its own" : `${each} output channels of its own, the multiplier is ${each}`}.`
    : ` ${g} groups, as ${g} convolutions side by side: none sees the channels of another.`;

function sentence(_, n) {
  if (!n.fits) {
    const [name, value] = n.a % n.g ? ["in_channels", n.a] : ["out_channels", n.b];
    return `No weight: ${name} ${value} does not divide by groups ${n.g}.`;
  }
  return `Output channel ${n.at} reads ${listed("input channel", n.reads)}, ${n.per} of ${n.a}.${kindOf(n)}`;
}

const code = ({ in_channels: a, out_channels: b, groups: g, kernel_size: k }) => codes(
  `input = np.ones((1, ${a}, ${k}, ${k}), np.float32)\nweight = np.ones((${b}, ${a} // ${g}, ${k}, ${k}), np.float32)\noutput = convlib.conv2d(input, weight, groups=${g})\nprint(output.shape, weight.shape, weight.size)\n`,
  `layer = torch.nn.Conv2d(${a}, ${b}, ${k}, groups=${g}, bias=False)\ntorch.nn.init.ones_(layer.weight)\ntwin = layer(torch.from_numpy(input))\nprint(twin.shape, layer.weight.shape, layer.weight.numel())\n`,
);

function build(ui) {
  const net = s("svg", { class: "cw-net", role: "img" }), weight = grid(ui, (channel) => ui.set({ channel }));
  const shown = part("", net), lines = h("div", { class: "cw-lines" });
  const one = button("One group", () => ui.set({ groups: 1 }));
  const depthwise = button("Depthwise", () => {
    const { in_channels: a, out_channels: b } = ui.state();
    ui.set({ groups: a, out_channels: Math.min(Math.floor(16 / a), Math.max(1, Math.round(b / a))) * a });
  });
  let places = [], laid = "";
  pick(ui, net, "channel", () => places);

  return {
    nodes: [h("div", { class: "cw-tools" }, one, depthwise), h("div", { class: "cw-stage" }, shown, weight.node), lines],
    draw(_, n, width) {
      const most = Math.max(n.a, n.b), beside = width >= 600, room = beside ? (width - 28) / 2 : width;
      // The channels, a gap between groups; both rows as wide as the longer one.
      const unit = clamp((room - 2) / (most + (n.fits ? (n.g - 1) * 0.35 : 0)), 12, 34), gap = n.fits ? 0.35 * unit : 0;
      const full = most * unit + (n.fits ? n.g - 1 : 0) * gap, tall = 26, low = 132, words = [];
      const row = (count, per) => upto(count, (i) => n.fits
        ? 1 + (Math.floor(i / per) + 0.5) * ((full + gap) / n.g) - gap / 2 + ((i % per) - (per - 1) / 2) * unit
        : 1 + full / 2 + (i - (count - 1) / 2) * unit);
      const top = row(n.a, n.per), bottom = row(n.b, n.each);
      places = bottom;
      const draw = (xs, y, kind, marked) => [s("path", { class: `cw-f-${kind}`, d: xs.map((x) => box(x, y, unit, tall)).join("") }), marked, xs.map((x, i) => s("text", { x, y: y + tall / 2, "font-size": clamp(unit * 0.5, 9, 13) }, String(i)))].flat();
      const wires = (o) => upto(n.a).filter((i) => n.matrix[o]?.[i] != null).map((i) => `M${top[i]} ${tall + 1}L${bottom[o]} ${low}`).join("");
      put(net, { viewBox: `0 0 ${full + 2} ${low + tall + 2}`, width: full + 2, height: low + tall + 2, "aria-label": `${n.a} input channels above, ${n.b} output channels below` });
      const drawn = JSON.stringify([n.a, n.b, n.g, unit]);
      if (drawn !== laid) words.push(...upto(n.b, wires));
      const faint = drawn === laid ? net.firstChild : s("path", { class: "cw-thin", d: words.join("") });
      laid = drawn;
      refill(net, faint, s("path", { class: "cw-wire", d: wires(n.at) }), draw(top, 1, "input", s("path", { class: "cw-f-kernel", d: n.reads.map((i) => box(top[i], 1, unit, tall)).join("") })), draw(bottom, low, "output", ""),
        s("rect", { class: "cw-frame output", x: bottom[n.at] - unit / 2, y: low - 0.5, width: unit, height: tall + 1, rx: 4 }));

      const size = Math.floor(clamp((room - 18) / n.a, 12, 30));
      weight.update({
        rows: n.b, columns: n.a, cell: size, at: [n.at, 0], indices: true, name: "Which output channel has a weight for which input channel",
        caption: !n.fits ? "No weights" : `i of weight[o, i], a row for each o${n.g > 1 ? "; empty: no weight" : ""}`,
        look(o, c) {
          const i = n.matrix[o]?.[c] ?? null, name = `output channel ${o}, input channel ${c}`;
          return i === null ? { kind: "pad", name: `${name}: no weight` } : { text: String(i), n: `matrix.${o}.${c}`, kind: `kernel${o === n.at ? " on" : ""}`, name: `${name}: weight[${o}, ${i}], ${n.k} by ${n.k}` };
        },
      });
      if (n.fits) weight.frame(n.at, 0, 1, n.a, "output");
      say(shown.caption, `${n.a} input channels → ${n.b} output channels`);
      refill(lines, n.fits ? [
        line("weight", n, "shape ({b:output}, {a:input}/{g} = {per:kernel}, {k:kernel}, {k:kernel})"),
        line("cost", n, `{b:output}·{per:kernel}·{k:kernel}·{k:kernel} = {params:kernel} parameters${n.g > 1 ? ", with one group {dense}, {g} times as many" : ""}`),
        line("", n, "2·{params:kernel} = {flops} FLOPs an output position"),
      ] : line("groups", n, "{a:input} / {g} and {b:output} / {g} must both be whole: groups may be {choices}"));
    },
  };
}

export default explorer({
  name: "groups", title: "Who reads whom: channels in groups", keys, numbers, sentence, code, build,
  controls: [
    { key: "in_channels", label: "In channels" }, { key: "out_channels", label: "Out channels", role: "output" },
    { key: "groups", label: "Groups", role: "kernel" }, "kernel_size",
  ],
  play: (_, n) => (n.fits ? { channel: (n.at + 1) % n.b } : null),
});
