// Large type: by its button, by Alt+P, or by ?projector in the address. CSS does it; the tab remembers it.
(() => {
  const button = document.querySelector(".btn-projector-button"), asked = new URLSearchParams(location.search).get("projector");
  const tried = (f) => {
    try {
      return f();
    } catch {} // a page that may not remember it can still show it
  };
  const turn = (on) => {
    document.documentElement.classList.toggle("projector", on);
    button?.setAttribute("aria-pressed", on);
    tried(() => sessionStorage.setItem("projector", on ? "1" : ""));
  };
  const flip = () => turn(!document.documentElement.classList.contains("projector"));
  turn(asked === null ? !!tried(() => sessionStorage.getItem("projector")) : asked !== "0");
  button?.addEventListener("click", flip);
  addEventListener("keydown", (e) => e.altKey && e.code === "KeyP" && !e.repeat && (e.preventDefault(), flip()));
})();
