// Large type: by its button, by Alt+P, or by ?projector in the address. CSS does it; the tab remembers it.
(() => {
  const button = document.querySelector(".btn-projector-button"), asked = new URLSearchParams(location.search).get("projector");
  const turn = (on) => {
    document.documentElement.classList.toggle("projector", on);
    button?.setAttribute("aria-pressed", on);
    try {
      sessionStorage.setItem("projector", on ? "1" : "");
    } catch {} // a page that may not remember it can still show it
  };
  const flip = () => turn(!document.documentElement.classList.contains("projector"));
  let before = false;
  try {
    before = !!sessionStorage.getItem("projector");
  } catch {}
  turn(asked === null ? before : asked !== "0");
  button?.addEventListener("click", flip);
  addEventListener("keydown", (e) => e.altKey && e.code === "KeyP" && !e.repeat && (e.preventDefault(), flip()));
})();
