// The charts: figures drawn by plotly in the colours of the theme, without jumping.
(() => {
  const MOVED = "playground-moved";  // a chart has drawn another figure

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

  // The room inside the frame of a chart.
  const inside = (place) => {
    const { paddingLeft, paddingRight } = getComputedStyle(place);
    return place.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  };

  // Plotly forgets who listens when it begins anew; nobody hears twice.
  const listen = (place, name, hear) => {
    place.removeListener(name, hear);
    place.on(name, hear);
  };

  // What is large came apart, and stays with the chart that it was fetched for; null where the server has it no more.
  const fetched = async (name) => {
    const answer = await fetch(`${window.gradio_config?.root ?? ""}/gradio_api/parcels/${name}`).catch(() => null);
    return answer?.ok ? answer.text() : null;
  };

  // Where cells are kept square, plotly takes the room that other words had for this figure's own, unless it begins anew.
  const begun = (place, layout) => Object.entries(layout).some(([name, axis]) => axis?.constrain && String(axis.range) !== String(place._fullLayout?.[name]?.range));

  // No figure, and nothing said about one.
  const clear = (place) => {
    window.Plotly?.purge(place);
    window.playground.lines(place, null);
    window.playground.cells(place, null);
    place.style.minHeight = "";
    place.removeAttribute("role");
    place.removeAttribute("aria-label");
  };

  // Until the browser has painted; in a tab that nobody sees it paints nothing.
  const painted = () => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); setTimeout(done, 100); });

  const chart = (element, props, watch, select) => {
    const place = element.querySelector(".chart");
    let latest = 0, parcel = { name: null, text: null };

    const clicked = ({ points: [point] }) => select({ x: point.x, y: point.y, curve: point.curveNumber, text: point.text ?? null });

    const show = async (value, current) => {
      place.querySelector(":scope > .lost")?.remove();
      if (value?.parcel && value.parcel !== parcel.name) parcel = { name: value.parcel, text: await fetched(value.parcel) };
      if (!current()) return;
      if (value?.parcel && !parcel.text) {
        parcel.name = null;
        clear(place);
        place.append(Object.assign(document.createElement("p"), { className: "lost", textContent: window.playground.translated("lost") }));
        return;
      }
      if (!value) {
        clear(place);
        return;
      }
      if (window.playground.lines(place, value)) {  // not a figure of plotly
        window.playground.cells(place, null);
        return;
      }
      // Read anew each time: plotly changes what it is given.
      const { figure, cells } = value.parcel ? JSON.parse(parcel.text) : { figure: JSON.parse(value.figure), cells: JSON.parse(value.cells ?? "null") };
      const { data, layout = {} } = figure;
      place.setAttribute("role", cells ? "application" : "img");
      place.setAttribute("aria-label", value.description);
      const Plotly = await plotly();
      if (window.playground.preview(place, { data, layout })) await painted();
      if (!current()) return;
      // Not `responsive`: when only the height of the window changes (a telephone hides its address bar) that forgets the figure's own height.
      const config = { displayModeBar: false, doubleClick: "reset" };
      await Plotly[begun(place, layout) ? "newPlot" : "react"](place, data, dressed(layout, inside(place)), config);
      place.style.minHeight = "0";  // what it kept free until now
      listen(place, "plotly_click", clicked);
      window.playground.cells(place, cells, value.description, select);
    };

    // The newest value wins, however long an older one is on its way.
    const draw = async () => {
      const mine = ++latest;
      try {
        await show(props.value, () => mine === latest);
      } finally {
        if (mine === latest) window.playground.uncover(place);
      }
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

  window.playground = { ...window.playground, chart, follow, listen };
})();
