// Two texts whose words are linked with weights: point at a word of either, or move to it with the arrow keys, and its partners light up.
(() => {
  // Each word is a button with `data-side`, `data-index` and `data-links`, "3:0.61 5:0.2": partners on the other side and their weights.
  const links = (word) => (word.dataset.links || "").split(" ").filter(Boolean).map((pair) => pair.split(":").map(Number));

  const linked = (element, select) => {
    const words = (side) => [...element.querySelectorAll(`.linked[data-side="${side}"]`)];
    const other = (word) => words(word.dataset.side === "s" ? "t" : "s");
    const word = (event) => event.target.closest?.(".linked");

    const clear = () => element.querySelectorAll(".lit, .pointed").forEach((one) => {
      one.classList.remove("lit", "pointed");
      one.style.removeProperty("--light");
    });
    const light = (one) => {
      clear();
      if (!one) return;
      one.classList.add("pointed");
      const partners = other(one);
      for (const [index, weight] of links(one)) {
        partners[index]?.classList.add("lit");
        partners[index]?.style.setProperty("--light", Math.min(weight, 1));
      }
    };
    // One word of each side is reached with Tab, the others from there: a few hundred stops would be a trap.
    const focus = (one) => {
      if (!one) return;
      words(one.dataset.side).forEach((each) => { each.tabIndex = each === one ? 0 : -1; });
      one.focus();
    };
    const strongest = (one) => links(one).sort((a, b) => b[1] - a[1])[0]?.[0];

    element.addEventListener("pointerover", (event) => { if (word(event)) light(word(event)); });
    element.addEventListener("pointerleave", () => light(element.contains(document.activeElement) ? document.activeElement.closest(".linked") : null));
    element.addEventListener("focusin", (event) => light(word(event)));
    element.addEventListener("focusout", clear);
    element.addEventListener("keydown", (event) => {
      const one = word(event);
      if (!one) return;
      const row = words(one.dataset.side), index = row.indexOf(one);
      const next = {
        ArrowRight: () => row[index + 1], ArrowLeft: () => row[index - 1], Home: () => row[0], End: () => row.at(-1),
        ArrowDown: () => other(one)[strongest(one)], ArrowUp: () => other(one)[strongest(one)],
      }[event.key];
      if (!next) return;
      event.preventDefault();
      focus(next());
    });
    element.addEventListener("click", (event) => {
      const one = word(event);
      if (!one) return;
      focus(one);
      light(one);
      select({ side: one.dataset.side, index: Number(one.dataset.index) });
    });
  };

  window.playground = { ...window.playground, linked };
})();
