// A formula that is wider than its column scrolls by itself, by touch and by keyboard.
(() => {
  const scrolls = { tabindex: 0, role: "group", "aria-label": "Wide formula, scrolls sideways" };
  const mark = () => {
    const all = [...document.querySelectorAll("mjx-container")];
    for (const one of all) one.classList.remove("cw-wide");
    // Measured all at once: one layout. A block scrolls by the theme's rules.
    const wide = all.map((one) => one.closest("div.math") ? one.scrollWidth > one.clientWidth + 1
      : one.offsetWidth > one.parentElement.clientWidth);
    all.forEach((one, i) => {
      one.classList.toggle("cw-wide", wide[i]);
      for (const name in scrolls) wide[i] ? one.setAttribute(name, scrolls[name]) : one.removeAttribute(name);
    });
  };
  addEventListener("load", () => document.fonts.ready.then(mark));
  addEventListener("resize", mark);
})();
