// Eight letters, the loops they are, and the matrix product they become.
import { button, h, num, put, refill } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { fmt, product } from "./lib/format.js";

const loop = (list) => (list.length ? `for ${list.join(", ")}` : "no loop");

function numbers(state, { arrays }) {
  const letters = [...arrays.letters], times = (list) => product([...list].map((x) => state[x]));
  const summed = letters.filter((x) => state.summed.includes(x)), kept = letters.filter((x) => !summed.includes(x));
  // Which side of the matrix product a letter is: in both arrays or in one, kept or summed.
  const role = Object.fromEntries(letters.map((x) => {
    const keep = kept.includes(x), windows = arrays.windows.includes(x);
    return [x, windows && arrays.weight.includes(x) ? (keep ? "batch" : "K") : !keep ? "first" : windows ? "M" : "N"];
  }));
  const of = (name) => letters.filter((x) => role[x] === name), [M, N, K, batch] = ["M", "N", "K", "batch"].map((name) => times(of(name)));
  const bytes = 4 * times(arrays.windows), input = 4 * times("ngi") * (state.h + state.k - 1) * (state.w + state.l - 1);
  return {
    size: Object.fromEntries(letters.map((x) => [x, state[x]])), subscripts: `${arrays.windows},${arrays.weight}->${kept.join("")}`,
    kept, summed, keeps: kept.length, sums: summed.length, role, first: of("first"), firsts: of("first").join(", ").replace(/, (?=.$)/, " and "),
    batches: of("batch").join(", "), outer: loop(kept), inner: loop(summed), index: kept.join(", "),
    M, N, K, batch, outside: times(kept), inside: times(summed),
    flops: 2 * times(letters), product: 2 * batch * M * N * K, input, ratio: bytes / input, bytes,
  };
}

const isConvolution = (n) => n.summed.join("") === "ikl";
const sentence = (_, n) => [
  isConvolution(n) ? "convolution" : "other",
  `${n.batch === 1 ? "one" : "many"}${["", "_first"][n.first.length] ?? "_firsts"}`,
];
const code = (_, n) => [isConvolution(n) ? "contract" : "convlib", "PyTorch"];

function build(ui) {
  const { letters, windows, weight } = ui.spec.arrays, label = (text, role = "") => h("span", { class: `cw-caption cw-${role}` }, text);
  const toggle = (x) => {
    const now = ui.state().summed;
    ui.set({ summed: [...letters].filter((y) => now.includes(y) !== (x === y)).join("") });
  };
  const list = [...letters], keys = list.map((x) => button(x, () => toggle(x), { "aria-label": `keep ${x}` }));
  const rows = h("div", { class: "cw-rows" });

  return {
    nodes: [h("div", { class: "cw-letters" }, label("keep"), keys, rows), h("p", { class: "cw-caption" }, ui.spec.hint)],
    draw(_, n) {
      list.forEach((x, i) => put(keys[i], { "aria-pressed": String(n.kept.includes(x)) }));
      const box = (x, role, there, empty) =>
        h("span", { class: `cw-box cw-b-${there && role}` }, there ? num(`size.${x}`, fmt(n.size[x])) : empty);
      const row = (name, role, has, empty = "") => [label(name, role), list.map((x) => box(x, role, has.includes(x), empty))];
      refill(rows, row("windows", "input", windows), row("weight", "kernel", weight), row("output", "output", n.kept, "Σ"),
        label("matmul"), list.map((x) => h("span", { class: "cw-box" }, num(`role.${x}`, n.role[x]))));

      return ["einsum", "outer", "inner", "body", n.batch > 1 ? "products" : "product", n.first.length ? "flops_first" : "flops", "im2col"].map((name) => ui.line(name, n));
    },
  };
}

export default explorer({ numbers, sentence, code, build });
