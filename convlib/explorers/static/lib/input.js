// Controls (sliders, choices, buttons), the fragment of the address, the clipboard.
import { h, put, say } from "./draw.js";
import { fmt } from "./format.js";

let serial = 0;

/** A labelled slider over integers. */
export function slider(label, [low, high], change, role = "input") {
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

/** One of a few words: native radio buttons in a row. */
export function choice(label, options, change) {
  const name = `cw-${++serial}`;
  const inputs = options.map(([value, words]) => {
    const input = h("input", { type: "radio", name, value });
    input.addEventListener("change", () => input.checked && change(value));
    return [input, h("label", {}, input, h("span", {}, words))];
  });
  const node = h("fieldset", { class: "cw-control cw-choice" }, h("legend", {}, label), h("div", {}, inputs.map((pair) => pair[1])));
  return { node, update: (value) => inputs.forEach(([input]) => { input.checked = input.value === String(value); }) };
}

export function button(label, press, attrs = {}) {
  const node = h("button", { type: "button", class: "cw-button", ...attrs }, label);
  node.addEventListener("click", press);
  return node;
}

/** "#cw-window?size=6&view=output": the state in the address; unknown keys are left out, bad values refused by set(). */
export const fragment = (id, state) =>
  `#${id}?${Object.entries(state).map(([k, v]) => `${k}=${encodeURIComponent(typeof v === "string" ? v : JSON.stringify(v))}`).join("&")}`;

export function fromFragment(hash, id, known) {
  if (!hash.startsWith(`#${id}?`)) return {};
  const found = {};
  for (const [key, words] of new URLSearchParams(hash.slice(id.length + 2))) {
    if (!Object.hasOwn(known, key)) continue;
    try { found[key] = JSON.parse(words); } catch { found[key] = words; } // padding is a number or a word
  }
  return found;
}

export async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    return false;
  }
}
