"""What opens below the attention map, and what programs are told of one weight."""

import json
import math
from collections.abc import Callable
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from models.errors import Problem
from playground.parts.arithmetic import Cell, explained, lettered, striking
from playground.service.playground import Playground
from playground.tasks import attend
from playground.ui.attention_view import Seen, shown
from playground.ui.formula import number

TEXT = "The animal didn't cross the street because it was too tired."


def seen(model: str = "tiny-bert", site: str = "encoder.1.self", head: int = 2, **question: str) -> Seen:
    return Seen(model, attend.Request(text=TEXT, **question), site, head, "one")


def handler(page: gr.Blocks, name: str) -> Callable:
    return next(fn.fn for fn in page.fns.values() if fn.fn and (fn.fn.__module__, fn.fn.__name__) == ("playground.parts.arithmetic", name))


@pytest.mark.parametrize(
    ("model", "site", "target"),
    [
        ("tiny-bert", "encoder.1.self", ""),
        ("tiny-gpt2", "decoder.1.self", ""),
        ("tiny-llama", "decoder.1.self", ""),
        ("tiny-marian", "decoder.0.cross", "She drank tea."),
        ("tiny-marian", "decoder.0.self", "She drank tea."),
    ],
)
def test_weigh_answers_every_architecture_in_plain_numbers(call: Callable, model: str, site: str, target: str) -> None:
    one = call("weigh", model, TEXT, "", target, site, 3, 2, 3)
    width = len(one["q"])
    assert one["dot_product"] == pytest.approx(sum(q * k for q, k in zip(one["q"], one["k"])), rel=1e-4, abs=1e-5)
    assert one["before_mask"][3] == pytest.approx(one["dot_product"] / math.sqrt(width), rel=1e-4, abs=1e-5)
    hidden = [place for place, score in enumerate(one["scores"]) if score is None]
    causal = site.startswith("decoder") and site.endswith("self")
    assert hidden == (list(range(3, len(one["scores"]))) if causal else [])
    assert one["weight"] == one["weights"][3] and sum(one["weights"]) == pytest.approx(1, abs=1e-5)
    assert len(one["v"]) == len(one["weighted_value"]) == len(one["head_output"]) == width and len(one["head_parts"]) == 4
    weights = call("attend", model, TEXT, "", target, site, 3)
    assert weights["weights"][2] == pytest.approx(one["weights"], abs=2e-6)
    assert (weights["words_query"][2], weights["words_key"][3]) == (one["word_query"], one["word_key"])


def test_weigh_refuses_in_one_sentence(call: Callable) -> None:
    for given, says in [
        (("", 9, 0, 0), "9"),
        (("encoder.9.self", 0, 0, 0), "encoder.9.self"),
        (("", 0, 99, 0), "99"),
        (("", 0, 0, -1), "-1"),
    ]:
        said = [call("weigh", "tiny-bert", TEXT, "", "", *given, language=language) for language in ("en", "zh")]
        assert all(one.startswith("refused: ") for one in said) and all(says in one for one in said) and said[0] != said[1]


def test_a_view_is_explained_with_the_weight_that_the_map_shows(tiny_playground: Playground) -> None:
    view = seen()
    weights = tiny_playground.ask(view.model, "attend", view.request).weights(view.site, view.head)
    for language in ("en", "zh"):
        cell, query, key, html, notice = explained(tiny_playground, view, Cell(*view[:2], 3, 5), language)
        assert cell == Cell(*view[:2], 3, 5) and (query["value"], key["value"]) == (3, 5) and notice == ""
        assert f"<b>{number(float(weights[3, 5]))}</b>" in html


def test_the_cell_stays_while_layer_and_head_change_and_goes_with_its_text(tiny_playground: Playground) -> None:
    cell = Cell(*seen()[:2], 3, 5)
    for view in (seen(site="encoder.0.self"), seen(head=0), seen(head=-1)):
        assert explained(tiny_playground, view, cell, "en")[0] == cell
    other = seen()._replace(request=attend.Request(text="tea"))
    again = explained(tiny_playground, other, cell, "en")[0]
    assert again[:2] == other[:2] and again.query < 3 and again.key < 3


def test_without_a_cell_the_strongest_pair_of_words_is_explained(tiny_playground: Playground) -> None:
    view = seen("tiny-llama", "decoder.0.self", 1)
    result = tiny_playground.ask(view.model, "attend", view.request)
    row, column = striking(result, view)
    words, weights = result.words_at(view.site)[0], result.weights(view.site, 1)
    real = np.array([lettered(word) for word in words])
    assert real[row] and real[column] and weights[row, column] == weights[np.ix_(real, real)].max()
    assert [lettered(word) for word in ("tea", "##ing", "▁cup", "猫", ",", "[CLS]", "<s>", "‹start›", "▁", "12")] == [True] * 4 + [
        False
    ] * 6


def test_the_mean_of_heads_is_opened_into_its_heads(tiny_page: gr.Blocks, tiny_playground: Playground) -> None:
    view = seen(head=-1)
    html = explained(tiny_playground, view, None, "en")[3]
    assert html.count("data-index") == 4
    changed, *_ = handler(tiny_page, "other_head")("en", view, SimpleNamespace(index=3))
    assert changed == view._replace(head=3)


def test_a_click_on_the_map_opens_the_part_and_one_on_a_small_map_does_not(tiny_page: gr.Blocks) -> None:
    clicked = handler(tiny_page, "clicked")
    frame, is_open, cell = clicked(seen(), SimpleNamespace(x=5, y=3, text=None))
    assert frame["open"] and is_open and (cell.query, cell.key) == (3, 5)
    for view, text in ((None, None), (seen()._replace(view="model"), None), (seen(), "4")):
        assert clicked(view, SimpleNamespace(x=5, y=3, text=text)) == gr.skip()


def test_nothing_is_computed_while_the_part_is_closed(tiny_page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.parts.arithmetic.explained", lambda *given: pytest.fail("it was closed"))
    follow = handler(tiny_page, "follow")
    assert follow("en", seen(), None, False) == follow("en", None, None, True) == gr.skip()


def test_what_cannot_be_computed_is_said_in_the_part(tiny_page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise Problem("too_busy")

    monkeypatch.setattr("playground.parts.arithmetic.explained", refuse)
    answer = handler(tiny_page, "follow")("en", seen(), None, True)
    assert "problem" in next(iter(answer.values()))


def test_the_map_of_one_head_can_be_walked_on_and_the_small_maps_cannot(tiny_playground: Playground) -> None:
    view = seen()
    result = tiny_playground.ask(view.model, "attend", view.request)
    value = shown(view, result, "zh")[-1]
    cells = json.loads(value["cells"])
    assert cells["rows"] == list(result.words["encoder"]) and "{weight}" in cells["pair"]
    assert "cells" not in shown(view._replace(view="heads"), result, "en")[-1]
