// The frame of every explorer: state in a model (Python's, or the static page's), controls, figure,
// one sentence that says what is shown, and the buttons. How to write one: convlib/explorers/__init__.py.
import { button, choice, h, line, put, refill, say, slider } from "./draw.js";
import { at, fill, literal, product } from "./format.js";
import { copy, fragment, fromFragment } from "./link.js";

/** Whether a value may be in the state: the rules of `Setting`. */
const allowed = (rule, v) => rule.any ? rule.any.some((one) => allowed(one, v))
  : rule.words ? rule.words.includes(v)
  : rule.text ? typeof v === "string" && new RegExp(rule.text).test(v)
  : rule.keys ? v !== null && typeof v === "object" && Object.keys(v).length === Object.keys(rule.keys).length
    && Object.entries(rule.keys).every(([key, one]) => Object.hasOwn(v, key) && allowed(one, v[key]))
  : rule.list ? Array.isArray(v) && v.length >= rule.list[0] && v.length <= rule.list[1]
    && v.every((one) => allowed(rule.of, one)) && !(product(v) > rule.product)
  : (rule.real ? typeof v === "number" : Number.isInteger(v)) && v >= rule.from && v <= rule.to;

export const explorer = (module) => ({
  render({ model, el, page }) {
    const spec = model.get("spec"), { settings } = spec, keys = Object.keys(settings);
    const state = () => Object.fromEntries(keys.map((key) => [key, model.get(key)]));
    const start = state(), handlers = new WeakMap(), over = new AbortController();
    let quiet = false, queued = false, saving = 0, playing = 0, numbers = null, width = 0, held = "", last = "", pointed = 0;

    const set = (patch) => {
      quiet = true;
      for (const key in patch) if (Object.hasOwn(settings, key) && allowed(settings[key], patch[key])) model.set(key, patch[key]);
      quiet = false;
      draw();
      say(note, held && "Held. A click lets go.");
      clearTimeout(saving); // pointing at cells changes the state often; Python hears of it when it rests
      saving = setTimeout(() => model.save_changes(), 150);
    };
    const ui = {
      set, state, spec,
      keys: (node, answer) => handlers.set(node, answer),
      /** What is under the mouse is shown: find(e) is a place, or nothing. A click holds it, and one more on the `same` lets go. */
      pointing(node, find, show, same = String) {
        const id = ++pointed;
        node.addEventListener("pointermove", (e) => { // not pointerover: a page that scrolls moves no mouse
          const place = e.pointerType === "mouse" && !held && find(e), key = place && `${id}:${place}`;
          if (key && key !== last) show(place);
          if (key) last = key;
        });
        node.addEventListener("click", (e) => {
          const place = find(e), key = `${id}:${place && same(place)}`;
          if (!place) return;
          last = `${id}:${place}`;
          held = held === key || e.pointerType === "touch" ? "" : key; // a finger does not pass over others
          show(place);
          say(note, held && "Held. A click lets go.");
        });
      },
      line(name, n, i) { // "#" stands for the number of a layer
        const [label, words] = spec.lines[name];
        return line(label, n, words.replaceAll("#", i));
      },
      grid: (key, n) => {
        const grid = spec.grids[key];
        const [path, name, caption, of] = ["path", "name", "caption", "of"].map((key) => grid[key] && fill(grid[key], n));
        return { ...grid, path, name, caption, of, values: path && at(n, path), first: grid.padded ? -n.p : 0 };
      },
    };
    const texts = () => {
      const both = ["convlib", "PyTorch"], names = module.code?.(state(), numbers) ?? both;
      return names.map((name, i) => [both[i], fill(spec.code[name], { ...state(), ...numbers }, literal)]);
    };

    // The frame, once.
    const controls = spec.controls.map(({ key, label, role, names }) => {
      const { words, from, to } = settings[key], change = (value) => set({ [key]: value, ...spec.changed });
      return [key, words ? choice(label, words, names, change) : slider(label, role, change, [from, to])];
    });
    if (spec.start) { // presets: named patches of the state; one is shown where the state agrees with it in `keys`
      const { label, keys, presets } = spec.start, names = Object.keys(presets), same = (a, b) => String(a) === String(b);
      const { node, update } = choice(label, names, names, (name) => set(presets[name]));
      const now = () => names.find((name) => keys.every((key) => same(presets[name][key], model.get(key))));
      controls.push(["", { node, update: () => update(now()) }]);
    }
    const title = h("p", { class: "cw-title" }, spec.title), body = h("div", { class: "cw-body" }), formulas = h("div", { class: "cw-lines" });
    const sentence = h("p", { class: "cw-sentence", "aria-live": "polite" });
    const note = h("span", { class: "cw-note", role: "status" });
    const code = h("div", { class: "cw-code", hidden: "" });
    const play = module.play && button("Play", () => run(!playing));
    const reset = button("Reset", () => (held = last = "", run(false), set(start)));
    const show = button("Code", async () => {
      code.hidden = !code.hidden;
      put(show, { "aria-expanded": String(!code.hidden) });
      draw();
      say(note, !code.hidden && (await copy(texts().map(([, text]) => text).join("\n"))) ? "Code copied." : "");
    }, { "aria-expanded": "false" });
    const link = page && button("Link", async () => {
      history.replaceState(null, "", fragment(page.id, Object.entries(state()).filter(([key]) => key !== spec.unlinked)));
      const without = spec.unlinked && model.get(spec.unlinked) !== start[spec.unlinked] ? ", but for your own picture" : "";
      say(note, `${(await copy(location.href)) ? "Link copied: it opens this state" : "The address now holds this state"}${without}.`);
    });
    const view = module.build(ui);
    refill(body, view.nodes);
    el.classList.add("cw-explorer");
    put(el, { role: "group", "aria-label": spec.title, "data-lm-suppress-shortcuts": "true" });
    refill(el, h("div", { class: "cw-frame-box" },
      title,
      h("div", { class: "cw-controls" }, controls.map(([, control]) => control.node)),
      body, formulas, sentence, h("div", { class: "cw-bar" }, play, reset, show, link, note), code));

    function draw() {
      const now = state();
      width ||= body.clientWidth || 640;
      numbers = module.numbers(now, spec);
      for (const [key, control] of controls) control.update(now[key]);
      refill(formulas, view.draw(now, numbers, width));
      const said = module.sentence(now, numbers).filter(Boolean);
      say(sentence, said.map((name) => fill(spec.sentences[name], { ...now, ...numbers })).join(" "));
      for (const node of [formulas, sentence]) { // while it plays, the button stays where it is
        const least = playing ? Math.max(parseFloat(node.style.minHeight) || 0, node.offsetHeight) : 0;
        node.style.minHeight = least ? `${least}px` : "";
      }
      if (!code.hidden) refill(code, texts().map(([name, text]) => [h("p", { class: "cw-caption" }, name), h("pre", { tabindex: 0 }, text)]));
    }

    function run(on) {
      clearInterval(playing);
      playing = on && setInterval(tick, matchMedia("(prefers-reduced-motion: reduce)").matches ? 1200 : 650);
      put(sentence, { "aria-live": on ? "off" : "polite" });
      if (play) say(put(play, { "data-on": on || null }), on ? "Pause" : "Play");
      if (on) tick();
    }
    function tick() {
      const next = el.isConnected && module.play(state(), numbers);
      if (next) set(next);
      else run(false);
    }

    // JupyterLab takes arrow keys on document in the capture phase: window comes first.
    const onkey = (e) => {
      const path = e.composedPath();
      if (!path.includes(el) || e.altKey || e.ctrlKey || e.metaKey) return;
      const taken = path.slice(0, path.indexOf(el)).some((node) => handlers.get(node)?.(e));
      if (taken) e.preventDefault();
      if (taken || /^(Arrow|Home|End|Page)/.test(e.key)) e.stopImmediatePropagation();
    };
    const onchange = () => {
      if (quiet || queued) return;
      queued = true;
      queueMicrotask(() => {
        queued = false;
        if (!over.signal.aborted) draw();
      });
    };
    const onhash = () => {
      const found = fromFragment(location.hash, page.id);
      if (found) set(found);
      return found;
    };
    const resize = () => {
      const now = body.clientWidth;
      if (!now || Math.abs(now - width) < 2) return;
      width = now;
      draw();
    };
    const resized = new ResizeObserver(resize);

    const { signal } = over;
    window.addEventListener("keydown", onkey, { capture: true, signal });
    keys.forEach((key) => model.on(`change:${key}`, onchange));
    if (page) {
      el.id ||= page.id;
      const show = () => onhash() && el.scrollIntoView();
      window.addEventListener("hashchange", show, { signal });
      // When all is loaded nothing above it grows; this script may come after that.
      if (document.readyState === "complete") requestAnimationFrame(show);
      else if (onhash()) window.addEventListener("load", show, { signal });
    }
    draw();
    resized.observe(title); // as wide as the figure, whose height changes too often
    // For the slides, which make it larger; the others for the tests.
    Object.assign(el, { cwResize: resize, cwNumbers: () => numbers, cwState: state, cwSet: set, cwSpec: spec, cwCode: texts });
    return () => {
      run(false);
      clearTimeout(saving);
      resized.disconnect();
      over.abort();
      keys.forEach((key) => model.off(`change:${key}`, onchange));
    };
  },
});
