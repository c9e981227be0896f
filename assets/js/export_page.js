// The view as one file that needs no network: what was asked, what was answered, the figures, and plotly itself to draw them.
(() => {
  const escaped = (words) => String(words).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const json = (value) => JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? Array.from(part) : part)).replaceAll("<", "\\u003c").replace(/[\u2028\u2029]/g, " ");
  const shown = (element) => element.offsetParent !== null;

  const labelled = (field) => {
    const block = field.closest(".block");
    const label = block?.querySelector("[data-testid=block-info], legend, .label-wrap")?.textContent ?? field.getAttribute("aria-label") ?? "";
    return [label.trim(), field.value.trim()];
  };

  const END = "</" + "script>";  // in one piece it would end the script that says it

  const STYLE = (ink, ground) => `body { margin: 0 auto; padding: 24px; max-width: 1100px; font: 16px/1.5 system-ui, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; color: ${ink}; background: ${ground}; }
dt { font-size: 0.875rem; opacity: 0.8; } dd { margin: 0 0 8px; white-space: pre-wrap; overflow-wrap: anywhere; } section { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 1.125rem; } a { color: inherit; overflow-wrap: anywhere; }`;

  const takePage = async () => {
    const { plotlyPath, openTab, filename, save, ground, plain } = window.playground;
    const tab = openTab(), panel = document.getElementById(tab.getAttribute("aria-controls")) ?? document.querySelector("#tabs .tabitem");
    const fields = [...panel.querySelectorAll("textarea, input:not([type=radio], [type=checkbox], [type=range], [type=file])")].filter(shown).map(labelled).filter(([, value]) => value);
    const answers = [...panel.querySelectorAll(".result p, .considered, .tokens")].filter(shown).map((one) => one.innerText.trim()).filter(Boolean);
    const charts = [...panel.querySelectorAll(".chart.js-plotly-plot")].filter(shown);
    const figures = charts.map((place) => ({ data: place.data, layout: { ...place.layout, autosize: true, width: undefined } }));
    const library = charts.length ? await (await fetch(`${window.gradio_config?.root ?? ""}/gradio_api/file=${plotlyPath}`)).text() : "";
    const link = document.querySelector("#share-link input, #share-link textarea")?.value ?? "";
    const title = tab.textContent.trim(), ink = getComputedStyle(document.body).getPropertyValue("--body-text-color").trim();
    const parts = [
      `<!doctype html><html lang="${escaped(document.documentElement.lang)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">`,
      `<title>${escaped(title)} · ${escaped(document.title)}</title><style>${STYLE(ink, ground())}</style></head><body><h1>${escaped(title)}</h1>`,
      `<dl>${fields.map(([label, value]) => `<dt>${escaped(label)}</dt><dd>${escaped(value)}</dd>`).join("")}</dl>`,
      ...answers.map((answer) => `<section>${escaped(answer)}</section>`),
      ...figures.map((_, place) => `<div id="figure-${place}" role="img" aria-label="${escaped(charts[place].getAttribute("aria-label") ?? "")}"></div>`),
      /^https?:/.test(link) ? `<p><a href="${escaped(link)}">${escaped(link)}</a></p>` : "",
      charts.length ? `<script>${library.replace(/<\/script/gi, "<\\/script")}${END}` : "",
      `<script>${json(figures)}.forEach((figure, place) => Plotly.newPlot("figure-" + place, figure.data, figure.layout, { responsive: true }));${END}</body></html>`,
    ];
    const about = charts.length ? plain(charts[0].layout.title?.text) : "";
    save(parts.join("\n"), "text/html", filename([about], "html"));
  };

  window.playground = { ...window.playground, takePage };
})();
