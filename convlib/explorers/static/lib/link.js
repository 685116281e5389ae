/** "#cw-window?size=6&view=output": the state in the address. */
export const fragment = (id, entries) =>
  `#${id}?${new URLSearchParams(entries.map(([key, v]) => [key, typeof v === "string" ? v : JSON.stringify(v)]))}`;

const parsed = (words) => {
  try {
    return JSON.parse(words);
  } catch {
    return words;
  }
};
export const fromFragment = (hash, id) => hash.startsWith(`#${id}?`)
  && Object.fromEntries([...new URLSearchParams(hash.slice(id.length + 2))].map(([key, words]) => [key, parsed(words)]));

/** Whether the words could be copied. */
export const copy = async (words) => navigator.clipboard?.writeText(words).then(() => true, () => false);
