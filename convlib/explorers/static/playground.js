// KernelPlayground: a photograph under a kernel that the reader edits.
import { source, span } from "./lib/arith.js";
import { grid, h, line, moved, part, put, refill, s, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { big, clamp, codes, count, fmt, py, upto } from "./lib/format.js";
import { choice, slider } from "./lib/input.js";

const SIDE = 128, SAMPLE = 101963; // checksum of the book's photograph
const square = (k, f) => upto(k, (a) => upto(k, (b) => f(a, b)));
const PRESETS = {
  "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]], "box blur": square(3, () => 1 / 9), "Gaussian blur": square(3, (a, b) => ((1 + a % 2) * (1 + b % 2)) / 16),
  "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], "edges": [[0, 1, 0], [1, -4, 1], [0, 1, 0]], "Sobel, left to right": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  "Sobel, top to bottom": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]], "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], "wide blur": square(5, () => 0.04),
};
const names = Object.keys(PRESETS), preset = (kernel) => names.find((name) => JSON.stringify(PRESETS[name]) === JSON.stringify(kernel));
const weights = (rows) => Array.isArray(rows) && [1, 3, 5].includes(rows.length) && rows.every((row) => Array.isArray(row) && row.length === rows.length && row.every((w) => typeof w === "number" && Math.abs(w) <= 100));
const keys = { kernel: weights, stride: [1, 4], dilation: [1, 4], padding_mode: ["zeros", "reflect", "replicate", "circular"], row: [0, SIDE - 1], column: [0, SIDE - 1], image: (v) => typeof v === "string" && /^[A-Za-z0-9+/]{21846}==$/.test(v) };

/** "1/9", "−0.5" and "0,5" are numbers too; null is none, or too large. */
const parse = (words) => {
  const [a, b = "1"] = words.trim().replace("−", "-").replaceAll(",", ".").split("/"), v = a ? a / b : NaN;
  return Math.abs(v) <= 100 ? v : null;
};

/** Remember the last answer. */
const last = (f) => {
  let key, value;
  return (...now) => (key && now.every((one, i) => one === key[i]) ? value : ((key = now), (value = f(...now))));
};
const checksum = last((image) => pixels(image).reduce((sum, v, i) => (sum * 31 + v + i) % 1000003, 7));
const pixels = last((image) => Uint8Array.from(image ? atob(image) : "", (one) => one.charCodeAt(0)));

function filtered(image, kernel, s, d, mode) {
  const photo = pixels(image), weight = JSON.parse(kernel), k = weight.length, p = (d * (k - 1)) / 2, m = Math.floor((SIDE - 1) / s) + 1;
  const output = new Float64Array(m * m), from = upto(SIDE + 2 * p, (i) => source(i - p, SIDE, mode));
  let low = Infinity, high = -Infinity;
  for (let y = 0; y < m; y++) for (let x = 0; x < m; x++) {
    let sum = 0;
    for (let a = 0; a < k; a++) {
      const r = from[y * s + a * d] * SIDE;
      if (r >= 0) for (let b = 0; b < k; b++) {
        const c = from[x * s + b * d];
        if (c >= 0) sum += photo[r + c] * weight[a][b];
      }
    }
    output[y * m + x] = sum;
    if (sum < low) low = sum;
    if (sum > high) high = sum;
  }
  return { output, m, p, low, high, from };
}

function numbers({ kernel, stride: s, dilation: d, padding_mode: mode, row, column, image }, filter = filtered) {
  const made = filter(image, JSON.stringify(kernel), s, d, mode), { m, from, low, high } = made, k = kernel.length, photo = pixels(image);
  const r = Math.min(row, m - 1), c = Math.min(column, m - 1), total = +kernel.flat().reduce((a, b) => a + b, 0).toFixed(9), signed = Math.abs(total) < 1e-6, most = Math.max(-low, high, 1e-9);
  const read = (a, b) => (a < 0 || b < 0 ? 0 : photo[a * SIDE + b]);
  return {
    ...made, k, s, d, span: span(k, d), row: r, column: c, weight: kernel, total, signed, black: signed ? -most : 0, white: signed ? most : 255,
    window: square(k, (a, b) => read(from[r * s + a * d], from[c * s + b * d])), value: made.output[r * m + c], cut: signed ? 0 : made.output.reduce((sum, v) => sum + (v < 0 || v > 255), 0),
    own: checksum(image) !== SAMPLE,
  };
}

