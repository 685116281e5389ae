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
  const made = {}; // every row and cell there ever was: to make them anew takes longest
  let start = [0, 0], origin = 0;

  if (point) {
    const place = (e) => e.target.closest("[role=gridcell]")?.cwPlace;
    const go = (at) => point(...at.map((i) => i + origin));
    ui.pointing(table, place, go);
    ui.keys(table, (e) => { // to arrive by Tab changes nothing
      if (/^(Enter| )$/.test(e.key) && place(e)) return go(place(e)), true;
      const move = moved(e.key, 99, 99), lines = table.children, sides = [lines.length, lines[0]?.childElementCount];
      if (!move) return false;
      const [row, column] = (place(e) ?? start).map((i, axis) => clamp(i + move[axis], 0, sides[axis] - 1));
      lines[row].children[column].focus({ focusVisible: true }); // WebKit shows no ring where a click came before
      go([row, column]);
      return true;
    });
  }

  function fit(node, kids) {
    while (node.childElementCount > kids.length) node.lastChild.remove();
    node.append(...kids.slice(node.childElementCount));
    return node;
  }

  function draw(r, c, { cell, indices, look, values, path, of = "", first = 0 }) {
    const one = made[[r, c]] ??= Object.assign(h("span", { role: point ? "gridcell" : "cell" }), { cwPlace: [r, c] });
    const { text = values?.[r][c], sub, kind = "", name, more = "", n = values && `${path}.${r}.${c}` } = look(r, c);
    const stop = point && (r === start[0] && c === start[1] ? 0 : -1), small = cell < 28 ? null : sub;
    const drawn = [text, small, kind, name, more, n, stop, first, indices, of].join("|");
    if (one.cwDrawn === drawn) return one; // most cells stay as they are: nothing for the browser to do
    one.cwDrawn = drawn;
    const words = fmt(text ?? ""), [row, column] = [r, c].map((i) => fmt(i + first));
    return put(say(one, words), {
      class: `cw-cell ${kind.replace(/\w+/g, "cw-c-$&")}`, "aria-label": name ?? `${of}row ${row}, column ${column}: ${words}${more}`,
      tabindex: stop, "data-n": n, "data-sub": small, "data-wide": String(small ?? "").length > 5, "data-long": words.length > 2 && Math.min(words.length, 7),
      "data-column": indices && !r && column, "data-row": indices && r > 0 && !c && row,
    });
  }

  return {
    node,
    update(shown) {
      const { values, rows = values.length, columns = rows, size = rows, cell } = shown;
      const { at = [0, 0], name, caption, indices, first = 0, frames = [] } = shown;
      node.hidden = !rows;
      say(node.caption, caption);
      put(table, { "aria-label": `${name}, ${size} by ${size === rows ? columns : size}` });
      board.style.setProperty("--cell", `${cell}px`);
      put(board, { "data-first": indices ? fmt(first) : null });
      origin = first;
      start = at.map((i, axis) => clamp(i, 0, [rows, columns][axis] - 1));
      fit(table, upto(rows, (r) => fit(made[r] ??= h("div", { role: "row" }), upto(columns, (c) => draw(r, c, shown)))));
      refill(over, frames.map(([r, c, high, wide, kind]) => {
        const frame = h("i", { class: `cw-mark cw-${kind}` });
        frame.style.gridArea = `${r + 1} / ${c + 1} / span ${high} / span ${wide}`;
        return frame;
      }));
    },
  };
}

/** Three grids: beside each other if the cells stay large enough, else as the page breaks them. Cells grow in steps. */
export function stage(ui, points) {
  const grids = points.map((point) => grid(ui, point));
  return {
    node: h("div", { class: "cw-stage" }, grids.map((one) => one.node)),
    draw(width, shown) {
      const sides = shown.map(({ values }) => values.length), most = Math.max(...sides), all = sides.reduce((a, b) => a + b);
      const beside = Math.floor((width - 120) / all), step = all > 20 ? 8 : 4;
      // Where not all three fit, two of them do if that leaves cells for a finger.
      const two = Math.floor((width - 56) / Math.min(sides[0] + sides[1], sides[1] + sides[2])), most2 = two > 23 ? two : 34;
      const cell = beside > 23 ? Math.min(beside - (beside % step), 44)
        : clamp(Math.floor((width - 2) / most), 12, most > 14 ? 24 : Math.min(34, most2));
      grids.forEach((one, i) => one.update({ indices: cell * most + 18 <= width, ...shown[i], cell }));
    },
  };
}
