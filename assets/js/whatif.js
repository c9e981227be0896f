// Buttons that stay pressed: a click, or Enter on the focused one, tells the names of all that are.
(() => {
  window.playground.silence = (element, tell) => {
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-part]");
      if (!button) return;
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      tell(Array.from(element.querySelectorAll("[data-part][aria-pressed=true]"), (pressed) => pressed.dataset.part));
    });
  };
})();
