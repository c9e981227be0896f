// The table of heads: built here from numbers, sorted here. A head of a column is a button; a row opens its map.
(() => {
  const made = (name, properties = {}) => Object.assign(document.createElement(name), properties);

  // `value`: {caption, columns: [{name, kind}], rows: [[site, head, ...cells]], opens: [...]}; kinds: "words", "number", "share".
  const filled = (value, state, open) => {
    const table = made("table", { className: "head-table" });
    table.append(made("caption", { textContent: value.caption }));
    const top = table.createTHead().insertRow();
    value.columns.forEach(({ name, kind }, at) => {
      const head = made("th", { scope: "col", className: kind });
      const button = made("button", { type: "button", textContent: name });
      head.setAttribute("aria-sort", "none");
      head.append(button);
      top.append(head);
      button.addEventListener("click", () => {
        const down = state.column === at ? !state.down : kind !== "words";
        Object.assign(state, { column: at, down });
        sorted();
      });
    });
    const body = table.createTBody();
    const lines = value.rows.map((cells, index) => {
      const row = made("tr");
      cells.forEach((cell, at) => {
        const { kind, digits } = value.columns[at];
        const place = made(at ? "td" : "th", { className: kind });
        if (!at) place.scope = "row";
        const shown = cell === null ? "–" : kind === "share" ? `${Math.round(cell / 10)} %` : kind === "number" ? (cell / 1000).toFixed(digits) : cell.name;
        if (kind === "share" && cell !== null) place.style.setProperty("--share", `${cell / 10}%`);
        if (at) place.textContent = shown;
        else {
          const button = made("button", { type: "button", textContent: shown });
          button.setAttribute("aria-label", value.opens[index]);
          place.append(button);
        }
        row.append(place);
      });
      row.addEventListener("click", () => {
        lines.forEach((other) => other.row.removeAttribute("aria-current"));
        row.setAttribute("aria-current", "true");
        open(index);
      });
      return { row, cells };
    });
    const key = (cell) => (cell === null ? -Infinity : typeof cell === "object" ? cell.order : cell);
    const sorted = () => {
      [...top.cells].forEach((head, at) => head.setAttribute("aria-sort", at !== state.column ? "none" : state.down ? "descending" : "ascending"));
      const order = state.column === null ? lines : [...lines].sort((one, other) => (key(one.cells[state.column]) - key(other.cells[state.column])) * (state.down ? -1 : 1));
      body.append(...order.map((line) => line.row));
    };
    sorted();
    return table;
  };

  const heads = (element, props, watch, select) => {
    const place = element.querySelector(".head-place");
    const state = { column: null, down: false };  // kept while another text is shown
    const draw = () => {
      place.replaceChildren();
      if (!props.value?.rows) return;
      const kinds = made("ul", { className: "head-kinds" });
      kinds.append(...props.value.counts.map((said) => made("li", { textContent: said })));
      const frame = made("div", { className: "head-frame", tabIndex: 0 });
      frame.setAttribute("role", "region");
      frame.setAttribute("aria-label", props.value.caption);
      frame.append(filled(props.value, state, (index) => {
        select({ index });
        document.getElementById("attention-chart")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
      }));
      place.append(kinds, frame);
    };
    draw();
    watch("value", draw);
  };

  window.playground = { ...window.playground, heads };
})();
