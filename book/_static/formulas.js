// A formula that is wider than its column scrolls by itself, by touch and by keyboard.
(() => {
  const mark = () => {
    for (const formula of document.querySelectorAll("mjx-container")) {
      const block = formula.closest("div.math"), box = block ?? formula;
      box.classList.remove("cw-wide");
      const room = (block ?? formula.parentElement).clientWidth;
      const wide = block ? block.scrollWidth > room + 1 : formula.offsetWidth > room;
      box.classList.toggle("cw-wide", wide);
      if (wide) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", "Wide formula, scrolls sideways");
      } else if (box.getAttribute("role") === "group") {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  };
  addEventListener("load", () => document.fonts.ready.then(mark));
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(mark);
  });
})();
