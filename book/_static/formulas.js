// A formula that is wider than its column scrolls by itself, by touch and by keyboard.
(() => {
  const scrolls = { tabindex: 0, role: "group", "aria-label": "Wide formula, scrolls sideways" };
  const mark = () => {
    for (const formula of document.querySelectorAll("mjx-container")) {
      // A block scrolls by the theme's own rules.
      formula.classList.remove("cw-wide");
      const wide = formula.closest("div.math") ? formula.scrollWidth > formula.clientWidth + 1
        : formula.offsetWidth > formula.parentElement.clientWidth;
      formula.classList.toggle("cw-wide", wide);
      for (const name in scrolls) wide ? formula.setAttribute(name, scrolls[name]) : formula.removeAttribute(name);
    }
  };
  addEventListener("load", () => document.fonts.ready.then(mark));
  addEventListener("resize", mark); // comes once a frame
})();
