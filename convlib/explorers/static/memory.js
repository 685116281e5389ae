// MemoryExplorer: index → offset → bytes, and all elements that lie on the same bytes.
import { sizes } from "./lib/arith.js";
import { grid, h, line, part, put, refill, s, say } from "./lib/draw.js";
import { explorer } from "./lib/explorer.js";
import { clamp, codes, count, fmt, listed, tuple, upto } from "./lib/format.js";
import { choice, slider } from "./lib/input.js";

// shape, strides, buffer, offset, index: as in memory.py
const PRESETS = {
  windows: [[6, 3], [2, 2], 16, 0, [2, 1]], "windows with stride": [[3, 3], [4, 2], 16, 0, [1, 0]], "windows with dilation": [[4, 3], [2, 4], 16, 0, [1, 1]],
  "windows in 2-d": [[2, 2, 3, 3], [8, 2, 8, 2], 32, 0, [0, 1, 1, 1]], rows: [[3, 4], [8, 2], 24, 0, [1, 2]], transpose: [[4, 3], [2, 8], 24, 0, [2, 1]],
  reversed: [[8], [-2], 16, 14, [1]], broadcast: [[3, 8], [0, 2], 16, 0, [1, 2]], "too far": [[7, 3], [2, 2], 16, 0, [6, 2]],
};
const MOST = 96, product = (list) => list.reduce((a, b) => a * b, 1);
const integers = (low, high, least, most = Infinity) => (v) => Array.isArray(v) && v.length >= least && v.length <= 4 && v.every((i) => Number.isInteger(i) && i >= low && i <= high) && product(v) <= most;
const keys = {
  preset: [...Object.keys(PRESETS), "custom"], shape: integers(1, 12, 1, MOST), strides: integers(-48, 48, 1), buffer: [1, 96],
  itemsize: (v) => [1, 2, 4, 8].includes(v), offset: [0, 95], index: integers(0, 11, 0),
};
const bytes = (from, size) => (size > 2 ? `bytes ${fmt(from)} to ${fmt(from + size - 1)}` : listed("byte", upto(size, (i) => from + i)));

function numbers({ shape: wide, strides: steps, buffer, itemsize: size, offset, index: wanted }) {
  const axes = Math.min(wide.length, steps.length), shape = wide.slice(0, axes), strides = steps.slice(0, axes);
  const index = shape.map((n, a) => clamp(wanted[a] ?? 0, 0, n - 1));
  let offsets = [offset], indices = [[]];
  shape.forEach((n, a) => {
    offsets = offsets.flatMap((o) => upto(n, (i) => o + i * strides[a]));
    indices = indices.flatMap((at) => upto(n, (i) => [...at, i]));
  });
  // The buffer holds 0, 10, 20, … (0, 1, 2, … in single bytes), the smaller half of a number first.
  const owned = upto(Math.floor(buffer / size), (i) => i * (size > 1 ? 10 : 1));
  const memory = upto(buffer, (b) => Math.floor((owned[Math.floor(b / size)] ?? 0) / 256 ** (b % size)) % 256);
  const inside = (o) => o >= 0 && o + size <= buffer;
  const values = offsets.map((o) => {
    if (!inside(o)) return null;
    const v = BigInt.asIntN(8 * size, upto(size).reduceRight((sum, b) => sum * 256n + BigInt(memory[o + b]), 0n));
    return Number.isSafeInteger(Number(v)) ? Number(v) : String(v);
  });
  const flat = index.reduce((f, i, a) => f * shape[a] + i, 0), at = offsets[flat], reads = memory.map(() => 0);
  offsets.forEach((o, i) => values[i] !== null && upto(size).forEach((b) => reads[o + b]++));
  const outside = upto(offsets.length).filter((i) => values[i] === null);
  return {
    shape, strides, buffer, size, start: offset, index, indices, offsets, owned, memory, values, flat, at, value: values[flat], reads, outside,
    shared: upto(offsets.length).filter((i) => Math.abs(offsets[i] - at) < size), used: reads.filter(Boolean).length,
    unread: upto(buffer).filter((b) => !reads[b]), low: Math.min(...offsets), end: Math.max(...offsets) + size,
  };
}

function sentence(_, n) {
  const others = n.shared.filter((i) => i !== n.flat), all = n.offsets.length, bad = n.outside.length, where = bytes(n.at, n.size);
  const named = others.slice(0, 4).map((i) => tuple(n.indices[i])).join(", ") + (others.length > 4 ? ` and ${others.length - 4} more` : "");
  const alike = others.every((i) => n.offsets[i] === n.at), is = others.length === 1 ? "is" : "are";
  const first = n.value === null ? `would be read from ${where}, but the buffer ${n.at < 0 ? "begins with byte 0" : `ends with byte ${n.buffer - 1}`}. as_strided would go there.`
    : `is read from ${where}. ${!named ? "No other element lies there." : alike ? `So ${is} ${named}: stored once, shown ${n.shared.length} times.` : `Some of these bytes also belong to ${named}.`}`;
  return `Element ${tuple(n.index)} ${first} ${bad ? `${bad} of ${count(all, "element")} ${bad === 1 ? "lies" : "lie"} outside, the first at index ${tuple(n.indices[n.outside[0]])}.`
    : `In all, ${count(all, "element")} of ${count(n.size, "byte")} live in ${count(n.used, "byte")}.`}${n.unread.length ? ` Never read: ${listed("byte", n.unread)}.` : ""}`;
}

