// Links: what the address says, where the page is, what goes to the clipboard, and what a teacher's link fixes or hides.
(() => {
  const MARK = "#show=";

  // What stands behind the # goes to no server by itself; the page reads it here and asks for the view. ?tab= only opens a tab.
  const given = () => {
    if (location.hash.startsWith(MARK)) return location.hash.slice(MARK.length);
    const tab = new URLSearchParams(location.search).get("tab");
    return tab ? `?tab=${tab}` : "";
  };

  const where = () => {
    const open = document.querySelector("#tabs > .tab-wrapper [role=tab][aria-selected=true]");
    return [location.origin + location.pathname, open?.id.replace(/^tab-|-button$/g, "") ?? ""];
  };

  // The clipboard is there on secure addresses only; the old way works on all.
  const copy = async (words) => {
    try {
      await navigator.clipboard.writeText(words);
      return "yes";
    } catch { /* then the other way */ }
    const box = Object.assign(document.createElement("textarea"), { value: words });
    box.style.position = "fixed";
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done ? "yes" : "";
  };

  // Gradio enables its controls again whenever it draws them, so what is fixed is watched.
  const keepers = new Set();
  const fix = (on) => {
    keepers.forEach((keeper) => keeper.disconnect());
    keepers.clear();
    const apply = () => {
      for (const control of document.querySelectorAll(".option input, .option textarea, .option button, .option select")) {
        if (on && !control.disabled) { control.disabled = true; control.dataset.fixed = ""; }
        if (!on && "fixed" in control.dataset) { control.disabled = false; delete control.dataset.fixed; }
      }
    };
    apply();
    if (!on) return;
    const keeper = new MutationObserver(apply);
    keeper.observe(document.body, { subtree: true, childList: true, attributeFilter: ["disabled"] });
    keepers.add(keeper);
  };

  const lock = (names) => {
    document.body.dataset.lock = names.join(" ");
    fix(names.includes("options"));
  };

  const door = (element, props, watch, open) => {
    const said = () => lock(/data-lock="([a-z ]*)"/.exec(props.value ?? "")?.[1].split(" ") ?? []);
    watch("value", said);
    said();
    window.addEventListener("hashchange", () => { if (location.hash.startsWith(MARK)) open(); });
    // A link within the page: followed as it stands, Gradio's base address would load the page anew without what stands behind its ?.
    document.addEventListener("click", (event) => {
      const there = event.target.closest?.(`a[href^="${MARK}"]`)?.getAttribute("href");
      if (!there || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (there === location.hash) open();
      else location.hash = there;
    });
    element.addEventListener("click", (event) => {
      if (!event.target.closest(".leave")) return;
      lock([]);
      event.target.closest(".notice").remove();
      history.replaceState(null, "", location.pathname + location.search);
    });
  };

  window.playground = { ...window.playground, given, where, copy, door };
})();
