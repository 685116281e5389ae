// Numbers, words and small lists. No document here.

/** A number as a reader sees it: at most `digits` decimals, a true minus sign. */
export const fmt = (v, digits = 2) => typeof v === "number" ? String(+v.toFixed(digits) || 0).replace("-", "−") : String(v);

/** 1234567 → "1 234 567" (narrow spaces that break no line). */
export const big = (v) => fmt(v).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");

/** A factor in a product: negative numbers in brackets. */
export const factor = (v) => (v < 0 ? `(${fmt(v)})` : fmt(v));

/** A summand: +3, −2. */
export const added = (v) => (v < 0 ? "" : "+") + fmt(v);

export const count = (n, noun) => `${big(n)} ${noun}${n === 1 ? "" : "s"}`;

/** [f(0), …, f(n - 1)] */
export const upto = (n, f = (i) => i) => Array.from({ length: Math.max(0, n) }, (_, i) => f(i));

export const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
export const product = (list) => list.reduce((a, b) => a * b, 1);

/** "row 4", "rows 4 and 5", "rows 0, 2 and 4"; runs longer than two become "0 to 4". Without a noun, the list alone. */
export function listed(items, noun = "") {
  const runs = [];
  for (const i of items) {
    const last = runs.at(-1);
    if (last && i === last[1] + 1) last[1] = i;
    else runs.push([i, i]);
  }
  const parts = runs.flatMap(([a, b]) => (b - a > 1 ? [`${fmt(a)} to ${fmt(b)}`] : a === b ? [fmt(a)] : [fmt(a), fmt(b)]));
  const tail = parts.pop(), list = parts.length ? `${parts.join(", ")} and ${tail}` : tail;
  return noun ? `${noun}${items.length === 1 ? "" : "s"} ${list}` : list;
}

/** "(3,)", "(0, −1)": a tuple as Python writes it. */
export const tuple = (list) => `(${list.map((v) => fmt(v)).join(", ")}${list.length === 1 ? "," : ""})`;

/** What stands at a path: "taps.0.h". */
export const at = (all, path) => path.split(".").reduce((part, key) => part[key], all);

/** A value in Python code; a list of lists or of dicts has a line for each. */
export const literal = (v) => typeof v === "string" ? v
  : JSON.stringify(v).replace(/[,:]/g, "$& ").replace(/([\]}], )(?=[[{])/g, "$1\n    ");

const FORMATS = { count, listed, tuple, one: (v, words) => words.split("/")[v === 1 ? 0 : 1] };

/**
 * Fill a template of the Python class: {sum} is that value; {reads count window} is "3 windows"; {unread listed row} is
 * "rows 0 and 4"; {index tuple} is "(0, 1)"; {lost one is/are} is a word that depends on whether the value is 1.
 */
export const fill = (template, values, write = (v) => [v].flat().map(big).join(", ")) => template.replace(
  /\{([\w.]+)(?: (\w+))?(?: (.+?))?\}/g,
  (_, path, format, words) => (format ? FORMATS[format] : write)(at(values, path), words),
);
