"""Two attention maps and what is different between them, as far as their words are the same."""

from collections.abc import Sequence

import numpy as np

from playground.figures.difference import difference_map
from playground.figures.heatmap import heatmap
from playground.tasks import attend
from playground.ui.chart import drawn
from playground.ui.language import text
from playground.ui.naming import head_name, site_name
from playground.ui.pairing import Difference, difference
from playground.ui.reading import percent

Place = tuple[str, int]  # a site and a head


def beside(
    first: attend.Result, second: attend.Result, places: Sequence[Place], *, titles: Sequence[str], language: str
) -> tuple[dict[str, str], dict[str, str] | None]:
    """The map of `second` at the second of `places`, and second minus first where both places are the same, else None.

    `titles`, escaped: of the second map and of the difference.
    """
    site, head = places[1]
    name = f"{site_name(site, language)} · {head_name(head, language)}"
    weights, words = second.weights(site, head), second.words_at(site)
    picture = heatmap(weights, *words, site=site, head=head, language=language, causal=site in second.causal, window=second.window)
    picture.update_layout(title={"text": f"<b>{titles[0]}</b>", "subtitle": {"text": name}})
    there = drawn(picture, f"{titles[0]}: {name}")
    if places[0] != places[1]:
        return there, None
    found = difference(first.weights(site, head), weights, first.words_at(site), words)
    share = text("difference.moved", language, share=percent(moved(found)))
    change = difference_map(found.values, found.rows, found.columns, title=titles[1], subtitle=share, language=language)
    return there, drawn(change, f"{titles[1]}: {name}. {share}")


def moved(found: Difference) -> float:
    """Which share of its attention a word turned elsewhere, on average: half the sum of the absolute differences."""
    return float(np.abs(found.values).sum(-1).mean() / 2) if found.values.size else 0.0
