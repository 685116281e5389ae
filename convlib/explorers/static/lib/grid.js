// The grid of cells that every explorer shares, and three of them on a stage.
import { h, moved, part, put, refill, say } from "./draw.js";
import { clamp, fmt, upto } from "./format.js";

/**
 * A grid of square cells; with `point(row, column)` they answer to mouse, touch and arrow keys (one tab stop, at `at`).
 * `look(r, c)` of update() gives { text, sub, kind, name, more, n }: the value (else that of `values`), a small second
 * value, class words, the name for screen readers (else the place and `more`), the path in numbers() (else in `path`).
 * `first` is the first row's index, `size` what screen readers hear; a frame is [row, column, rows, columns, class].
 */
export function grid(ui, point) {
  const table = h("div", { class: "cw-grid", role: point ? "grid" : "table" }), over = h("div", { class: "cw-over", "aria-hidden": "true" });
  const board = h("div", { class: "cw-board" }, table, over), node = part("", board);
  let cells = [], start = [0, 0], origin = 0, laid = "";

  if (point) {
    const place = (e) => e.target.closest("[role=gridcell]")?.cwPlace;
    const go = (e) => place(e) && point(...place(e).map((i) => i + origin));
    table.addEventListener("pointerover", (e) => e.pointerType === "mouse" && go(e));
    table.addEventListener("click", go);
    table.addEventListener("focusin", go);
    ui.keys(table, (e) => {
      const move = moved(e.key, 99, 99), sides = [cells.length, cells[0]?.length];
      if (!move) return false;
      const [row, column] = (place(e) ?? start).map((i, axis) => clamp(i + move[axis], 0, sides[axis] - 1));
      cells[row][column].focus();
      return true;
    });
  }

  function draw(one, r, c, { cell, look, values, path, of = "", first = 0 }) {
    const { text, sub, kind = "", name, more = "", n = values ? `${path}.${r}.${c}` : null } = look(r, c);
    const words = text ?? (values ? fmt(values[r][c]) : "");
    const called = name ?? `${of}row ${fmt(r + first)}, column ${fmt(c + first)}: ${words}${more}`;
    const stop = point ? (r === start[0] && c === start[1] ? 0 : -1) : null;
    const drawn = [words, sub, kind, called, n, stop].join("|");
    if (one.cwDrawn === drawn) return; // most cells stay as they are: nothing for the browser to do
    one.cwDrawn = drawn;
    put(say(one, words), {
      class: `cw-cell ${kind.replace(/\w+/g, "cw-c-$&")}`, tabindex: stop, "aria-label": called, "data-n": n,
      "data-sub": cell < 28 ? null : sub, "data-long": words.length > 2 ? Math.min(words.length, 7) : null,
    });
  }

  return {
    node,
    update(shown) {
      const { values, rows = values.length, columns = rows, size = rows, cell } = shown;
      const { at = [0, 0], name, caption, indices, first = 0, frames = [] } = shown;
      const layout = [rows, columns, indices, first, cell < 28].join(), px = (cells) => `${cells * cell}px`;
      node.hidden = !rows;
      say(node.caption, caption);
      put(table, { "aria-label": `${name}, ${size} by ${size === rows ? columns : size}` });
      board.style.setProperty("--cell", `${cell}px`);
      board.style.setProperty("--columns", columns);
      put(board, { "data-first": indices ? fmt(first) : null });
      origin = first;
      start = at.map((i, axis) => clamp(i, 0, [rows, columns][axis] - 1));
      if (layout !== laid) {
        laid = layout;
        cells = upto(rows, (r) => upto(columns, (c) => Object.assign(h("span", {
          role: point ? "gridcell" : "cell", "data-column": indices && !r ? fmt(c + first) : null,
          "data-row": indices && r && !c ? fmt(r + first) : null,
        }), { cwPlace: [r, c] })));
        refill(table, cells.map((row) => h("div", { role: "row" }, row)));
      }
      cells.forEach((row, r) => row.forEach((one, c) => draw(one, r, c, shown)));
      refill(over, frames.map(([r, c, high, wide, kind]) => {
        const frame = h("i", { class: `cw-mark cw-${kind}` });
        Object.assign(frame.style, { left: px(c), top: px(r), width: px(wide), height: px(high) });
        return frame;
      }));
    },
  };
}

/** Three grids: beside each other if the cells stay large enough, else as the page breaks them. */
export function stage(ui, points) {
  const grids = points.map((point) => grid(ui, point));
  return {
    node: h("div", { class: "cw-stage" }, grids.map((one) => one.node)),
    draw(width, shown) {
      const sides = shown.map(({ values }) => values.length), most = Math.max(...sides);
      const beside = Math.floor((width - 120) / sides.reduce((a, b) => a + b));
      const cell = beside > 23 ? Math.min(beside, 44) : clamp(Math.floor((width - 2) / most), 12, 34);
      grids.forEach((one, i) => one.update({ indices: cell * most + 18 <= width, ...shown[i], cell }));
    },
  };
}
