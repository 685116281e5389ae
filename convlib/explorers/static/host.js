// The static book's host: a model without Python, and the mounting of each .cw-explorer on the page.
// `modules` comes from the linker (convlib/explorers/_bundle.py), which wraps all of it in a function.
class Model {
  constructor(state) {
    this.state = state;
    this.listeners = new Map();
  }
  get(key) {
    return this.state[key];
  }
  set(key, value) {
    if (Object.is(this.state[key], value)) return;
    this.state[key] = value;
    for (const listener of this.listeners.get(`change:${key}`) ?? []) listener();
  }
  save_changes() {}
  on(name, listener) {
    if (!this.listeners.has(name)) this.listeners.set(name, new Set());
    this.listeners.get(name).add(listener);
  }
  off(name, listener) {
    this.listeners.get(name)?.delete(listener);
  }
}

const seen = {};
function mount(el) {
  const name = el.dataset.explorer, module = Object.hasOwn(modules, name) && modules[name];
  if (!module || el.dataset.ready) return;
  // The name of the explorer, and its number from the second on: links stay good as a page grows.
  seen[name] = (seen[name] ?? 0) + 1;
  const id = `cw-${name}${seen[name] > 1 ? `-${seen[name]}` : ""}`, still = [...el.childNodes];
  try {
    module.render({ model: new Model(JSON.parse(el.dataset.state)), el, page: { id } });
    el.dataset.ready = "1";
  } catch (error) {
    el.replaceChildren(...still); // the still picture is worth more than an empty frame
    console.error(error);
  }
}
const mountAll = () => document.querySelectorAll(".cw-explorer[data-explorer]").forEach(mount);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
else mountAll();
