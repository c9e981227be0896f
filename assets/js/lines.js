// Attention as lines between two rows of words. A word that is pointed at or focused lights its lines; a slider leaves faint ones out.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LINE = 26, ROW = 230, SIDE = 150, GAP = 14;  // pixels: between words, between the two rows, for a word beside the lines, around a word

  const part = (name, attributes = {}, text = "") => {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.textContent = text;
    return made;
  };
  const html = (name, className, text = "") => Object.assign(document.createElement(name), { className, textContent: text });

  const pen = document.createElement("canvas").getContext("2d");
  const width = (word, font) => { pen.font = font; return pen.measureText(word).width; };

  // Where each word stands and where its lines begin: [x, y] of the text, [x, y] of the line.
  const placed = (data, wide, space, font) => {
    if (!wide) {
      const right = Math.max(space, 2 * SIDE + 120);
      const column = (words, x, sign) => words.map((_, at) => [[x, 20 + LINE * at], [x + sign * 8, 20 + LINE * at]]);
      const height = 20 + LINE * Math.max(data.rows.length, data.columns.length);
      return { rows: column(data.rows, SIDE, 1), columns: column(data.columns, right - SIDE, -1), size: [right, height], anchors: ["end", "start"] };
    }
    const row = (words, y, sign) => {
      let at = GAP;
      const found = words.map((word) => {
        const long = width(word, font);
        at += long + GAP;
        return [[at - GAP - long / 2, y], [at - GAP - long / 2, y + sign * 12]];
      });
      return [found, at];
    };
    const [rows, one] = row(data.rows, 20, 1), [columns, other] = row(data.columns, 20 + ROW, -1);
    return { rows, columns, size: [Math.max(one, other), ROW + 40], anchors: ["middle", "middle"] };
  };

  const curve = ([x, y], [u, v], wide) =>
    wide ? `M${x},${y}C${x},${(y + v) / 2} ${u},${(y + v) / 2} ${u},${v}` : `M${x},${y}C${(x + u) / 2},${y} ${(x + u) / 2},${v} ${u},${v}`;

  const drawn = (place, value) => {
    const data = JSON.parse(value.lines), description = value.description;
    const font = `15px ${getComputedStyle(place).fontFamily}`;
    const { rows, columns, size, anchors } = placed(data, data.wide, place.clientWidth - 20, font);
    const figure = html("figure", "lines");
    const head = html("figcaption", "lines-head");
    head.append(html("strong", "", data.title), html("span", "", data.subtitle));
    const label = html("label", "lines-from", data.said.from);
    const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1000, step: 10, value: data.from });
    const told = html("output", "");
    label.append(slider, told);
    const svg = part("svg", { width: size[0], height: size[1], viewBox: `0 0 ${size[0]} ${size[1]}`, role: "group", "aria-label": description });
    const paths = part("g", { class: "lines-all" });
    for (const [query, key, weight] of data.lines) {
      const path = part("path", { d: curve(rows[query][1], columns[key][1], data.wide), "data-row": query, "data-column": key, "data-weight": weight });
      path.style.setProperty("--strength", (0.08 + 0.92 * weight / 1000).toFixed(3));
      path.append(part("title", {}, `${data.rows[query]} → ${data.columns[key]}: ${(data.top * weight / 1000).toPrecision(2)}`));
      paths.append(path);
    }
    svg.append(paths);
    [["row", data.rows, rows, anchors[0]], ["column", data.columns, columns, anchors[1]]].forEach(([side, words, places, anchor]) => {
      words.forEach((word, at) => {
        const [[x, y]] = places[at];
        const strongest = data.lines.filter((line) => line[side === "row" ? 0 : 1] === at).slice(0, 3);
        const others = strongest.map(([query, key, weight]) => `${side === "row" ? data.columns[key] : data.rows[query]} ${(data.top * weight / 1000).toPrecision(2)}`);
        const said = `${word}, ${side === "row" ? data.said.rows : data.said.columns}: ${others.join("; ") || "–"}`;
        svg.append(part("text", { x, y, "text-anchor": anchor, "dominant-baseline": "central", tabindex: at || side === "column" ? -1 : 0, role: "img", "aria-label": said, [`data-${side}`]: at }, word));
      });
    });
    const cut = () => {
      told.textContent = (data.top * slider.value / 1000).toPrecision(2);
      for (const path of paths.children) path.classList.toggle("faint", Number(path.dataset.weight) < Number(slider.value));
    };
    slider.addEventListener("input", cut);
    cut();
    const light = (word) => {
      svg.classList.toggle("lighting", Boolean(word));
      const side = word && ("row" in word.dataset ? "row" : "column");
      for (const path of paths.children) path.classList.toggle("lit", Boolean(word) && path.dataset[side] === word.dataset[side]);
    };
    const focused = () => svg.querySelector("text:focus");
    svg.addEventListener("pointerover", (event) => light(event.target.closest("text") ?? focused()));
    svg.addEventListener("pointerleave", () => light(focused()));
    svg.addEventListener("focusin", (event) => light(event.target.closest("text")));
    svg.addEventListener("focusout", () => light(null));
    // One stop of the Tab key; arrows go from word to word, and between the two sides.
    svg.addEventListener("keydown", (event) => {
      const word = event.target.closest("text"), side = word && ("row" in word.dataset ? "row" : "column");
      if (!word) return;
      const [back, on, over] = data.wide ? ["ArrowLeft", "ArrowRight", ["ArrowUp", "ArrowDown"]] : ["ArrowUp", "ArrowDown", ["ArrowLeft", "ArrowRight"]];
      const at = Number(word.dataset[side]) + (event.key === on) - (event.key === back);
      const to = over.includes(event.key) ? (event.key === over[0] ? "row" : "column") : side;
      const next = svg.querySelector(`text[data-${to}="${at}"]`);
      if (![back, on, ...over].includes(event.key) || !next) return;
      event.preventDefault();
      word.tabIndex = -1;
      next.setAttribute("tabindex", 0);
      next.focus();
    });
    const frame = html("div", "lines-frame");
    frame.append(svg);
    figure.append(head, label, frame, html("p", "lines-help", data.said.help));
    return figure;
  };

  // True where the value is lines: they stand in front of what plotly drew, which keeps its place and its listeners; else they are gone.
  const lines = (place, value) => {
    place.querySelector(":scope > figure.lines")?.remove();
    place.classList.toggle("as-lines", Boolean(value?.lines));
    if (!value?.lines) return false;
    place.removeAttribute("role");
    place.removeAttribute("aria-label");
    place.append(drawn(place, value));
    place.style.minHeight = "0";
    return true;
  };

  window.playground = { ...window.playground, lines };
})();
