// A photograph under a kernel that the reader edits.
import { correlate, pad, span } from "./lib/arith.js";
import { choice, h, moved, part, put, refill, s, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, fmt, upto } from "./lib/format.js";
import { grid } from "./lib/grid.js";
import { where } from "./lib/net.js";

const SIDE = 128;
const square = (k, f) => upto(k, (a) => upto(k, (b) => f(a, b)));

/** Remember the last answer: a window that moves changes no picture. */
const last = (f) => {
  let key, value;
  return (...now) => {
    if (!key || now.some((one, i) => one !== key[i])) value = f(...now);
    key = now;
    return value;
  };
};
const pixels = last((image) => {
  const bytes = atob(image);
  return square(SIDE, (a, b) => bytes.charCodeAt(a * SIDE + b));
});
const filtered = last((image, kernel, s, d, mode) => {
  const weight = JSON.parse(kernel), p = (d * (weight.length - 1)) / 2, padded = pad(pixels(image), [p, p], mode);
  const output = correlate(padded, weight, s, d), all = output.flat();
  return { p, padded, output, all, m: output.length, low: Math.min(...all), high: Math.max(...all) };
});

function numbers({ kernel, stride: s, dilation: d, padding_mode: mode, row, column, image }, { sample }) {
  const { p, padded, output, all, m, low, high } = filtered(image, JSON.stringify(kernel), s, d, mode), k = kernel.length;
  const r = Math.min(row, m - 1), c = Math.min(column, m - 1), total = +kernel.flat().reduce((a, b) => a + b, 0).toFixed(9);
  const signed = Math.abs(total) < 1e-6, most = Math.max(-low, high, 1e-9);
  return {
    k, s, d, p, m, low, high, output, span: span(k, d), row: r, column: c, weight: kernel, total, signed,
    black: signed ? -most : 0, white: signed ? most : 255,
    window: square(k, (a, b) => padded[r * s + a * d][c * s + b * d]), value: output[r][c], products: k * k, outputs: m * m,
    cut: signed ? 0 : all.filter((v) => v < 0 || v > 255).length, own: !image.startsWith(sample), mode: mode === "zeros" ? "constant" : mode,
  };
}

const sentence = (_, n) => ["sum", n.signed ? "grey" : n.total === 1 ? "kept" : "times", n.cut && "cut"];
const code = (_, n) => [n.own ? "own" : "convlib", "PyTorch"];

