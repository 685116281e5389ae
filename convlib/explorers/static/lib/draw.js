// Elements, text, formulas and controls.
import { at, big, factor, fmt } from "./format.js";

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

const some = (kids) => kids.flat(9).filter((kid) => kid != null);
const make = (node, attrs, kids) => {
  put(node, attrs).append(...some(kids));
  return node;
};
export const h = (tag, attrs = {}, ...kids) => make(document.createElement(tag), attrs, kids);
export const s = (tag, attrs = {}, ...kids) => make(document.createElementNS(SVG, tag), attrs, kids);

export const refill = (node, ...kids) => {
  node.replaceChildren(...some(kids));
  return node;
};

/** Text goes in as text, never as HTML. A text that changes is less work than a new one. */
export function say(node, words) {
  if (node.firstChild) node.firstChild.data = words;
  else node.append(words);
  return node;
}

/** A number that is shown: `path` is its place in numbers(), which the tests compare with the text. */
export const num = (path, words, role = "") => h("span", { "data-n": path, class: `cw-num cw-${role}` }, words);

/**
 * A formula: "{path:role}" becomes that number, "{(path):role}" too, in brackets if it is negative; "{path.*:role}"
 * is all numbers of a list.
 */
export const formula = (n, words) => words
  .replace(/\{([\w.]+)\.\*(.*?)\}/g, (_, path, role) => at(n, path).map((_, i) => `{${path}.${i}${role}}`).join(" "))
  .split(/[{}]/)
  .map((piece, i) => {
    if (i % 2 === 0) return piece;
    const [path, role] = piece.replace(/[()]/g, "").split(":"), value = at(n, path);
    return num(path, typeof value !== "number" ? String(value) : piece[0] === "(" ? factor(value) : big(value), role);
  });

/** A line under the figure: a label, and a formula or elements. */
export const line = (label, n, words, kind = "math") => h("div", { class: "cw-terms" },
  h("span", { class: "cw-label" }, label),
  h("span", { class: `cw-${kind}` }, typeof words === "string" ? formula(n, words) : words));

/** A captioned part of the figure. */
export const part = (caption, ...kids) => {
  const title = h("p", { class: "cw-caption" }, caption);
  return Object.assign(h("div", { class: "cw-part" }, title, ...kids), { caption: title });
};

/** A picture's size and name. */
export const sized = (svg, width, height, label) =>
  put(svg, { viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": label });

/** How far a key moves: [rows, columns], or undefined. */
export const moved = (key, end, page) => ({
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  Home: [0, -end], End: [0, end], PageUp: [-page, 0], PageDown: [page, 0],
})[key];

let serial = 0;

/** A labelled slider over integers. */
export function slider(label, role, change, [low, high] = [0, 1]) {
  const id = `cw-${++serial}`;
  const shown = h("output", { for: id, class: `cw-num cw-${role}` });
  const range = h("input", { type: "range", id, min: low, max: high, step: 1, class: `cw-accent-${role}` });
  range.addEventListener("input", () => change(+range.value));
  const node = h("div", { class: "cw-control" }, h("label", { for: id }, label), shown, range);
  return {
    node,
    update(value, limits = [low, high]) {
      put(range, { min: limits[0], max: limits[1] });
      range.value = value;
      say(shown, fmt(value));
    },
  };
}

/** One of a few values: native radio buttons in a row. */
export function choice(label, values, names, change) {
  const name = `cw-${++serial}`;
  const inputs = values.map((value) => {
    const input = h("input", { type: "radio", name });
    input.addEventListener("change", () => input.checked && change(value));
    return input;
  });
  const labels = inputs.map((input, i) => h("label", {}, input, h("span", {}, String(names[i]))));
  const row = h("div", {}, labels), node = h("fieldset", { class: "cw-control cw-choice" }, h("legend", {}, label), row);
  // A row that scrolls, on a phone, shows what is chosen.
  const show = (i) => requestAnimationFrame(() => { row.scrollLeft = labels[i].offsetLeft - row.offsetLeft - 40; });
  return {
    node,
    update: (now) => values.forEach((value, i) => {
      if (value === now && !inputs[i].checked) show(i);
      inputs[i].checked = value === now;
    }),
  };
}

export function button(label, press, attrs = {}) {
  const node = h("button", { type: "button", class: "cw-button", ...attrs }, label);
  node.addEventListener("click", press);
  return node;
}
