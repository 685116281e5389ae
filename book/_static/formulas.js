// A formula that is wider than its column scrolls by itself, by touch and by keyboard.
(() => {
  const mark = () => {
    for (const formula of document.querySelectorAll("mjx-container")) {
      // A block scrolls by the theme's own rules.
      formula.classList.remove("cw-wide");
      const wide = formula.closest("div.math") ? formula.scrollWidth > formula.clientWidth + 1
        : formula.offsetWidth > formula.parentElement.clientWidth;
      formula.classList.toggle("cw-wide", wide);
      if (wide) {
        formula.tabIndex = 0;
        formula.setAttribute("role", "group");
        formula.setAttribute("aria-label", "Wide formula, scrolls sideways");
      } else if (formula.getAttribute("role") === "group") {
        for (const name of ["tabindex", "role", "aria-label"]) formula.removeAttribute(name);
      }
    }
  };
  addEventListener("load", () => document.fonts.ready.then(mark));
  let waiting;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(mark);
  });
})();
