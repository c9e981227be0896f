"""Every head of the text in numbers, as a table that sorts itself; a click on a row shows its map."""

from typing import Any

import gradio as gr

from playground.parts import Beside, Part
from playground.tabs import Page
from playground.tasks import attend
from playground.tasks.head_table import KINDS, Head, counted, heads
from playground.ui.attention_view import Seen, shown
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.naming import head_name, short_site_name, site_name
from playground.ui.notice import notice_line
from playground.ui.opening import opening
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.reading import visible

KEY = "heads"
DIGITS = {"entropy": 2, "distance": 1}
SHARES = ("previous", "same", "next", "first", "special", "punctuation")
COLUMNS = ("layer", "head", "kind", "entropy", "spread", "distance", *SHARES)


def build(page: Page, beside: Beside) -> None:
    """Lay the part out, define what it does, wire it."""
    playground = page.playground

    # Layout
    gr.Markdown(phrase("heads.how"), elem_classes="figure-note")
    notice = notice_line(page)
    listed = gr.HTML(
        None,
        html_template='<div class="head-place"></div>',
        js_on_load="window.playground.heads(element, props, watch, (row) => trigger('select', row))",
        elem_id="head-table",
        apply_default_css=False,
    )
    gr.Markdown(phrase("heads.how_kinds"), elem_classes="figure-note")
    is_open, of = gr.State(False), gr.State(None)  # of: the question and language that the table answers

    # Handlers
    @guarded(notice)
    def fill(language, seen, is_open, of):
        asked = seen and (seen.model, seen.request, language)
        if not is_open or seen is None or asked == of:
            return gr.skip()
        return "", asked, table_of(seen, heads(playground.ask(seen.model, attend.NAME, seen.request)), language)

    @guarded(notice)
    def show(language, seen, event: gr.EventData):
        if seen is None:
            return gr.skip()
        result = playground.ask(seen.model, attend.NAME, seen.request)
        places = [(site, head) for site in result.sites for head in range(result.heads(site))]
        if not 0 <= int(event.index) < len(places):
            return gr.skip()
        site, head = places[int(event.index)]
        view = "lines" if seen.view == "lines" else "one"
        return shown(seen._replace(site=site, head=head, view=view, measure="weights"), result, language)

    # Wiring
    given, told = [page.language, beside.seen, is_open, of], [notice, of, listed]
    asking = QUIET | {"show_progress": "full", "show_progress_on": listed}  # hundreds of heads of a long text take a moment
    opening(beside.frame, is_open).then(fill, given, told, **asking)
    beside.moved.select(fill, given, told, **asking, trigger_mode="always_last")
    listed.select(show, given[:2], beside.views, **QUIET)
    page.retelling.add(fill, given[1:], told)


def table_of(seen: Seen, found: list[Head], language: str) -> dict[str, Any]:
    """The table as the page's script builds it: shares and numbers in thousandths, words with their place in the order."""
    columns = [
        {
            "name": text(f"heads.column.{name}", language),
            "kind": "share" if name in (*SHARES, "spread") else "number" if name in DIGITS else "words",
            "digits": DIGITS.get(name, 0),
        }
        for name in COLUMNS
    ]
    counts = [f"{text(f'heads.kind.{kind}', language)}: {count}" for kind, count in counted(found).items()]
    opens = [text("heads.open", language, layer=site_name(one.site, language), head=head_name(one.head, language)) for one in found]
    return {
        "caption": visible(text("heads.caption", language, model=seen.model)),
        "columns": columns,
        "rows": [row_of(one, place, language) for place, one in enumerate(found)],
        "counts": counts,
        "opens": opens,
    }


def row_of(head: Head, place: int, language: str) -> list[Any]:
    """The cells of one head."""
    numbers = [getattr(head, name) for name in COLUMNS[3:]]
    return [
        {"name": short_site_name(head.site, language), "order": place},
        {"name": str(head.head + 1), "order": head.head},
        {"name": text(f"heads.kind.{head.kind}", language), "order": KINDS.index(head.kind)},
        *(None if number is None else round(1000 * number) for number in numbers),
    ]


PART = Part(key=KEY, order=2, build=build)