function code(_, n) {
  const steps = n.strides.map((v) => v / n.size), [m, k] = n.shape, [stride, dilation] = steps, items = n.owned.length, type = `"<i${n.size}"`;
  const whole = n.start % n.size === 0 && steps.every((v) => Number.isInteger(v) && v >= 0), bad = n.outside.length, list = (v) => `(${v.join(", ")},)`;
  const ours = whole && n.shape.length === 2 && !n.start && stride && dilation && m === sizes(items, k, stride, 0, dilation).output;
  const made = ours ? `view = convlib.windows(numbers, ${k}, stride=${stride}, dilation=${dilation})\nassert view.strides == ${list(n.strides)}\n`
    : `buffer = numbers.tobytes() + bytes(${n.buffer - items * n.size})\n# ${bad ? "ValueError: " : ""}np.ndarray looks whether the bytes are there, as_strided does not\n` +
      `view = np.ndarray(${list(n.shape)}, ${type}, buffer, ${n.start}, ${list(n.strides)})\n`;
  return codes(`numbers = np.arange(${items}, dtype=${type})${n.size > 1 ? " * 10" : ""}\n${made}`,
    whole ? `# in elements${bad ? "; RuntimeError: it looks whether they are there" : ""}\ntwin = torch.as_strided(torch.from_numpy(numbers), ${list(n.shape)}, ${list(steps)}, ${n.start / n.size})\n`
      : "# no twin: the strides of torch are whole elements, and not negative\n");
}

