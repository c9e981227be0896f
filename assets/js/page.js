// What the browser does by itself: the language and the visitor, remembered; the charts, in the colours of the theme.
(() => {
  const KEY = "transformer-playground-language";
  const MOVED = "playground-moved";  // a chart has drawn another figure
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

  let library = null;
  const plotly = () => {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${window.gradio_config?.root ?? ""}/gradio_api/file=${window.playground.plotlyPath}`;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => { library = null; reject(new Error("plotly could not be loaded")); };
      document.head.appendChild(script);
    });
    return library;
  };

  const coarse = () => window.matchMedia("(pointer: coarse)").matches;

  // `meta.fit` is a pair (pixels, share): on a narrow page the figure needs to be no higher than pixels + share * width.
  const fitted = (layout, width) => {
    const [pixels, share] = layout.meta?.fit ?? [Infinity, 0];
    return layout.height === undefined ? undefined : Math.round(Math.min(layout.height, Math.max(160, pixels + share * width)));
  };

  // A figure brings data and measures; text, grid and ground come from the theme.
  const dressed = (layout, width) => {
    const style = getComputedStyle(document.body);
    const colour = (name) => style.getPropertyValue(name).trim();
    const ink = colour("--body-text-color"), line = colour("--border-color-primary"), ground = colour("--background-fill-primary");
    const result = {
      ...layout,
      autosize: true,
      height: fitted(layout, width),
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      dragmode: coarse() ? false : (layout.dragmode ?? "zoom"),
      font: { size: 13, ...(layout.font ?? {}), color: ink, family: style.fontFamily },
      hoverlabel: { ...(layout.hoverlabel ?? {}), bgcolor: ground, bordercolor: line, font: { color: ink, family: style.fontFamily, size: 14 } },
    };
    for (const name of Object.keys(result).filter((key) => /^[xy]axis\d*$/.test(key))) {
      const { color, ...axis } = result[name];
      result[name] = { ...axis, gridcolor: line, zerolinecolor: line, linecolor: line, tickcolor: line };
    }
    return result;
  };

  const chart = (element, props, watch, select) => {
    const place = element.querySelector(".chart");
    let listening = false;
    const draw = async () => {
      const value = props.value;
      if (!value) {
        window.Plotly?.purge(place);
        window.playground.lines(place, null);
        window.playground.cells(place, null);
        place.style.minHeight = "";
        place.removeAttribute("role");
        place.removeAttribute("aria-label");
        return;
      }
      if (window.playground.lines(place, value)) {  // not a figure of plotly
        window.playground.cells(place, null);
        return;
      }
      place.setAttribute("role", value.cells ? "application" : "img");
      place.setAttribute("aria-label", value.description);
      const Plotly = await plotly();
      const figure = JSON.parse(value.figure);
      // Not `responsive`: when only the height of the window changes (a telephone hides its address bar) that forgets the figure's own height.
      const config = { displayModeBar: false, doubleClick: "reset" };
      await Plotly.react(place, figure.data, dressed(figure.layout ?? {}, place.clientWidth), config);
      place.style.minHeight = "0";  // what it kept free until now
      if (!listening) {
        listening = true;
        place.on("plotly_click", ({ points: [point] }) => select({ x: point.x, y: point.y, curve: point.curveNumber, text: point.text ?? null }));
      }
      window.playground.cells(place, value, select);
    };
    draw();
    watch("value", async () => { await draw(); element.dispatchEvent(new CustomEvent(MOVED, { bubbles: true })); });
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (place.clientWidth === width || !place.clientWidth) return;
      width = place.clientWidth;
      draw();
    }).observe(place);
    // Gradio puts `dark` on the body; a chart that left the page stops listening.
    const observer = new MutationObserver(() => { place.isConnected ? draw() : observer.disconnect(); });
    observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  };

  // What stands below a chart asks for its own numbers once the chart shows others, and only while it can be seen itself.
  const follow = (element, chart, act) => {
    const hear = (event) => {
      if (!element.isConnected) document.removeEventListener(MOVED, hear);
      else if (event.target.closest(chart) && element.getClientRects().length) act();
    };
    document.addEventListener(MOVED, hear);
  };

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

  window.playground = { ...window.playground, language, remember, visitor, chart, follow, words };
})();
