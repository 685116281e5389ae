// Elements, and the grid of cells that every explorer shares.
import { big, clamp, factor, fmt } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

/** Set attributes (false, null or undefined removes one). */
export function put(node, attrs) {
  for (const key in attrs) {
    const value = attrs[key];
    if (value === false || value == null) node.removeAttribute(key);
    else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value);
  }
  return node;
}

const make = (node, attrs, kids) => {
  put(node, attrs).append(...kids.flat(9).filter((kid) => kid != null));
  return node;
};
export const h = (tag, attrs = {}, ...kids) => make(document.createElement(tag), attrs, kids);
export const s = (tag, attrs = {}, ...kids) => make(document.createElementNS(SVG, tag), attrs, kids);

/** Text goes in as text, never as HTML. */
export function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
  return node;
}

/** A number that is shown: `path` is its place in numbers(), which the tests compare with the text. */
export const num = (path, words, role = "") => h("span", { "data-n": path, class: `cw-num ${role && `cw-${role}`}` }, words);

/** A formula: "{path:role}" becomes that number, "{(path):role}" too, in brackets if it is negative. */
export const formula = (n, words) => words.split(/[{}]/).map((piece, i) => {
  if (i % 2 === 0) return piece;
  const [path, role] = piece.replace(/[()]/g, "").split(":"), value = path.split(".").reduce((part, key) => part[key], n);
  return num(path, typeof value !== "number" ? String(value) : piece[0] === "(" ? factor(value) : big(value), role);
});

/** A line under the figure: a label, and a formula or elements. */
export const line = (label, n, words, kind = "math") => h("div", { class: "cw-terms" }, h("span", { class: "cw-label" }, label),
  h("span", { class: `cw-${kind}` }, typeof words === "string" ? formula(n, words) : words));

/** Replace what a node holds by words and elements. */
export const refill = (node, ...kids) => {
  node.replaceChildren(...kids.flat(9).filter((kid) => kid != null));
  return node;
};

/** How far a key moves: [rows, columns], or undefined. */
export const moved = (key, end, page) => ({
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -end], End: [0, end], PageUp: [-page, 0], PageDown: [page, 0],
})[key];

/** A captioned part of the figure. */
export const part = (caption, ...kids) => {
  const title = h("p", { class: "cw-caption" }, caption);
  return Object.assign(h("div", { class: "cw-part" }, title, ...kids), { caption: title });
};

/**
 * [sizes, indices]: the sizes of the cells of three grids, [columns, least width of the caption] each.
 * All in a row if the cells stay large enough, else two and one, else one a row, without indices at last.
 */
export function fitted(width, parts) {
  const across = (cell, list) => list.reduce((sum, [n, least]) => sum + 28 + Math.max(n * cell + 17, least), -28);
  const rows = [[parts], [parts.slice(0, 2), parts.slice(2)], parts.map((one) => [one])];
  for (const lists of rows) for (let cell = lists.length > 1 ? 34 : 44; cell > 23; cell--) if (lists.every((list) => across(cell, list) <= width)) return [[cell, cell, cell], true];
  return [parts.map(([n]) => clamp(Math.floor((width - 2) / n), 12, 24)), false];
}

/**
 * A grid of square cells under a caption. update({ rows, columns, cell, look, at, name, caption, values, path })
 * redraws what changed; look(r, c) gives { text, sub, kind, name, more, n }: the value (else that of `values`), a
 * small second value, class words ("input", "kernel", "output", "gradient", "unused", "padding", plus "on" and
 * "dim"), the name for screen readers (else its place and `more`), the path in numbers() (else in `path`).
 * With `point(r, c)` the cells answer to mouse, touch and arrow keys (one tab stop, at `at`). `first` is the
 * index of the first row and column, `size` what screen readers hear where cells of padding are shown too.
 * frame(rows and columns of a box, class) outlines.
 */
