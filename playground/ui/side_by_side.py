"""Two attention maps and what is different between them, as far as their words are the same."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from playground.figures.difference import difference_map
from playground.figures.heatmap import heatmap
from playground.tasks import attend, attribute
from playground.tasks.measures import DEEPER, MAX, over_heads
from playground.ui.attention_view import Seen, Words, hover, numbers, what
from playground.ui.chart import drawn
from playground.ui.language import text
from playground.ui.naming import site_name
from playground.ui.pairing import Difference, difference
from playground.ui.reading import percent

Place = tuple[str, int]  # a site and a head
Answer = tuple[attend.Result, attribute.Result | None]  # the second where the measure needs it


def beside(
    first: Answer, second: Answer, seen: Seen, place: Place, *, titles: Sequence[str], language: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The map of `second` at `place`, and second minus first where that is what is `seen` of the first, else None.

    `titles`, escaped: of the second map and of the difference. What is measured and what is done to tokens is as in the view that is seen.
    """
    shown = seen._replace(site=place[0], head=place[1], view="one")
    name = f"{site_name(shown.site, language)} · {what(shown, language)}"
    weights, words = at(second, shown)
    causal, window = shown.site in second[0].causal, None if seen.whole else second[0].window
    said = hover(shown, language)
    picture = heatmap(weights, *words, site=shown.site, head=shown.head, language=language, causal=causal, window=window, said=said)
    picture.update_layout(title={"text": f"<b>{titles[0]}</b>", "subtitle": {"text": name}})
    there = drawn(picture, f"{titles[0]}: {name}")
    if (seen.site, seen.head) != place:
        return there, None
    before, words_before = at(first, shown)
    found = difference(before, weights, words_before, words)
    turned = shown.measure not in DEEPER and shown.head != MAX  # rows of shares, which add up to 1
    share = text("difference.moved", language, share=percent(moved(found))) if turned else text(f"measure.{seen.measure}", language)
    change = difference_map(found.values, found.rows, found.columns, title=titles[1], subtitle=share, language=language)
    return there, drawn(change, f"{titles[1]}: {name}. {share}")


def answer(put: Callable[[str, attend.Request], Any], request: attend.Request, seen: Seen) -> Answer:
    """What `beside` needs of one request; `put` asks a task."""
    return put(attend.NAME, request), put(attribute.NAME, request) if seen.measure in DEEPER else None


def at(answer: Answer, seen: Seen) -> tuple[np.ndarray, Words]:
    """The numbers of one view of an answer, (rows, columns), and the words of its rows and columns."""
    result, more = answer
    weights, words = numbers(result, seen, more)
    return over_heads(weights(seen.site), seen.head), words(seen.site)


def moved(found: Difference) -> float:
    """Which share of its attention a word turned elsewhere, on average: half the sum of the absolute differences."""
    return float(np.abs(found.values).sum(-1).mean() / 2) if found.values.size else 0.0
