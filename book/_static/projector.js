// Large type: by its button, by Alt+P, or by ?projector in the address. CSS does it; the tab remembers it.
// An explorer is made no higher than the window: a lecturer who opens one shows it whole.
(() => {
  const button = document.querySelector(".btn-projector-button"), asked = new URLSearchParams(location.search).get("projector");
  const root = document.documentElement, wide = matchMedia("(min-width: 1000px)"); // as in book.css
  const ZOOMS = Array.from({ length: 13 }, (_, i) => (120 - 5 * i) / 100), GAP = 12;
  const tried = (f) => {
    try {
      return f();
    } catch {} // a page that may not remember it can still show it
  };
  const room = () => innerHeight - GAP - (document.querySelector(".bd-header-article")?.getBoundingClientRect().height ?? 0);
  const whole = (e) => e.getBoundingClientRect().height <= room() && e.scrollWidth <= e.clientWidth + 1;
  const fit = (explorer, zooms = ZOOMS) => {
    for (const zoom of zooms) {
      explorer.style.zoom = zoom;
      explorer.cwResize();
      if (whole(explorer)) return;
    }
  };
  const grown = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const code = target.querySelector(".cw-code"); // whoever opens the code scrolls to it
      if (code.hidden && !whole(target)) fit(target, ZOOMS.filter((zoom) => zoom < Number(target.style.zoom)));
    }
  });
  const fitAll = (event) => {
    const large = wide.matches && root.classList.contains("projector");
    grown.disconnect();
    for (const explorer of document.querySelectorAll(".cw-explorer[data-ready]")) {
      if (!large && !explorer.classList.contains("cw-large")) continue;
      explorer.classList.toggle("cw-large", large);
      fit(explorer, large ? ZOOMS : [""]);
      if (large) grown.observe(explorer);
      if (large && event?.type !== "resize" && location.hash.startsWith(`#${explorer.id}?`)) explorer.scrollIntoView();
    }
  };
  const turn = (on) => {
    root.classList.toggle("projector", on);
    button?.setAttribute("aria-pressed", on);
    tried(() => sessionStorage.setItem("projector", on ? "1" : ""));
    fitAll();
  };
  const flip = () => turn(!root.classList.contains("projector"));
  turn(asked === null ? !!tried(() => sessionStorage.getItem("projector")) : asked !== "0");
  button?.addEventListener("click", flip);
  addEventListener("keydown", (e) => e.altKey && e.code === "KeyP" && !e.repeat && (e.preventDefault(), flip()));
  addEventListener("resize", fitAll);
  addEventListener("cw-mounted", (event) => {
    fitAll(event);
    addEventListener("hashchange", fitAll); // after the explorers' own, which set what the address says
  });
})();
