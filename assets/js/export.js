// Taking a figure home: a small menu on every chart. The pictures are plotly's own, the numbers those that it draws.
(() => {
  const KINDS = [["png", "PNG"], ["svg", "SVG"], ["csv", "CSV"], ["json", "JSON"]];
  const said = (key) => window.playground.said?.[`script.${key}`]?.[document.documentElement.lang.startsWith("zh") ? "zh" : "en"] ?? key;

  // What is written in a figure may hold plotly's few tags and entities, and marks that fence other writing directions.
  const plain = (label) => new DOMParser().parseFromString(String(label ?? "").replaceAll("<br>", ", "), "text/html").body.textContent.replace(/[\u2066-\u2069]/g, "").trim();

  // Seven digits are what float32 holds of a number.
  const numbers = (values) => {
    if (values instanceof Float32Array) return Array.from(values, (value) => Number(value.toPrecision(7)));
    if (!values?.bdata) return Array.from(values ?? [], (row) => (row?.bdata || ArrayBuffer.isView(row) || Array.isArray(row) ? numbers(row) : row));
    const flat = numbers(window.playground.unpacked(values));
    const [, width] = String(values.shape ?? "").split(",").map(Number);
    return width ? Array.from({ length: flat.length / width }, (_, row) => flat.slice(row * width, (row + 1) * width)) : flat;
  };

  const named = (axis, place) => {
    const found = numbers(axis?.tickvals).indexOf(place);
    return plain(axis?.labelalias?.[String(place)] ?? (found < 0 ? place : axis.ticktext[found]));
  };

  // Large maps travel as whole numbers of so many digits behind the point, and 0 is what cannot be seen.
  const weight = (trace) => {
    const digits = /0\.%\{z:0(\d)d\}/.exec(trace.hovertemplate ?? "")?.[1];
    return (value) => (!digits ? value : value ? value / 10 ** digits : null);
  };

  const table = (trace, layout) => {
    const axis = (letter) => layout[`${letter}axis${(trace[`${letter}axis`] ?? letter).slice(1)}`];
    const name = plain(trace.name);
    if (trace.type === "heatmap") {
      const rows = numbers(trace.z), real = weight(trace);
      const columns = (rows[0] ?? []).map((_, place) => named(axis("x"), place));
      return { name, columns: ["", ...columns], rows: rows.map((row, place) => [named(axis("y"), place), ...row.map(real)]) };
    }
    // The small maps of a sheet are pixels; what is said of each is its name and its strongest weight.
    if (trace.marker?.opacity === 0) return { name, columns: [], rows: trace.hovertext.map((said) => said.split("<br>").map(plain)) };
    const x = numbers(trace.x), y = numbers(trace.y), text = [trace.text, trace.hovertext].map((one) => (Array.isArray(one) ? one : []));
    const label = (letter, value) => (typeof value === "number" && axis(letter)?.ticktext ? named(axis(letter), value) : value);
    return { name, columns: ["x", "y", "text"], rows: x.map((value, place) => [label("x", value), label("y", y[place]), text.map((one) => plain(one[place])).filter(Boolean).join(" · ")]) };
  };

  const tables = (place) => place.data.filter((trace) => trace.hoverinfo !== "skip").map((trace) => table(trace, place.layout));

  // Spreadsheets take a cell that begins so for a formula.
  const cell = (value) => {
    if (value === null || Number.isNaN(value)) return "";
    if (typeof value === "number") return String(value);
    const words = String(value ?? "");
    return `"${(/^[=+\-@\t\r]/.test(words) ? `'${words}` : words).replaceAll('"', '""')}"`;
  };
  const csv = (all) => "\ufeff" + all.map(({ name, columns, rows }) => [...(name ? [[name]] : []), columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")).join("\r\n\r\n") + "\r\n";

  const heading = (place) => [place.layout.title?.text, place.layout.title?.subtitle?.text].map(plain).filter(Boolean);
  const openTab = () => document.querySelector("#tabs > .tab-wrapper [role=tab][aria-selected=true]");
  const filename = (parts, ending) => `${[openTab()?.textContent.trim(), ...parts].filter(Boolean).join(" - ").replace(/[\\/:*?"<>|\s\u0000-\u001f]+/g, " ").trim().slice(0, 100)}.${ending}`;

  const save = (content, type, name) => {
    const url = content.startsWith?.("data:") ? content : URL.createObjectURL(new Blob([content], { type }));
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 60_000);
  };

  // On the page the ground shows through a figure; a picture brings it along.
  const ground = () => getComputedStyle(document.body).getPropertyValue("--background-fill-primary").trim() || "white";

  const take = async (place, kind) => {
    const title = heading(place), name = filename(title, kind);
    if (kind === "csv") return save(csv(tables(place)), "text/csv", name);
    if (kind === "json") return save(JSON.stringify({ title, tables: tables(place) }, null, 1), "application/json", name);
    const layout = { ...place.layout, paper_bgcolor: ground() };
    const size = { width: place.clientWidth, height: layout.height ?? place.clientHeight, scale: kind === "png" ? 2 : 1 };
    save(await window.Plotly.toImage({ data: place.data, layout }, { format: kind, ...size }), "", name);
  };

  const menu = (element) => {
    const place = element.querySelector(".chart"), frame = element.querySelector(".chart-menu");
    const opener = frame.appendChild(document.createElement("summary")), list = frame.appendChild(document.createElement("div"));
    opener.textContent = "⤓";
    for (const [kind, label] of KINDS) {
      const button = list.appendChild(Object.assign(document.createElement("button"), { type: "button", textContent: label }));
      button.addEventListener("click", () => { frame.open = false; opener.focus(); take(place, kind); });
    }
    const name = () => { opener.title = said("save_figure"); opener.setAttribute("aria-label", opener.title); };
    name();
    new MutationObserver(name).observe(document.documentElement, { attributeFilter: ["lang"] });
    frame.addEventListener("keydown", (event) => { if (event.key === "Escape") { frame.open = false; opener.focus(); } });
    frame.addEventListener("focusout", (event) => { if (!frame.contains(event.relatedTarget)) frame.open = false; });
  };

  window.playground = { ...window.playground, menu, plain, filename, save, ground, openTab, translated: said };
})();
