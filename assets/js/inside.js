// Boxes of a picture: a click, or Enter or space on the focused one, tells its number.
(() => {
  window.playground.boxes = (element, tell) => {
    const choose = (event) => {
      const box = event.target.closest?.("[data-index]");
      if (!box) return;
      event.preventDefault();
      element.querySelectorAll("[aria-pressed=true]").forEach((other) => other.setAttribute("aria-pressed", "false"));
      box.setAttribute("aria-pressed", "true");
      tell(Number(box.dataset.index));
    };
    element.addEventListener("click", choose);
    element.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") choose(event); });
  };
})();
