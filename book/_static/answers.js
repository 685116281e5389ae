// What a prediction asks for stays covered until an answer is chosen, or the button on it is pressed; and so
// do the paragraph that says what came out, and code that would tell.
// Without this script, on paper and in large type all is open; the cover is as high as what it covers.
(() => {
  const KEY = "show-what-comes-out", all = [...document.querySelectorAll(".cw-answer, .cw-words, .cw-tells")];
  const tried = (f) => {
    try {
      return f();
    } catch {} // a page that may not remember still works
  };
  const make = (tag, given, ...inside) => {
    const made = Object.assign(document.createElement(tag), given);
    made.append(...inside);
    return made;
  };
  const asked = (answer) => {
    let block = answer.closest(".cell");
    while (!block.matches(".cw-options")) block = block.previousElementSibling;
    return block;
  };
  const open = (one) => one.removeAttribute("hidden");
  // Where the browser knows "until-found", a search in the page opens it.
  const cover = (one) => one.setAttribute("hidden", "until-found");
  let width;
  const measure = (again) => {
    if (again !== true && width === innerWidth) return;
    width = innerWidth;
    const shut = all.filter((one) => one.hidden);
    shut.forEach(open);
    const heights = all.map((one) => one.getBoundingClientRect().height);
    all.forEach((one, i) => (one.style.containIntrinsicBlockSize = `${heights[i]}px`));
    shut.forEach(cover);
  };
  measure();
  addEventListener("resize", measure);
  // A formula's letters come late.
  addEventListener("load", () => document.fonts.ready.then(() => setTimeout(measure, 0, true)));

  const parts = all.filter((one) => one.matches(".cw-answer")).map((answer) => {
    const covered = all.filter((one) => one === answer || one.id.startsWith(`${answer.id}-`));
    const button = make("button", { type: "button", className: "cw-show" });
    button.setAttribute("aria-controls", covered.map((one) => one.id).join(" "));
    answer.before(make("div", { className: "cw-cover" }, button));
    const show = (on) => {
      covered.forEach(on ? open : cover);
      button.setAttribute("aria-expanded", on);
      button.textContent = on ? "Cover it again" : "Show what comes out";
    };
    button.addEventListener("click", () => show(!!answer.hidden));
    for (const one of covered) for (const event of ["click", "beforematch"]) one.addEventListener(event, () => show(true));
    return { covered, show, options: asked(answer) };
  });
  const showing = (test) => parts.forEach((part) => test(part) && part.show(true));
  const showingWith = (test) => showing(({ covered }) => covered.some(test));

  const always = make("input", { type: "checkbox", checked: !!tried(() => localStorage.getItem(KEY)) });
  const set = () => parts.forEach(({ show, options }) => show(always.checked || !!options.querySelector("[open]")));
  always.addEventListener("change", () => {
    tried(() => (always.checked ? localStorage.setItem(KEY, "1") : localStorage.removeItem(KEY)));
    set();
  });
  parts[0].options.after(make("label", { className: "cw-always" }, always, "Always show what comes out"));
  set();

  addEventListener("toggle", ({ target }) => target.open && showing(({ options }) => options.contains(target)), true);
  const named = () => {
    const place = tried(() => document.getElementById(decodeURIComponent(location.hash.slice(1))));
    if (place) showingWith((one) => one.contains(place));
  };
  named();
  addEventListener("hashchange", named);
  // Sphinx marks the words that were searched for a little after the page stands.
  addEventListener("load", () => setTimeout(() => showingWith((one) => one.querySelector(".highlighted")), 50));
})();
