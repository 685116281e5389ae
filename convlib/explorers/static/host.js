// The static book's host: a state without Python, and the mounting of each .cw-explorer on the page.
// `modules` comes from the linker, _bundle.py.
const modelOf = (state) => ({
  get: (key) => state[key],
  set: (key, value) => { state[key] = value; },
  save_changes() {},
  on() {}, // nobody else changes the state
  off() {},
});

// What the classes say of themselves: the page's JSON, by convlib.explorers.block().
const specs = JSON.parse(document.getElementById("cw-specs")?.textContent ?? "{}"), seen = {};
function mount(el) {
  const name = el.dataset.explorer, module = Object.hasOwn(modules, name) && modules[name];
  if (!module || el.dataset.ready) return;
  // The name of the explorer, and its number from the second on: links stay good as a page grows.
  seen[name] = (seen[name] ?? 0) + 1;
  const id = `cw-${name}${seen[name] > 1 ? `-${seen[name]}` : ""}`, still = [...el.childNodes];
  // Where the browser does not hold what is read in its place (WebKit), what grows above it is scrolled away.
  const before = CSS.supports("overflow-anchor", "auto") ? null : el.getBoundingClientRect();
  try {
    module.render({ model: modelOf({ ...JSON.parse(el.dataset.state), spec: specs[name] }), el, page: { id } });
    el.dataset.ready = "1";
    if (before?.bottom < 0) scrollBy({ top: el.getBoundingClientRect().height - before.height, behavior: "instant" });
  } catch (error) {
    el.replaceChildren(...still); // the still picture is worth more than an empty frame
    console.error(error);
  }
}
const mountAll = () => {
  document.querySelectorAll(".cw-explorer[data-explorer]").forEach(mount);
  dispatchEvent(new Event("cw-mounted"));
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
else mountAll();
