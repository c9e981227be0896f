"""How the chosen model was trained: what its card says and the curves of its log; shown for models that bring them."""

from typing import Any

import gradio as gr

from models.record import Record, read_record, said
from playground.figures.training import learning_curves
from playground.service.playground import Playground
from playground.tabs import Page
from playground.ui.about import find_row
from playground.ui.chart import chart, drawn
from playground.ui.language import text
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, Picker
from playground.ui.wording import escape_html

FACTS = ("steps", "tokens", "minutes", "hardware")


def training_panel(page: Page, picker: Picker) -> None:
    """A panel that follows `picker`; closed until somebody wants to know, and then it draws."""
    playground = page.playground
    start = picker.model.value
    with gr.Accordion(phrase("training.panel"), open=False, visible=bool(record_of(playground, start).rows)) as panel:
        facts = gr.HTML(told(record_of(playground, start), "en"), elem_classes="training-facts", js_on_load=None)
        curves = chart(height=420, elem_id=f"{picker.task.replace('_', '-')}-training-chart")

    def tell(language: str, name: str | None) -> tuple[dict, str, dict[str, str] | None]:
        record = record_of(playground, name)
        return gr.update(visible=bool(record.rows)), told(record, language), pictured(record, name, language)

    inputs, outputs = [page.language, picker.model], [panel, facts, curves]
    panel.expand(tell, inputs, outputs, **QUIET)
    picker.model.change(tell, inputs, outputs, **QUIET)
    page.retelling.add(tell, picker.model, outputs)


def record_of(playground: Playground, name: str | None) -> Record:
    """The record of the model called `name`; an empty one where it is not in the list."""
    row = find_row(playground, name)
    return read_record(playground.catalogue.find(row["name"])) if row else Record()


def told(record: Record, language: str) -> str:
    """What the card says, as HTML."""
    facts = {name: said(value, language) for name, value in record.facts.items()}
    parts = [paragraph(facts["summary"])] if "summary" in facts else []
    if set(FACTS) <= set(facts):
        numbers = {name: f"{facts[name]:,}" for name in ("steps", "tokens")}
        parts.append(paragraph(text("training.took", language, minutes=facts["minutes"], hardware=facts["hardware"], **numbers)))
    for name, heading in (("data", text("training.data", language)), ("method", text("training.method", language)),
                          ("limits", text("training.limits", language))):  # fmt: skip
        parts += [f"<h4>{escape_html(heading)}</h4>{listed(facts[name])}"] if name in facts else []
    return "".join(parts)


def listed(value: Any) -> str:
    """A list of sentences as a list, one sentence as a paragraph."""
    if isinstance(value, list):
        return f"<ul>{''.join(f'<li>{escape_html(str(one))}</li>' for one in value)}</ul>"
    return paragraph(value)


def paragraph(value: Any) -> str:
    return f"<p>{escape_html(str(value))}</p>"


def pictured(record: Record, name: str | None, language: str) -> dict[str, str] | None:
    """The curves, as the value of their chart."""
    if not record.rows:
        return None
    return drawn(learning_curves(record.rows, language=language), text("training.description", language, model=name))