function sentence(_, n) {
  const even = n.signed ? "an even region becomes 0, drawn in grey" : n.total === 1 ? "an even region keeps its brightness" : `an even region becomes ${fmt(n.total)} times as bright`;
  return `Output (${n.row}, ${n.column}) is ${fmt(n.value)}, the sum of ${count(n.k * n.k, "product")}. The weights add up to ${fmt(n.total)}: ${even}.${n.cut ? ` Of ${big(n.m ** 2)} outputs, ${big(n.cut)} ${n.cut === 1 ? "is" : "are"} below black or above white.` : ""}`;
}

function code({ kernel, stride, dilation, padding_mode }, n) {
  const mode = padding_mode === "zeros" ? "constant" : padding_mode, sides = `(${n.p}, ${n.p}, ${n.p}, ${n.p}), mode="${mode}"`, settings = `stride=${stride}, dilation=${dilation}`;
  const photo = n.own ? `from PIL import Image\n\nphoto = Image.open("photograph.jpg").convert("L").resize((128, 128))  # yours\nimage = np.array(photo, float)[None, None]\n`
    : `from convlib import samples\n\ncolour = samples.photograph(top=30, left=60, height=384, width=384)\ngrey = (colour @ [0.299, 0.587, 0.114]).reshape(128, 3, 128, 3)\nimage = grey.mean((1, 3)).round()[None, None]\n`;
  return codes(`${photo}weight = np.array(\n    ${py(kernel)}, float\n)[None, None]\npadded = convlib.pad(image, ${sides})\noutput = convlib.conv2d(padded, weight, ${settings})\n`,
    `padded = torch.nn.functional.pad(torch.from_numpy(image), ${sides})\ntwin = torch.nn.functional.conv2d(padded, torch.from_numpy(weight), ${settings})\n`);
}

