// The map of one head without a mouse: arrows move a cursor from cell to cell, Enter opens it, a screen reader hears the cell and finds a table.
(() => {
  const TABLE = 40;  // words a side that a table may have; of a larger map the strongest weights are listed
  const LISTED = 20;
  const maps = new WeakMap();
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  const made = (tag, words = "", options = {}) => Object.assign(document.createElement(tag), { textContent: words, ...options });

  // The weight of a cell; null where the mask hides it. Large maps travel as whole numbers, `meta` says of which unit.
  const weight = (map, row, column) => {
    const { z, meta = 1 } = map.place._fullData[0];
    const value = z[row][column];
    return Number.isNaN(value) || (meta !== 1 && value === 0) ? null : value / meta;
  };

  const written = (value) => value === null ? "−∞" : String(Number(value.toPrecision(3)));

  const said = ({ told }, row, column, value) => {
    const values = { query: told.rows[row], key: told.columns[column], weight: written(value) };
    return (value === null ? told.hidden : told.pair).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };

  const table = (map) => {
    const { rows, columns } = map.told;
    const body = made("table");
    body.append(made("caption", map.description));
    const head = body.createTHead().insertRow();
    head.append(made("td"), ...columns.map((word) => made("th", word, { scope: "col" })));
    const lines = body.createTBody();
    rows.forEach((word, row) => {
      const line = lines.insertRow();
      line.append(made("th", word, { scope: "row" }), ...columns.map((_, column) => made("td", written(weight(map, row, column)))));
    });
    return [body];
  };

  const strongest = (map) => {
    const found = [];
    map.told.rows.forEach((_, row) => map.told.columns.forEach((_, column) => {
      const value = weight(map, row, column);
      if (value === null || (found.length === LISTED && value <= found[LISTED - 1][2])) return;
      found.push([row, column, value]);
      found.sort((one, other) => other[2] - one[2]);
      found.length = Math.min(found.length, LISTED);
    }));
    const list = made("ol");
    list.append(...found.map(([row, column, value]) => made("li", said(map, row, column, value))));
    return [made("p", map.told.strongest), list];
  };

  // Where the cursor stands on the page, by plotly's own measures; out of sight where the map is zoomed past it.
  const show = (map, visible) => {
    const { xaxis, yaxis } = map.place._fullLayout ?? {};
    map.visible = visible && Boolean(xaxis);
    map.cursor.hidden = !map.visible;
    if (!map.visible) return;
    const drawing = map.place.querySelector(".main-svg").getBoundingClientRect(), ground = map.place.getBoundingClientRect();
    const [left, right] = [map.column - 0.5, map.column + 0.5].map((at) => xaxis._offset + xaxis.l2p(at));
    const [top, bottom] = [map.row - 0.5, map.row + 0.5].map((at) => yaxis._offset + yaxis.l2p(at));
    const outside = right <= xaxis._offset + 1 || left >= xaxis._offset + xaxis._length - 1 || bottom <= yaxis._offset + 1 || top >= yaxis._offset + yaxis._length - 1;
    map.cursor.hidden = outside;
    const border = { x: drawing.left - ground.left - map.place.clientLeft, y: drawing.top - ground.top - map.place.clientTop };
    Object.assign(map.cursor.style, { left: `${left + border.x}px`, top: `${top + border.y}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  };

  const move = (map, row, column) => {
    map.row = Math.min(Math.max(row, 0), map.told.rows.length - 1);
    map.column = Math.min(Math.max(column, 0), map.told.columns.length - 1);
    show(map, true);
    map.cursor.scrollIntoView({ block: "nearest" });
    map.heard.textContent = said(map, map.row, map.column, weight(map, map.row, map.column));
    const { xaxis, yaxis } = map.place._fullLayout;
    window.Plotly.Fx.hover(map.place, { xpx: xaxis.l2p(map.column), ypx: yaxis.l2p(map.row) });
  };

  const pressed = (map, event) => {
    if (!map.told || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = map.told.columns.length - 1;
    if (event.key in STEPS) move(map, ...(map.visible ? [map.row + STEPS[event.key][0], map.column + STEPS[event.key][1]] : [map.row, map.column]));
    else if (event.key === "Home" || event.key === "End") move(map, map.row, event.key === "Home" ? 0 : last);
    else if (event.key === "Enter" || event.key === " ") open(map, () => map.select({ x: map.column, y: map.row, curve: 0, text: null }));
    else if (event.key === "Escape") { show(map, false); window.Plotly.Fx.unhover(map.place); }
    else return;
    event.preventDefault();
  };

  // What is opened below is brought into sight when it is there.
  let opened = -Infinity;
  const open = (map, choose) => { opened = performance.now(); show(map, true); choose(); };

  const begin = (place, select) => {
    const map = { place, select, row: 0, column: 0, visible: false, cursor: made("div", "", { className: "cell-cursor", hidden: true }) };
    map.heard = made("div", "", { className: "only-heard" });
    map.heard.setAttribute("aria-live", "polite");
    map.listed = made("div", "", { className: "only-heard" });
    place.style.position = "relative";
    place.append(map.cursor);
    place.after(map.heard, map.listed);
    place.addEventListener("keydown", (event) => pressed(map, event));
    place.addEventListener("blur", () => { if (map.told) window.Plotly?.Fx.unhover(place); });
    map.clicked = ({ points: [point] }) => {
      if (map.told) open(map, () => { map.row = Number(point.y); map.column = Number(point.x); show(map, true); });
    };
    map.drawn = () => show(map, map.visible);
    maps.set(place, map);
    return map;
  };

  const listen = (map) => {
    window.playground.listen(map.place, "plotly_click", map.clicked);
    window.playground.listen(map.place, "plotly_afterplot", map.drawn);
    if (!map.cursor.isConnected) map.place.append(map.cursor);
  };

  const later = (task) => window.requestIdleCallback ? requestIdleCallback(task, { timeout: 2000 }) : setTimeout(task, 200);

  // Called after each drawing; `told` is there for a map of one head only.
  const cells = (place, told, description, select) => {
    if (!told && !maps.has(place)) return;
    const map = maps.get(place) ?? begin(place, select);
    map.told = told;
    map.listed.replaceChildren();
    if (!told) {
      map.heard.textContent = "";
      place.removeAttribute("tabindex");
      show(map, false);
      return;
    }
    listen(map);
    map.description = description;
    place.tabIndex = 0;
    place.setAttribute("aria-label", `${description}. ${told.help}`);
    later(() => {  // a thousand cells take as long as the figure, which shall be seen first
      if (map.told === told) map.listed.replaceChildren(...(Math.max(map.told.rows.length, map.told.columns.length) <= TABLE ? table(map) : strongest(map)));
    });
    map.row = Math.min(map.row, map.told.rows.length - 1);
    map.column = Math.min(map.column, map.told.columns.length - 1);
    show(map, map.visible);
  };

  // The story of a cell: its heads can be clicked, and after a click on the map it comes gently into sight.
  const arithmetic = (element, watch, select) => {
    window.playground.words(element, select);
    const arrive = () => requestAnimationFrame(() => {
      const story = element.querySelector(".arithmetic");
      if (!story || performance.now() - opened > 10_000) return;
      opened = -Infinity;
      if (story.getBoundingClientRect().top < window.innerHeight * 0.7) return;
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      (story.closest("#part-arithmetic") ?? story).scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
    });
    arrive();
    watch("value", arrive);
  };

  window.playground = { ...window.playground, cells, arithmetic };
})();
