"""Buttons for every head, attention, feed-forward block and layer; those that are pressed are silent."""

from collections.abc import Collection, Sequence
from secrets import token_hex

import gradio as gr

from playground.tasks.attend import Result
from playground.ui.language import text
from playground.ui.naming import short_site_name, site_name
from playground.ui.reading import escape_html


def silence_grid() -> gr.HTML:
    """An empty grid; `.select` brings the names of all pressed parts as `parts` in the event's data."""
    return gr.HTML(
        "",
        html_template='<div class="silence">${value}</div>',
        js_on_load="window.playground.silence(element, (parts) => trigger('select', {parts}))",
        elem_id="silence-grid",
        apply_default_css=False,
    )


def grid(result: Result, silent: Collection[str], language: str) -> str:
    """The grid for a model that gave this result: a row for each attention, a column for each head."""
    most = max(result.heads(site) for site in result.sites)
    heads = "".join(f'<th scope="col">{head + 1}</th>' for head in range(most))
    titles = "".join(f'<th scope="col">{said(f"whatif.{name}", language)}</th>' for name in ("attention", "feedforward", "whole"))
    head = f'<tr><th scope="col">{said("whatif.heads", language)}</th>{heads}{titles}</tr>'
    rows = "".join(row(result, place, most, silent, language) for place in range(len(result.sites)))
    # Buttons are pressed in the browser without the server: a grid that equals the last one sent has to be drawn again all the same.
    caption = f'<caption data-turn="{token_hex(4)}">{said("whatif.grid", language)}</caption>'
    return f"<table>{caption}<thead>{head}</thead><tbody>{rows}</tbody></table>"


def row(result: Result, place: int, most: int, silent: Collection[str], language: str) -> str:
    """One attention; behind the last of a layer stand its feed-forward block and the layer itself."""
    site = result.sites[place]
    layer = layer_of(site)
    name = site_name(site, language)
    cells = [
        button(f"{site}:{head}", str(head + 1), text("whatif.say.head", language, site=name, head=head + 1), silent)
        for head in range(result.heads(site))
    ]
    cells += [""] * (most - len(cells))
    cells.append(button(site, "×", text("whatif.say.attention", language, site=name), silent))
    if last_of_layer(result.sites, place):
        stack, number = layer.split(".")
        layer_name = text(f"whatif.stack.{stack}", language, layer=int(number) + 1)
        cells.append(button(f"{layer}.feedforward", "×", text("whatif.say.feedforward", language, site=layer_name), silent))
        cells.append(button(layer, "×", text("whatif.say.whole", language, site=layer_name), silent))
    else:
        cells += ["", ""]
    inside = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape_html(short_site_name(site, language))}</th>{inside}</tr>'


def button(part: str, shown: str, title: str, silent: Collection[str]) -> str:
    """One part."""
    pressed = str(part in silent).lower()
    title = escape_html(title)
    return (
        f'<button type="button" data-part="{escape_html(part)}" aria-pressed="{pressed}" '
        f'aria-label="{title}" title="{title}">{escape_html(shown)}</button>'
    )


def layer_of(site: str) -> str:
    """The layer of an attention: "decoder.5.cross" is in "decoder.5"."""
    return site.rpartition(".")[0]


def last_of_layer(sites: Sequence[str], place: int) -> bool:
    """Whether the next site is in another layer."""
    return place + 1 == len(sites) or layer_of(sites[place + 1]) != layer_of(sites[place])


def said(key: str, language: str) -> str:
    return escape_html(text(key, language))
