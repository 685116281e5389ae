// Before reveal.js starts: every slide is made to fit. After that: the keys, shared with the explorers.
(() => {
  const SMALLEST = 0.7, ZOOMS = Array.from({ length: 23 }, (_, i) => (180 - 5 * i) / 100);
  const full = (main) => main.scrollHeight > main.clientHeight + 1
    || [...main.querySelectorAll("pre, .right, table, div.math")].some((e) => e.scrollWidth > e.clientWidth + 1
      || e.getBoundingClientRect().bottom > main.getBoundingClientRect().bottom + 1);

  // Type shrinks by steps until all is on the slide. The test looks how often, and how far.
  const fitText = (main) => {
    for (let fit = 1; fit >= SMALLEST - 0.001; fit -= 0.05) {
      main.style.setProperty("--fit", fit.toFixed(2));
      if (!full(main)) return;
    }
  };

  // An explorer grows until it fills the slide. It draws itself for the width that is left by its zoom.
  const fitExplorer = (live, zooms = ZOOMS) => {
    const explorer = live.querySelector(".cw-explorer") ?? live.lastElementChild;
    for (const zoom of zooms) {
      explorer.style.zoom = zoom;
      explorer.style.setProperty("--zoom", zoom);
      explorer.cwResize?.();
      if (live.scrollHeight <= live.clientHeight + 1 && live.scrollWidth <= live.clientWidth + 1) return;
    }
  };
  const grown = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const live = target.closest(".live"), zoom = Number(target.style.zoom);
      if (live.clientHeight && live.scrollHeight > live.clientHeight + 1) fitExplorer(live, ZOOMS.filter((z) => z < zoom));
    }
  });

  // A presenter's remote sends Page up and Page down: they turn the slide, wherever the focus is.
  addEventListener("keydown", (e) => {
    const inside = e.target.closest?.(".cw-explorer");
    if (!inside || !window.Reveal?.isReady?.()) return;
    if (e.key === "Escape") document.activeElement.blur();
    else if (e.key === "PageDown") Reveal.next();
    else if (e.key === "PageUp") Reveal.prev();
    else return;
    e.preventDefault();
    e.stopImmediatePropagation();
  }, true);

  // #/23 is the slide with the number 23, whichever stack it is in; reveal.js itself would count the stacks.
  // The speaker's window speaks of stacks to its own two copies of the deck.
  const numbers = { id: "numbers", init: ({ location: place, getIndices }) => {
    const read = place.getIndicesFromHash;
    place.getIndicesFromHash = (hash = location.hash, options) => {
      const [, number, f] = /^#?\/?(\d+)(?:\/(\d+))?$/.exec(hash) ?? [], slide = number && document.getElementById(number);
      if (!slide || /receiver/.test(location.search)) return read.call(place, hash, options);
      return { ...getIndices(slide), f: f && Number(f) };
    };
  } };

  const start = async () => {
    document.documentElement.classList.toggle("with-notes", new URLSearchParams(location.search).has("showNotes"));
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
    const measured = document.querySelector(".reveal");
    for (const live of document.querySelectorAll(".live")) {
      const explorer = live.querySelector(".cw-explorer");
      explorer?.setAttribute("data-prevent-swipe", "");
      explorer?.classList.add("cw-large");
      fitExplorer(live);
    }
    for (const main of document.querySelectorAll(".main:not(:has(.live))")) fitText(main);
    measured.classList.remove("measuring");
    await Reveal.initialize({
      width: 1280, height: 720, margin: 0, center: false, hash: true, navigationMode: "linear", controls: false,
      transition: "none", backgroundTransition: "none", slideNumber: "c/t", pdfSeparateFragments: false, pdfMaxPagesPerSlide: 1,
      keyboardCondition: (e) => !e.target.closest?.(".cw-explorer"), plugins: [RevealNotes, numbers],
    });
    document.querySelectorAll(".live .cw-explorer").forEach((e) => grown.observe(e));
    Reveal.on("slidechanged", ({ currentSlide }) => {
      document.activeElement?.closest?.(".cw-explorer") && document.activeElement.blur();
      const live = currentSlide.querySelector(".live");
      if (live) fitExplorer(live);
    });
    document.documentElement.dataset.ready = "1";
  };
  addEventListener("DOMContentLoaded", start);
})();
