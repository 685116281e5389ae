// What a prediction asks for stays covered until an answer is chosen, or the button on it is pressed.
// Without this script, on paper and in large type all is open; the cover is as high as what it covers.
(() => {
  const all = [...document.querySelectorAll(".cw-answer")], KEY = "show-what-comes-out";
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
  const heights = all.map((answer) => answer.offsetHeight);
  const parts = all.map((answer, i) => {
    const button = make("button", { type: "button", className: "cw-show" }, "Show what comes out");
    button.setAttribute("aria-controls", answer.id);
    answer.before(make("div", { className: "cw-cover" }, button));
    answer.style.containIntrinsicBlockSize = `${heights[i]}px`;
    const show = (on) => {
      // Where the browser knows "until-found", a search in the page opens it.
      on ? answer.removeAttribute("hidden") : answer.setAttribute("hidden", "until-found");
      button.setAttribute("aria-expanded", on);
    };
    button.addEventListener("click", () => show(!!answer.hidden));
    answer.addEventListener("click", () => show(true));
    answer.addEventListener("beforematch", () => show(true));
    return { answer, show, options: asked(answer) };
  });
  const showing = (test) => parts.forEach((part) => test(part) && part.show(true));

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
    if (place) showing(({ answer }) => answer.contains(place));
  };
  named();
  addEventListener("hashchange", named);
  // Sphinx marks the words that were searched for a little after the page stands.
  addEventListener("load", () => setTimeout(() => showing(({ answer }) => answer.querySelector(".highlighted")), 50));
})();
