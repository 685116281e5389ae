// Numbers, words and small lists. No document here.

/** A number as a reader sees it: at most `digits` decimals, a true minus sign. */
export const fmt = (v, digits = 2) =>
  typeof v === "number" ? String(+v.toFixed(digits) || 0).replace("-", "−") : String(v);

/** 1234567 → "1 234 567" (thin spaces). */
export const big = (v) => fmt(v).replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");

/** A factor in a product: negative numbers in brackets. */
export const factor = (v) => (v < 0 ? `(${fmt(v)})` : fmt(v));

/** A summand: +3, −2. */
export const added = (v) => (v < 0 ? "" : "+") + fmt(v);

export const count = (n, one, many = one + "s") => `${fmt(n)} ${n === 1 ? one : many}`;

/** [f(0), …, f(n - 1)] */
export const upto = (n, f = (i) => i) => Array.from({ length: Math.max(0, n) }, (_, i) => f(i));

export const clamp = (v, low, high) => Math.max(low, Math.min(high, v));

/** "row 4", "rows 4 and 5", "rows 0, 2 and 4"; runs longer than three become "0 to 4". */
export function listed(word, items) {
  const runs = [];
  for (const i of items) {
    const last = runs.at(-1);
    if (last && i === last[1] + 1) last[1] = i;
    else runs.push([i, i]);
  }
  const parts = runs.flatMap(([a, b]) => (b - a > 1 ? [`${fmt(a)} to ${fmt(b)}`] : a === b ? [fmt(a)] : [fmt(a), fmt(b)]));
  const tail = parts.pop();
  return `${word}${items.length === 1 ? "" : "s"} ${parts.length ? `${parts.join(", ")} and ${tail}` : tail}`;
}

/** The code to copy: this library's text and PyTorch's, after their imports. */
export const codes = (ours, theirs) => [["convlib", `import numpy as np\nimport convlib\n\n${ours}`], ["PyTorch", `import torch\n\n${theirs}`]];

/** A call, its settings { name: value } by keyword. */
export const call = (name, words, settings) =>
  `${name}(\n    ${words},\n    ${Object.entries(settings).map(([key, value]) => `${key}=${value}`).join(", ")},\n)\n`;
export const tensors = "torch.from_numpy(input), torch.from_numpy(weight)";

/** "(3,)", "(0, −1)": a tuple as Python writes it. */
export const tuple = (list) => `(${list.map((v) => fmt(v)).join(", ")}${list.length === 1 ? "," : ""})`;

/** A Python literal: True, None, [1, 2], (3,) as lists, strings in double quotes. */
export const py = (v) =>
  Array.isArray(v) ? `[${v.map(py).join(", ")}]`
    : v === true ? "True" : v === false ? "False" : v === null ? "None"
      : typeof v === "string" ? JSON.stringify(v) : String(v);