/** The middle of a picture file, as 128 · 128 grey bytes in base64. */
async function reduced(file) {
  const photo = await createImageBitmap(file), side = Math.min(photo.width, photo.height);
  const pen = h("canvas", { width: SIDE, height: SIDE }).getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(photo, (photo.width - side) / 2, (photo.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  const { data } = pen.getImageData(0, 0, SIDE, SIDE), grey = (i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
  return btoa(String.fromCharCode(...upto(SIDE * SIDE, (i) => Math.round(grey(i)))));
}

/** A picture of 128 · 128 pixels: paint(rows, black, white), and a frame over it. */
function picture(ui, label, role, point) {
  const canvas = h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": label });
  const frame = s("rect", { class: `cw-frame ${role}`, "vector-effect": "non-scaling-stroke", rx: 0.5 });
  const svg = s("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" }, frame), node = h("div", { class: "cw-photo" }, canvas, svg);
  const pen = canvas.getContext("2d"), bits = pen.createImageData(SIDE, SIDE);
  ui.pointing(node, (e) => where(e, svg).reverse().map((i) => clamp(Math.floor(i), 0, SIDE - 1)), (at) => point(...at), () => "picture");
  return {
    node,
    paint(rows, black, white) {
      bits.data.fill(0);
      rows.forEach((row, y) => row.forEach((v, x) => {
        const i = 4 * (y * SIDE + x), grey = Math.round((255 * (v - black)) / (white - black));
        bits.data.set([grey, grey, grey, 255], i);
      }));
      pen.putImageData(bits, 0, 0);
    },
    frame: (r, c, size) => put(frame, { x: c, y: r, width: size, height: size }),
  };
}

function build(ui) {
  let now, painted, seen, fields = [], failed = -9999;
  const sizes = [1, 3, 5], size = choice("Kernel", sizes, ["1 × 1", "3 × 3", "5 × 5"], (k) => {
    const shift = (now.k - k) / 2; // a larger kernel keeps its weights in the middle
    ui.set({ kernel: square(k, (a, b) => now.weight[a + shift]?.[b + shift] ?? 0) });
  });
  const editor = h("div", { class: "cw-weights" }), window = grid(ui);
  const field = (a, b) => {
    const node = h("input", { type: "number", step: "any", min: -100, max: 100, required: "", "aria-label": `Weight in row ${a}, column ${b}` });
    const write = (v) => ui.set({ kernel: now.weight.map((ws, r) => ws.map((w, c) => (r === a && c === b ? v : w))) });
    node.addEventListener("input", () => node.validity.valid && write(+node.value));
    node.addEventListener("blur", () => ui.set({}));
    return node;
  };
  const file = h("input", { type: "file", accept: "image/*" }), told = h("span", { class: "cw-caption", role: "status" }, ui.spec.promise);
  file.addEventListener("change", async () => {
    const image = await reduced(file.files[0]).catch(() => "");
    failed = image ? -9999 : performance.now();
    if (image) ui.set({ image });
    else say(told, "This file is not a picture that the browser can read.");
    file.value = ""; // the same file may be chosen again
  });
  const point = (row, column) => ui.set({ row: Math.min(row, now.m - 1), column: Math.min(column, now.m - 1) });
  const photo = picture(ui, "The photograph", "kernel", (r, c) => point(Math.round(r / now.s), Math.round(c / now.s)));
  const output = picture(ui, "The filtered photograph", "output", point);
  put(output.node, { tabindex: 0, role: "group", "aria-label": "Output: the arrow keys move the window" });
  ui.keys(output.node, (e) => {
    const move = moved(e.key, SIDE, 16);
    if (move) point(Math.max(0, now.row + move[0]), Math.max(0, now.column + move[1]));
    return !!move;
  });
  const parts = [part("Photograph 128 × 128", photo.node), part("", output.node)];

  return {
    nodes: [
      h("div", { class: "cw-play" }, h("div", {}, h("div", {}, size.node, editor), window.node), parts),
      h("div", { class: "cw-own" }, h("label", { class: "cw-button cw-file" }, "Your photograph", file), told),
    ],
    draw({ kernel, image }, n) {
      now = n;
      const { k, s, d } = n;
      size.update(k);
      if (fields.length !== k) {
        fields = square(k, field);
        refill(editor, fields.map((row) => h("div", {}, row)));
      }
      fields.flat().forEach((node, i) => {
        if (node !== document.activeElement) node.value = +kernel.flat()[i].toFixed(3); // what is being typed stays
        put(node, { "data-long": node.value.length > 4 });
      });
      const beyond = (i) => i < 0 || i >= SIDE;
      window.update({
        ...ui.grid("window", n), cell: 42,
        look: (a, b) => ({
          sub: `×${fmt(kernel[a][b])}`, kind: beyond(n.row * s + a * d - n.p) || beyond(n.column * s + b * d - n.p) ? "padding pad" : "input",
          name: `${fmt(n.window[a][b])} times ${fmt(kernel[a][b])}`,
        }),
      });
      if (seen !== image) photo.paint(pixels(image), 0, 255);
      if (performance.now() - failed > 4000) say(told, ui.spec.promise); // there was time to read what went wrong
      if (painted !== n.output) output.paint(n.output, n.black, n.white);
      [seen, painted] = [image, n.output];
      photo.frame(n.row * s - n.p, n.column * s - n.p, n.span);
      output.frame(n.row - 1, n.column - 1, 3);
      say(parts[1].caption, `Output ${n.m} × ${n.m}`);
      return [ui.line("sum", n)];
    },
  };
}

export default explorer({ numbers, sentence, code, build });
