// EinsumExplorer: eight letters, the loops they are, and the matrix product they become.
import { h, line, num, part, put, refill, s, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { big, codes, fmt, listed, upto } from "./lib/format.js";
import { button } from "./lib/input.js";

const letters = [..."ngohwikl"], has = { windows: "ngihwkl", weight: "goikl" };
const words = { i: "i in", h: "h rows", w: "w columns", k: "k tap rows", l: "l tap cols", o: "o out", n: "n images", g: "g groups" };
const keys = {
  n: [1, 8], g: [1, 8], i: [1, 64], h: [1, 64], w: [1, 64], k: [1, 7], l: [1, 7], o: [1, 64],
  summed: (v) => typeof v === "string" && new Set(v).size === v.length && [...v].every((x) => letters.includes(x)),
};
const memory = (bytes) => bytes < 1e3 ? { value: bytes, unit: "bytes" } : bytes < 1e6 ? { value: bytes / 1e3, unit: "kB" } : bytes < 1e9 ? { value: bytes / 1e6, unit: "MB" } : { value: bytes / 1e9, unit: "GB" };

function numbers(state) {
  const times = (list) => list.reduce((product, x) => product * state[x], 1);
  const summed = letters.filter((x) => state.summed.includes(x)), kept = letters.filter((x) => !summed.includes(x));
  // Which side of the matrix product a letter is: in both arrays or in one, kept or summed.
  const role = Object.fromEntries(letters.map((x) => {
    const both = has.windows.includes(x) && has.weight.includes(x), keep = kept.includes(x);
    return [x, both ? (keep ? "batch" : "K") : !keep ? "first" : has.windows.includes(x) ? "M" : "N"];
  }));
  const of = (name) => letters.filter((x) => role[x] === name), [M, N, K, batch] = ["M", "N", "K", "batch"].map((name) => times(of(name)));
  const columns = 4 * times([...has.windows]), input = 4 * times([..."ngi"]) * (state.h + state.k - 1) * (state.w + state.l - 1);
  return {
    size: Object.fromEntries(letters.map((x) => [x, state[x]])), subscripts: `${has.windows},${has.weight}->${kept.join("")}`,
    kept, summed, role, first: of("first"), batches: of("batch"), M, N, K, batch, outside: times(kept), inside: times(summed),
    flops: 2 * times(letters), product: 2 * batch * M * N * K, columns: memory(columns), input: memory(input), ratio: columns / input, bytes: columns,
  };
}

function sentence(_, n) {
  const convolution = n.summed.join("") === "ikl";
  return `${n.kept.length} letters kept, ${n.summed.length} summed: ${convolution ? "a convolution. It is" : "not a convolution, which sums i, k and l. It is"} ` +
    `${n.batch === 1 ? "one matrix product" : `${big(n.batch)} matrix products, each`} with M = ${big(n.M)}, N = ${big(n.N)}, K = ${big(n.K)}` +
    `${n.first.length ? `, after a sum over ${listed("", n.first).replace(/^s? /, "")}${n.first.length > 1 ? ", each" : ""} in the one array that has it` : ""}.`;
}

function code({ summed }, n) {
  const sizes = [..."ngihwklo"], shape = (list) => [...list].join(", ");
  const same = n.summed.join("") === "ikl" ? "assert np.array_equal(output, convlib.contract(np, view, weight))\n" : "";
  return codes(
    `${shape(sizes)} = ${sizes.map((x) => n.size[x]).join(", ")}\ninput = np.ones((n, g * i, h + k - 1, w + l - 1), np.float32)\n` +
      `view = convlib.windows(input, (k, l)).reshape(${shape(has.windows)})\nweight = np.ones((${shape(has.weight)}), np.float32)\noutput = np.einsum("${n.subscripts}", view, weight, optimize=True)\n` +
      `${same}flops = 2 * ${sizes.join(" * ")}\nprint(output.shape, flops, "FLOPs,", view.size * 4, "bytes if copied")\n`,
    `twin = torch.einsum("${n.subscripts}", torch.tensor(view), torch.tensor(weight))\nprint(twin.shape)\n`,
  );
}

function build(ui) {
  const cell = () => h("span", { class: "cw-box" }), label = (text, role = "") => h("span", { class: `cw-caption cw-${role}` }, text);
  const toggle = (x) => {
    const now = ui.state().summed;
    ui.set({ summed: letters.filter((y) => now.includes(y) !== (x === y)).join("") });
  };
  const columns = letters.map((x) => ({ x, key: button(x, () => toggle(x)), windows: cell(), weight: cell(), output: cell(), part: cell() }));
  const rows = ["windows", "weight", "output", "part"].map((row) => [label({ part: "matmul" }[row] ?? row, { windows: "input", weight: "kernel", output: "output" }[row]), columns.map((c) => c[row])]);
  const table = h("div", { class: "cw-letters" }, label("keep"), columns.map((c) => c.key), rows.flat(2));
  const picture = s("svg", { class: "cw-net cw-still-hand", role: "img" }), product = part("", picture), lines = h("div", { class: "cw-lines" });

  return {
    nodes: [table, h("p", { class: "cw-caption" }, "Tap a letter to keep it in the output, or to sum it away (Σ)."), lines, product],
    draw(_, n, width) {
      for (const { x, key, windows, weight, output, part: place } of columns) {
        const keep = n.kept.includes(x), role = n.role[x];
        put(key, { "aria-pressed": String(keep), "aria-label": `keep ${x}` });
        const fill = (box, there, kind, empty = "") => refill(put(box, { class: `cw-box ${there ? `cw-b-${kind}` : ""}` }), there ? num(`size.${x}`, fmt(n.size[x])) : empty);
        fill(windows, has.windows.includes(x), "input");
        fill(weight, has.weight.includes(x), "kernel");
        fill(output, keep, "output", "Σ");
        refill(place, num(`role.${x}`, role));
      }
      // Three rectangles, their sides on a logarithmic scale; copies behind for a batch.
      const long = (x) => 10 + 6.2 * Math.log2(x), wide = Math.min(230, (width - 2) / 3), tall = Math.max(long(n.M), long(n.K)) + 10;
      const three = [["windows", "input", "M", "K"], ["weight", "kernel", "K", "N"], ["output", "output", "M", "N"]].map(([name, role, a, b], i) => {
        const x = wide * (i + 0.5), w = long(n[b]), t = long(n[a]), y = 4 + (tall - t) / 2;
        return s("g", {}, upto(Math.min(3, n.batch)).reverse().map((j) => s("rect", { x: x - w / 2 + 4 * j, y: y - 4 * j, width: w, height: t, class: `cw-f-${role} cw-s-${role}` })),
          s("text", { x, y: tall + 18, "font-size": 12, class: `cw-tone-${role}` }, name), s("text", { x, y: tall + 35, "font-size": 12 }, `${a} × ${b}`),
          s("text", { x, y: tall + 52, "font-size": 12 }, s("tspan", { "data-n": a }, big(n[a])), " × ", s("tspan", { "data-n": b }, big(n[b]))),
          i < 2 ? s("text", { x: wide * (i + 1), y: 4 + tall / 2, "font-size": 18 }, i ? "=" : "·") : null);
      });
      put(picture, { viewBox: `0 0 ${3 * wide} ${tall + 64}`, width: 3 * wide, height: tall + 64, "aria-label": `M ${n.M} by K ${n.K} times K ${n.K} by N ${n.N}` });
      refill(picture, three);
      say(product.caption, `${n.batch === 1 ? "One matrix product" : `${big(n.batch)} matrix products, one for each ${n.batches.join(", ")}`}; sides on a logarithmic scale`);

      const loop = (list) => (list.length ? `for ${list.join(", ")}` : "no loop"), index = (name, role, list) => [h("span", { class: `cw-${role}` }, name), `[${[...list].join(", ")}]`];
      refill(lines,
        line("einsum", n, '"{subscripts}"'),
        line("loops", n, `${loop(n.kept)}: {outside:output} ${n.outside === 1 ? "number" : "numbers"}`),
        line("", n, `   ${loop(n.summed)}: {inside} ${n.inside === 1 ? "product" : "products"}`),
        line("", n, ["      ", index("output", "output", n.kept), " += ", index("windows", "input", has.windows), " · ", index("weight", "kernel", has.weight)]),
        line("FLOPs", n, `2·{outside:output}·{inside} = {flops}${n.first.length ? "; the matrix product alone {product}" : ""}`),
        line("im2col", n, `copies {columns.value:input} ${n.columns.unit} of float32, {ratio} times the input's {input.value:input} ${n.input.unit} (stride 1)`));
    },
  };
}

export default explorer({
  name: "einsum", title: "Eight letters: kept or summed", keys, numbers, sentence, code, build,
  controls: Object.keys(words).map((key) => ({ key, label: words[key], role: { o: "output", k: "kernel", l: "kernel" }[key] })),
});
