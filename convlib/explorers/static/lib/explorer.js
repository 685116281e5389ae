// The frame of every explorer: state in a model (Python's, or the static page's), controls, figure,
// one sentence that says what is shown, and the buttons. How to write one: convlib/explorers/__init__.py.
import { h, put, refill, say } from "./draw.js";
import { button, choice, copy, fragment, fromFragment, slider } from "./input.js";

/** Whether a value may be in the state: [low, high] is an integer, a list of words is one of them. */
const allowed = (rule, value) => typeof rule === "function" ? rule(value)
  : typeof rule[0] === "number" ? Number.isInteger(value) && value >= rule[0] && value <= rule[1]
    : rule.includes(value);

/** The settings that most explorers have: label, role. */
const LABELS = {
  size: ["Input size"], kernel_size: ["Kernel", "kernel"], stride: ["Stride", "output"], padding: ["Padding"], dilation: ["Dilation", "kernel"],
};

export const explorer = (spec) => ({
  spec,
  render({ model, el, page }) {
    const keys = Object.keys(spec.keys), handlers = new WeakMap(), lights = matchMedia("(prefers-reduced-motion: reduce)");
    const state = () => Object.fromEntries(keys.map((key) => [key, model.get(key)]));
    const start = state();
    let quiet = false, queued = false, saving = 0, playing = 0, numbers = null, width = 0, gone = false;

    const set = (patch) => {
      quiet = true;
      for (const key in patch) if (Object.hasOwn(spec.keys, key) && allowed(spec.keys[key], patch[key])) model.set(key, patch[key]);
      quiet = false;
      draw();
      clearTimeout(saving); // pointing at cells changes the state often; Python hears of it when it rests
      saving = setTimeout(() => model.save_changes(), 150);
    };
    const ui = { set, state, keys: (node, answer) => handlers.set(node, answer), page };

    // The frame, once.
    const controls = (spec.controls ?? []).map((one) => {
      const { key = one, label = LABELS[key][0], role = LABELS[key]?.[1], names } = one;
      const rule = spec.keys[key], change = (value) => set({ [key]: value, ...spec.changed?.(key, value, state()) });
      const control = typeof rule[0] === "number" ? slider(label, rule, change, role) : choice(label, rule.map((word, i) => [word, names?.[i] ?? word]), change);
      return { key, ...control };
    });
    const body = h("div", { class: "cw-body" });
    const sentence = h("p", { class: "cw-sentence", "aria-live": "polite" });
    const note = h("span", { class: "cw-note", role: "status" });
    const code = h("div", { class: "cw-code", hidden: "" });
    const play = spec.play && button("Play", () => (playing ? pause() : resume()), { "aria-pressed": "false" });
    const reset = button("Reset", () => (pause(), set(start), say(note, "")));
    const show = button("Code", async () => {
      code.hidden = !code.hidden;
      put(show, { "aria-expanded": String(!code.hidden) });
      draw();
      say(note, code.hidden ? "" : (await copy(words())) ? "Code copied." : "");
    }, { "aria-expanded": "false" });
    const link = page && button("Link", async () => {
      const hash = fragment(page.id, linked());
      history.replaceState(null, "", hash);
      say(note, (await copy(location.href)) ? "Link copied: it opens this state." : "The address now holds this state.");
    });
    const bar = h("div", { class: "cw-bar" }, play, reset, show, link, note);
    const pane = h("div", { class: "cw-frame-box" },
      h("p", { class: "cw-title" }, spec.title),
      controls.length ? h("div", { class: "cw-controls" }, controls.map((c) => c.node)) : null,
      body, sentence, bar, code);
    const view = spec.build(ui);
    refill(body, view.nodes);
    el.classList.add("cw-explorer");
    put(el, { role: "group", "aria-label": spec.title, "data-lm-suppress-shortcuts": "true" });
    refill(el, pane);

    const linked = () => Object.fromEntries(Object.entries(state()).filter(([key]) => !spec.unlinked?.includes(key)));
    const words = () => spec.code(state(), numbers).map(([, text]) => text).join("\n");

    function draw() {
      const now = state();
      width = body.clientWidth || width || 640;
      numbers = spec.numbers(now);
      for (const { key, update } of controls) update(now[key]);
      view.draw(now, numbers, width);
      say(sentence, spec.sentence(now, numbers));
      if (!code.hidden) refill(code, spec.code(now, numbers).map(([name, text]) => [h("p", { class: "cw-caption" }, name), h("pre", { tabindex: 0 }, text)]).flat());
    }

    function resume() {
      const tick = () => {
        const next = el.isConnected && spec.play(state(), numbers);
        if (next) set(next);
        else pause();
      };
      put(sentence, { "aria-live": "off" });
      say(put(play, { "aria-pressed": "true" }), "Pause");
      playing = setInterval(tick, lights.matches ? 1200 : 650);
      tick();
    }
    function pause() {
      if (!playing) return;
      clearInterval(playing);
      playing = 0;
      put(sentence, { "aria-live": "polite" });
      say(put(play, { "aria-pressed": "false" }), "Play");
    }

    // JupyterLab takes arrow keys on document in the capture phase: window comes first.
    const onkey = (e) => {
      const path = e.composedPath();
      if (!path.includes(el) || e.altKey || e.ctrlKey || e.metaKey) return;
      for (const node of path) {
        if (handlers.get(node)?.(e)) {
          e.preventDefault();
          e.stopImmediatePropagation();
          return;
        }
        if (node === el) break;
      }
      if (/^(Arrow|Home|End|Page)/.test(e.key)) e.stopImmediatePropagation();
    };
    const onchange = () => {
      if (quiet || queued) return;
      queued = true;
      queueMicrotask(() => {
        queued = false;
        if (!gone) draw();
      });
    };
    const onhash = () => {
      const found = fromFragment(location.hash, page.id, linked());
      if (!Object.keys(found).length) return false;
      set(found);
      return true;
    };
    const resized = new ResizeObserver(() => Math.abs(body.clientWidth - width) > 1 && body.clientWidth && draw());

    window.addEventListener("keydown", onkey, true);
    keys.forEach((key) => model.on(`change:${key}`, onchange));
    if (page) {
      el.id ||= page.id;
      window.addEventListener("hashchange", onhash);
      if (onhash()) requestAnimationFrame(() => el.scrollIntoView());
    }
    draw();
    resized.observe(body);
    Object.assign(el, { cwNumbers: () => numbers, cwState: state, cwSet: set, cwSpec: spec, cwCode: words });
    return () => {
      gone = true;
      pause();
      clearTimeout(saving);
      resized.disconnect();
      window.removeEventListener("keydown", onkey, true);
      window.removeEventListener("hashchange", onhash);
      keys.forEach((key) => model.off(`change:${key}`, onchange));
    };
  },
});