function build(ui) {
  let last, place;
  const custom = (patch) => ui.set({ ...patch, preset: "custom" });
  const example = choice("Example", Object.keys(PRESETS).map((name) => [name, name]), (name) => {
    const [shape, strides, buffer, offset, index] = PRESETS[name];
    ui.set({ shape, strides, buffer, offset, index, itemsize: 2, preset: name });
  });
  const axis = (key, a, limits, role) => slider(`Axis ${a}: ${key === "shape" ? "size" : "stride"}`, limits, (to) => custom({ [key]: last[key].map((v, i) => (i === a ? to : v)) }), role);
  const axes = upto(4, (a) => [axis("shape", a, [1, 12], "output"), axis("strides", a, [-48, 48], "kernel")]), pairs = axes.map((two) => h("div", {}, two.map((one) => one.node)));
  const rank = slider("Axes", [1, 4], (r) => custom({ shape: upto(r, (a) => last.shape[a] ?? 1), strides: upto(r, (a) => last.strides[a] ?? 0) }), "output");
  const items = choice("Itemsize", [1, 2, 4, 8].map((v) => [v, String(v)]), (itemsize) => custom({ itemsize }));

  const ribbon = s("svg", { class: "cw-draw", role: "img" }), memory = part("", ribbon);
  const touch = (e) => {
    const byte = e.target.cwByte, i = last.offsets.findIndex((o) => o <= byte && byte < o + last.size);
    if (i >= 0 && i !== last.flat) ui.set({ index: last.indices[i] });
  };
  ribbon.addEventListener("pointerover", (e) => e.pointerType === "mouse" && touch(e));
  ribbon.addEventListener("click", touch);
  const view = grid(ui, (r, c) => ui.set({ index: last.indices[place[r][c]] })), found = part("");
  view.node.classList.add("cw-view");
  found.classList.add("cw-found");

  function drawRibbon(n, width) {
    const per = width >= 528 ? 24 : 16, cell = Math.min(34, Math.floor((width - 2) / per));
    const first = per * clamp(Math.floor(Math.min(0, n.low) / per), -2, 0), rows = Math.ceil((clamp(n.end, n.buffer + 1, n.buffer + 2 * per) - first) / per);
    const at = (b) => [1 + ((b - first) % per) * cell, Math.floor((b - first) / per) * 54 + 21], wide = per * cell + 2, high = rows * 54 - 5;
    const asked = new Set(n.outside.flatMap((i) => upto(n.size, (b) => n.offsets[i] + b))), none = n.value === null, here = [], address = [];
    let lines = "", crosses = "";
    const boxes = upto(rows * per, (i) => {
      const b = first + i, [x, y] = at(b), now = b >= n.at && b < n.at + n.size;
      const kind = b < 0 || b >= n.buffer ? (asked.has(b) ? "outside" : "foreign") : now && !none ? "kernel" : n.reads[b] ? "input" : "unused";
      if (kind === "unused") lines += `M${x + 2} ${y + 13}l8 -11M${x + 2} ${y + 24}L${x + cell - 2} ${y + 2}m0 11l-8 11`;
      if (kind === "outside") crosses += `M${x + 3} ${y + 3}L${x + cell - 3} ${y + 23}M${x + 3} ${y + 23}L${x + cell - 3} ${y + 3}`;
      if (now) here.push(s("rect", { x, y, width: cell, height: 26, rx: 3, class: `cw-frame ${none ? "outside" : "kernel"}` }));
      address.push(s("text", { x: x + cell / 2, y: y + 13 }, fmt(b)));
      return Object.assign(s("rect", { x: x + 0.5, y: y + 0.5, width: cell - 1, height: 25, rx: 3, class: `cw-f-${kind}` }), { cwByte: b });
    });
    const held = n.owned.map((v, i) => s("text", { x: at(i * n.size)[0] + (n.size * cell) / 2, y: at(i * n.size)[1] - 10, "data-n": `owned.${i}` }, fmt(v)));
    put(ribbon, { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, "aria-label": `A buffer of ${count(n.buffer, "byte")}, ${n.used} of them read` });
    refill(ribbon, s("g", { class: "cw-bytes" }, boxes, s("path", { d: lines }), s("path", { d: crosses, class: "cw-cross" })), s("g", { class: "cw-held" }, held),
      s("g", { class: "cw-address" }, address), s("g", { class: "cw-over" }, here));
    say(memory.caption, `Memory: ${count(n.buffer, "byte")} with their addresses, above them the numbers that they hold. Dashed: not in the buffer.`);
  }

  return {
    nodes: [example.node, h("div", { class: "cw-stage" }, memory, view.node, found), h("div", { class: "cw-groups" }, pairs, h("div", {}, rank.node, items.node))],
    draw({ preset }, n, width) {
      const r = n.shape.length, [a, b, c, d] = n.shape, tail = n.shape[r - 1], tiled = r === 4 && b * d <= 12, outside = n.value === null;
      last = n;
      [[example, preset], [items, n.size], [rank, r]].forEach(([control, value]) => control.update(value));
      axes.forEach(([size, step], i) => {
        pairs[i].hidden = i >= r;
        if (i < r) size.update(n.shape[i], [1, Math.min(12, Math.floor((MOST * n.shape[i]) / n.offsets.length))]), step.update(n.strides[i]);
      });
      drawRibbon(n, width);

      // Two axes are rows and columns; four are blocks in rows and columns, or all blocks below each other.
      place = tiled ? upto(a * c, (y) => upto(b * d, (x) => ((Math.floor(y / c) * b + Math.floor(x / d)) * c + (y % c)) * d + (x % d)))
        : upto(n.offsets.length / tail, (y) => upto(tail, (x) => y * tail + x));
      const rows = place.length, columns = place[0].length, cell = clamp(Math.floor((width - 18) / columns), 24, 44);
      const row = place.findIndex((list) => list.includes(n.flat)), at = [row, place[row].indexOf(n.flat)];
      view.update({
        rows, columns, cell, at, indices: r < 3, name: `View of shape ${tuple(n.shape)}`, caption: `View: shape ${tuple(n.shape)}, strides ${tuple(n.strides)}`,
        look(y, x) {
          const i = place[y][x], none = n.values[i] === null, words = none ? "?" : fmt(n.values[i]), fits = words.length < 6;
          return {
            text: fits ? words : "…", n: none || !fits ? null : `values.${i}`, sub: fmt(n.offsets[i]),
            kind: `${none ? "outside" : n.shared.includes(i) ? "kernel" : "output"}${n.shared.includes(i) ? " on" : ""}`,
            name: `element ${tuple(n.indices[i])}: ${none ? "outside" : words}, byte ${fmt(n.offsets[i])}`,
          };
        },
      });
      const high = tiled ? c : r > 2 ? n.shape[r - 2] : rows, wide = tiled ? d : columns;
      if (r > 2) for (let y = 0; y < rows; y += high) for (let x = 0; x < columns; x += wide) view.frame(y, x, high, wide, "block");
      view.frame(...at, 1, 1, outside ? "outside" : "kernel");

      const steps = n.index.map((_, x) => ` + {index.${x}:output}·{(strides.${x}):kernel}`).join(""), held = () => upto(n.size, (i) => n.memory[n.at + i].toString(16).padStart(2, "0")).join(" ");
      refill(found, found.caption, line("offset", n, `{start}${steps} = {at:${outside ? "outside" : "kernel"}}`),
        line("bytes", n, outside ? `outside of 0 to ${n.buffer - 1}` : `${held()} (hexadecimal)`), line("value", n, outside ? "?" : "{value:output}"));
      say(found.caption, `Element ${tuple(n.index)}. Small numbers in the view: where an element begins`);
    },
  };
}

export default explorer({
  name: "memory", title: "Where an element lies in memory", keys, numbers, sentence, code, build, play: (_, n) => ({ index: n.indices[(n.flat + 1) % n.offsets.length] }),
  controls: [{ key: "buffer", label: "Buffer: bytes" }, { key: "offset", label: "Start" }], changed: () => ({ preset: "custom" }),
});