export function grid(ui, point) {
  const over = s("g", { class: "cw-over", "aria-hidden": "true" }), axes = s("g", { class: "cw-axes", "aria-hidden": "true" });
  const body = s("g", { role: "presentation" });
  const node = s("svg", { class: "cw-grid", role: point ? "grid" : "table" }, axes, body, over), whole = part("", node);
  const cells = [];
  let shape = [0, 0], at = [0, 0], unit = 0, margin = 0, start = 0;

  const build = (rows, columns) => {
    while (cells.length > rows) cells.pop().row.remove();
    while (cells.length < rows) {
      const row = s("g", { role: "row" });
      body.append(row);
      cells.push({ row, list: [] });
    }
    cells.forEach(({ row, list }, r) => {
      while (list.length > columns) list.pop().g.remove();
      while (list.length < columns) {
        const box = s("rect"), value = s("text"), g = s("g", { role: point ? "gridcell" : "cell" }, box, value);
        g.cwPlace = [r, list.length];
        row.append(g);
        list.push({ g, box, value });
      }
    });
  };

  if (point) {
    const place = (e) => e.target.closest?.("[role=gridcell]")?.cwPlace;
    const go = (e) => {
      const to = place(e);
      if (to) point(...to);
    };
    node.addEventListener("pointerover", (e) => e.pointerType === "mouse" && go(e));
    node.addEventListener("click", go);
    node.addEventListener("focusin", go);
    ui.keys(node, (e) => {
      const move = moved(e.key, 99, 99);
      if (!move) return false;
      const [r, c] = place(e) ?? at, to = [clamp(r + move[0], 0, shape[0] - 1), clamp(c + move[1], 0, shape[1] - 1)];
      cells[to[0]].list[to[1]].g.focus({ preventScroll: false });
      return true;
    });
  }

  return {
    node: whole,
    frame(r, c, rows, columns, kind) {
      over.append(s("rect", { x: margin + c * unit, y: margin + r * unit, width: columns * unit, height: rows * unit, rx: 3, class: `cw-frame ${kind}` }));
    },
    update({ values, path, rows = values.length, columns = rows, size = rows, cell, look, at: where = [0, 0], name, caption, of = "", indices = false, first = 0 }) {
      whole.hidden = !rows;
      say(whole.caption, caption ?? `${name} ${rows} × ${columns}`);
      at = [clamp(where[0], 0, rows - 1), clamp(where[1], 0, columns - 1)];
      const relabel = rows !== shape[0] || columns !== shape[1] || cell !== unit || (indices ? 16 : 1) !== margin || first !== start;
      shape = [rows, columns], unit = cell, start = first, margin = indices ? 16 : 1;
      const width = columns * cell + margin + 1, height = rows * cell + margin + 1;
      put(node, { viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": `${name}, ${size} by ${size === rows ? columns : size}`, "aria-rowcount": rows, "aria-colcount": columns });
      if (relabel) {
        build(rows, columns);
        axes.replaceChildren();
        for (let i = 0; indices && i < Math.max(rows, columns); i++) {
          const middle = margin + (i + 0.5) * cell;
          if (i < columns) axes.append(s("text", { x: middle, y: 7 }, fmt(i + first)));
          if (i < rows) axes.append(s("text", { x: 6, y: middle }, fmt(i + first)));
        }
      }
      over.replaceChildren();
      cells.forEach(({ list }, r) => list.forEach((one, c) => {
        const { g, box, value } = one, l = look(r, c), words = l.text ?? (values ? fmt(values[r][c]) : ""), kind = l.kind ?? "", shown = l.n ?? (values ? `${path}.${r}.${c}` : null);
        const called = l.name ?? `${of}row ${fmt(r + first)}, column ${fmt(c + first)}: ${words}${l.more ?? ""}`;
        const x = margin + c * cell, y = margin + r * cell, placed = `${cell} ${margin}`;
        if (one.placed !== placed) {
          one.placed = placed;
          one.drawn = null;
          put(box, { x: x + 0.5, y: y + 0.5, width: cell - 1, height: cell - 1, rx: Math.min(4, cell / 8) });
        }
        const stop = point ? (r === at[0] && c === at[1] ? 0 : -1) : null;
        const drawn = [words, l.sub, kind, called, shown, stop].join("|");
        if (one.drawn === drawn) return; // most cells stay as they are: nothing for the browser to do
        one.drawn = drawn;
        put(g, {
          class: `cw-cell ${kind.split(" ").map((word) => `cw-c-${word}`).join(" ")}`,
          tabindex: stop, "aria-label": called, "aria-selected": point ? kind.split(" ").includes("on") : null,
        });
        const raised = l.sub != null && cell >= 28;
        put(value, { x: x + cell * (raised ? 0.42 : 0.5), y: y + cell * (raised ? 0.4 : 0.52), "data-n": shown, "font-size": clamp(Math.min(cell * 0.45, (cell * (raised ? 1.05 : 1.3)) / Math.max(2, words.length)), 7, 20) });
        say(value, words);
        one.sub && one.sub.remove(); // second values and hatches are rare: made where they are needed
        one.hatch && one.hatch.remove();
        one.sub = raised && s("text", { class: "cw-sub", x: x + cell - 3, y: y + cell - 4, "font-size": clamp(cell * 0.3, 8, 12) }, l.sub);
        one.hatch = kind.includes("unused") && s("path", { class: "cw-hatch", d: `M${x + 2} ${y + cell / 2}L${x + cell / 2} ${y + 2}M${x + 2} ${y + cell - 2}L${x + cell - 2} ${y + 2}M${x + cell / 2} ${y + cell - 2}L${x + cell - 2} ${y + cell / 2}` });
        if (one.sub) g.append(one.sub);
        if (one.hatch) box.after(one.hatch);
      }));
    },
  };
}
