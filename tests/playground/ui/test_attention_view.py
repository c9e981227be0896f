"""What the attention tab shows of an answer: every view with every measure, words or tokens, on every kind of model."""

import json

import pytest

from playground.parts.heads import table_of
from playground.parts.saliency import coloured, strips
from playground.service.playground import Playground
from playground.tasks import attend, attribute
from playground.tasks.attend import Request
from playground.tasks.head_table import heads
from playground.tasks.measures import MAX, MEASURES
from playground.ui.attention_view import VIEWS, Seen, deeper, numbers, shown, tile, tokens_at
from playground.ui.language import LANGUAGES

TEXT = "The grandmothers are tired, 我昨天借了书。"
NAMES = ["tiny-bert", "tiny-llama", "tiny-marian"]


def asked(playground: Playground, model: str, **how: object) -> tuple[Seen, attend.Result, attribute.Result | None]:
    given = {"site": None, "head": -1, "view": "one"} | how
    seen = Seen(model, Request(text=TEXT, target="She drank tea" if model == "tiny-marian" else ""), **given)
    return seen, playground.ask(model, attend.NAME, seen.request), deeper(playground, seen)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", NAMES)
def test_every_view_of_every_measure_can_be_drawn(tiny_playground: Playground, name: str, measure: str) -> None:
    for number, view in enumerate(VIEWS):
        seen, result, more = asked(tiny_playground, name, view=view, measure=measure, whole=number % 2 == 0, hide=number % 2 == 1, head=MAX)
        seen, *controls, picture = shown(seen, result, LANGUAGES[number % 2], more)
        assert seen.measure == measure == controls[3]["value"] and controls[2]["value"] == seen.view
        assert controls[4]["value"] == seen.tokens
        json.dumps(picture)
        if measure == "rollout":
            assert seen.view not in ("heads", "model") and seen.site.endswith("self")
        drawing = {"lines": {"lines"}, "one": {"figure", "cells"}}.get(seen.view, {"figure"})
        assert set(picture) == drawing | {"description"}
        if seen.view == "one":
            cells = json.loads(picture["cells"])
            said = cells["rows"], cells["columns"]
            assert tuple(map(len, said)) == numbers(result, seen, more)[0](seen.site).shape[1:]


def test_without_what_a_measure_needs_the_weights_are_shown(tiny_playground: Playground) -> None:
    seen, result, _ = asked(tiny_playground, "tiny-bert", measure="gradient")
    seen, *controls, _ = shown(seen, result, "en")
    assert seen.measure == "weights" == controls[3]["value"]


def test_words_and_tokens_stay_joined_in_every_view(tiny_playground: Playground) -> None:
    seen, result, _ = asked(tiny_playground, "tiny-bert", whole=True, hide=True)
    seen = shown(seen, result, "en")[0]
    weights, words = numbers(result, seen)
    rows, columns = words(seen.site)
    assert weights(seen.site).shape == (4, len(rows), len(columns)) and "[CLS]" not in rows
    place = rows.index("grandmothers")
    pieces, _ = tokens_at(result, seen, place, 0)
    assert len(pieces) > 1 and "".join(result.words["encoder"][piece].removeprefix("##") for piece in pieces) == "grandmothers"
    assert (weights(seen.site).sum(-1) < 1).all(), "what went to special tokens is not given to others"


def test_a_click_on_a_tile_opens_what_the_tile_shows(tiny_playground: Playground) -> None:
    seen, result, _ = asked(tiny_playground, "tiny-marian")
    seen = seen._replace(site="decoder.0.cross")
    assert tile(result, seen._replace(view="heads"), 2) == ("decoder.0.cross", 2)
    assert tile(result, seen._replace(view="layers", head=3), 3) == ("decoder.0.cross", -1)
    assert tile(result, seen._replace(view="layers", head=MAX, measure="rollout"), 3) == ("decoder.1.self", MAX)
    assert tile(result, seen._replace(view="model"), 9) == (result.sites[2], 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_heads_has_a_row_for_each_and_no_markup(tiny_playground: Playground, language: str) -> None:
    seen, result, _ = asked(tiny_playground, "tiny-marian")
    table = table_of(seen, heads(result), language)
    assert len(table["rows"]) == len(table["opens"]) == 4 * len(result.sites)
    assert all(len(row) == len(table["columns"]) for row in table["rows"])
    cross = table["rows"][4 * result.sites.index("decoder.0.cross")]
    assert cross[5] is None and cross[4] is not None
    assert len(json.dumps(table)) < 12_000


@pytest.mark.parametrize("name", NAMES)
def test_saliency_is_shown_for_every_word_and_escaped(tiny_playground: Playground, name: str) -> None:
    seen, result, _ = asked(tiny_playground, name, whole=True, hide=True)
    found = tiny_playground.ask(name, attribute.NAME, seen.request)
    told = strips(seen, result, found, "signed", "zh")
    assert told.count("<span") == sum(len(result.sides(site, whole=True, hide=True)[0]) for site in strip_sites(result))
    assert 'style="--tint:55%' in told or "--tint:55%" in told
    assert "<b>" not in coloured(("<b>",), found.saliency[next(iter(found.saliency))][:1], signed=False)


def strip_sites(result: attend.Result) -> list[str]:
    """One site of each stack."""
    return [next(site for site in result.sites if site.startswith(stack)) for stack in result.words]
