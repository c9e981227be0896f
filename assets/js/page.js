// What the browser does by itself: the language and the visitor, remembered; words that can be pressed.
(() => {
  const KEY = "transformer-playground-language";
  const VISITOR = "transformer-playground-visitor-key";
  const LANGUAGES = ["en", "zh"];
  const known = (language) => LANGUAGES.includes(language);

  const stored = (key) => {
    try { return localStorage.getItem(key); } catch { return null; }  // a browser may forbid storage
  };
  const store = (key, value) => {
    try { localStorage.setItem(key, value); } catch { /* nothing to remember it in */ }
    return value;
  };

  // ?lang= first, then what was chosen before, then the browser's own languages.
  const language = () => {
    const wishes = [new URLSearchParams(location.search).get("lang"), stored(KEY), ...navigator.languages.map((tag) => tag.split("-")[0])];
    return wishes.find(known) || "en";
  };

  const remember = (chosen) => {
    document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
    return store(KEY, chosen);
  };

  // Who comes back finds their runs and results: a key that nobody can guess, and that only the server of this page is told.
  const visitor = () => stored(VISITOR) || store(VISITOR, Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join(""));

  // Coloured words: click, or Enter on the focused one (they are buttons), tells its number.
  const words = (element, select) => {
    element.addEventListener("click", (event) => {
      const word = event.target.closest("[data-index]");
      if (!word) return;
      element.querySelectorAll("[aria-pressed=true]").forEach((other) => other.setAttribute("aria-pressed", "false"));
      word.setAttribute("aria-pressed", "true");
      select({ index: Number(word.dataset.index) });
    });
  };

  // Gradio's own button opens the API page; it stands in a footer that this page replaces by its own.
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.('a[href="#api"]')) return;
    event.preventDefault();
    document.querySelector("button.show-api")?.click();
  }, true);

  window.playground = { ...window.playground, language, remember, visitor, words };
})();