function build(ui) {
  let now, painted, seen;
  const start = choice("Start from", names.map((name) => [name, name]), (name) => ui.set({ kernel: PRESETS[name] }));
  const radius = slider("Kernel", [0, 2], (v) => {
    const shift = (now.k - 1) / 2 - v; // a larger kernel keeps its weights in the middle
    ui.set({ kernel: square(2 * v + 1, (a, b) => now.weight[a + shift]?.[b + shift] ?? 0) });
  }, "kernel");
  const stride = slider("Stride", keys.stride, (v) => ui.set({ stride: v }), "output"), dilation = slider("Dilation", keys.dilation, (v) => ui.set({ dilation: v }), "kernel");
  const editor = h("div", { class: "cw-weights" }), window = grid(ui);
  let fields = [];
  // A weight: typed, or a whole number up and down by the arrow keys.
  const field = (a, b) => {
    const node = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": `Weight in row ${a}, column ${b}` });
    const write = (v) => ui.set({ kernel: now.weight.map((ws, r) => ws.map((w, c) => (r === a && c === b ? v : w))) });
    node.addEventListener("input", () => {
      const v = parse(node.value);
      put(node, { "aria-invalid": v === null && "true" });
      if (v !== null) write(v);
    });
    node.addEventListener("focus", () => node.select());
    node.addEventListener("blur", () => (put(node, { "aria-invalid": null }), (node.value = fmt(now.weight[a][b], 3))));
    ui.keys(node, ({ key }) => {
      const by = { ArrowUp: 1, ArrowDown: -1 }[key], v = by && clamp(+(now.weight[a][b] + by).toFixed(9), -100, 100);
      if (by) write(v), (node.value = fmt(v, 3));
      return !!by;
    });
    return node;
  };
  const file = h("input", { type: "file", accept: "image/*" }), own = h("label", { class: "cw-button cw-file" }, "Your photograph", file), promise = "Read in this page, sent nowhere.";
  const told = h("span", { class: "cw-caption" }, promise);
  file.addEventListener("change", async () => {
    try {
      const photo = await createImageBitmap(file.files[0]), side = Math.min(photo.width, photo.height), pen = h("canvas", { width: SIDE, height: SIDE }).getContext("2d");
      pen.imageSmoothingQuality = "high";
      pen.drawImage(photo, (photo.width - side) / 2, (photo.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
      const { data } = pen.getImageData(0, 0, SIDE, SIDE), bytes = upto(SIDE * SIDE, (i) => Math.round(0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]));
      ui.set({ image: btoa(String.fromCharCode(...bytes)) });
      say(told, promise);
    } catch {
      say(told, "This file is not a picture that the browser can read.");
    }
  });
  // A picture: the pixels, and a frame over them.
  const picture = (label, kind, to) => {
    const canvas = h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": label }), frames = ["halo", kind].map((role) => s("rect", { class: `cw-frame ${role}`, "vector-effect": "non-scaling-stroke", rx: 0.5 }));
    const node = h("div", { class: "cw-photo" }, canvas, s("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" }, frames)), pen = canvas.getContext("2d"), bits = pen.createImageData(SIDE, SIDE);
    const go = (e) => {
      const box = node.getBoundingClientRect();
      ui.set(to(clamp(Math.floor(((e.clientY - box.top) / box.height) * SIDE), 0, SIDE - 1), clamp(Math.floor(((e.clientX - box.left) / box.width) * SIDE), 0, SIDE - 1)));
    };
    node.addEventListener("pointermove", (e) => e.pointerType === "mouse" && go(e));
    node.addEventListener("click", go);
    const paint = (side, value) => {
      for (let i = 0; i < SIDE * SIDE; i++) {
        const y = Math.floor(i / SIDE), x = i % SIDE, inside = y < side && x < side;
        bits.data.fill(inside ? value(y * side + x) : 0, 4 * i, 4 * i + 3);
        bits.data[4 * i + 3] = inside ? 255 : 0;
      }
      pen.putImageData(bits, 0, 0);
    };
    return { node, paint, frame: (r, c, size) => frames.forEach((one) => put(one, { x: c, y: r, width: size, height: size })) };
  };
  const to = (r, c) => ({ row: Math.min(r, now.m - 1), column: Math.min(c, now.m - 1) });
  const photo = picture("The photograph", "kernel", (r, c) => to(Math.round(r / now.s), Math.round(c / now.s))), output = picture("The filtered photograph", "output", to);
  put(output.node, { tabindex: 0, role: "group", "aria-label": "Output: the arrow keys move the window" });
  ui.keys(output.node, (e) => {
    const move = moved(e.key, SIDE, 16);
    if (move) ui.set({ row: clamp(now.row + move[0], 0, now.m - 1), column: clamp(now.column + move[1], 0, now.m - 1) });
    return !!move;
  });
  const parts = [part("Kernel", editor), part("Photograph 128 × 128", photo.node), part("", output.node)], sum = h("div", { class: "cw-lines" });

  return {
    nodes: [start.node, h("div", { class: "cw-controls" }, radius.node, stride.node, dilation.node), h("div", { class: "cw-play" }, h("div", {}, parts[0], window.node), parts[1], parts[2]), sum, h("div", { class: "cw-own" }, own, told)],
    draw({ kernel, image }, n) {
      now = n;
      const { k, s, d } = n;
      start.update(preset(kernel) ?? "");
      radius.update((k - 1) / 2), stride.update(s), dilation.update(d);
      say(radius.node.querySelector("output"), `${k} × ${k}`);
      put(radius.node.querySelector("input"), { "aria-valuetext": `${k} by ${k}` });
      if (fields.length !== k) {
        fields = square(k, field);
        refill(editor, fields.map((row) => h("div", {}, row)));
      }
      fields.forEach((row, a) => row.forEach((node, b) => { if (parse(node.value) !== kernel[a][b] && node !== document.activeElement) node.value = fmt(kernel[a][b], 3); }));
      window.update({
        values: n.window, path: "window", cell: 42, name: `The window of output row ${n.row}, column ${n.column}`, caption: `Window at (${n.row}, ${n.column})`,
        look(a, b) {
          const zero = n.from[n.row * s + a * d] < 0 || n.from[n.column * s + b * d] < 0;
          return { sub: `×${fmt(kernel[a][b])}`, kind: zero ? "padding pad" : "input", name: `${fmt(n.window[a][b])} times ${fmt(kernel[a][b])}` };
        },
      });
      if (seen !== image) photo.paint(SIDE, (i) => pixels(image)[i]), (seen = image);
      if (painted !== n.output) output.paint(n.m, (i) => Math.round((255 * (n.output[i] - n.black)) / (n.white - n.black))), (painted = n.output);
      photo.frame(n.row * s - n.p, n.column * s - n.p, n.span);
      output.frame(n.row - 1, n.column - 1, 3);
      say(parts[2].caption, `Output ${n.m} × ${n.m}`);
      refill(sum, line("sum", n, "of the products {value:output}, of the weights {total:kernel}. Black is {black}, white {white}; outputs go from {low:output} to {high:output}"));
    },
  };
}

const filter = last(filtered);
const play = ({ kernel }) => ({ kernel: PRESETS[names[(names.indexOf(preset(kernel)) + 1) % names.length]] });

export default explorer({
  name: "playground", title: "Your kernel, on a photograph", keys, numbers: (state) => numbers(state, filter), sentence, code, build, play, unlinked: ["image"],
  controls: [{ key: "padding_mode", label: "Beyond the border" }],
});
