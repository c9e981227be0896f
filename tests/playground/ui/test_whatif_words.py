"""What the parts below the attention map say in HTML, and which words of two texts are the same."""

import numpy as np
import pytest

from playground.tasks.attend import Result
from playground.tasks.guess import Candidate
from playground.tasks.inside import Box
from playground.tasks.inside import Result as Inside
from playground.tasks.logit_lens import Layer
from playground.tasks.logit_lens import Result as Lens
from playground.ui.block_picture import picture, ways
from playground.ui.lens_table import lens_table
from playground.ui.pairing import difference, follow, pairs
from playground.ui.side_by_side import moved
from playground.ui.silence_grid import grid

OLD, NEW = ["the", "cat", "sat", "on", "the", "mat"], ["the", "big", "cat", "sat", "on", "a", "mat"]


def test_the_same_words_are_found_in_their_order() -> None:
    assert pairs(OLD, NEW) == [(0, 0), (1, 2), (2, 3), (3, 4), (5, 6)]
    assert pairs(OLD, []) == [] and pairs(OLD, OLD) == [(place, place) for place in range(6)]


def test_a_difference_is_taken_where_both_have_the_word() -> None:
    first, second = np.arange(36.0).reshape(6, 6), np.arange(49.0).reshape(7, 7)
    found = difference(first, second, (OLD, OLD), (NEW, NEW))
    assert found.rows == found.columns == ("the", "cat", "sat", "on", "mat")
    assert found.values[0, 0] == 0 and found.values[1, 4] == second[2, 6] - first[1, 5]
    assert difference(first, first, (OLD, OLD), (OLD, OLD)).values.any() == False  # noqa: E712 - numpy's own False
    nothing = difference(first, second[:, :3], (OLD, OLD), (NEW, ["x", "y", "z"]))
    assert nothing.values.shape == (5, 0) and moved(nothing) == 0.0


def test_a_place_is_followed_into_the_changed_text() -> None:
    assert [follow(place, OLD, NEW) for place in range(6)] == [0, 2, 3, 4, 5, 6]
    assert follow(1, OLD, ["a", "dog"]) == 1 and follow(5, OLD, ["a", "dog", "ran"]) == 2


def looked(sites: tuple[str, ...]) -> Result:
    queries = {site: np.zeros((2, 3, 4), np.float32) for site in sites}
    return Result(sites=sites, causal=frozenset(), words={}, special={}, queries=queries, keys=queries)


@pytest.mark.parametrize(("language", "says"), [("en", "Decoder layer 1: the whole layer"), ("zh", "解码器第 1 层：整层")])
def test_every_part_of_a_model_has_a_button(language: str, says: str) -> None:
    html = grid(looked(("encoder.0.self", "decoder.0.self", "decoder.0.cross")), ("decoder.0.cross:1", "encoder.0"), language)
    parts = ["encoder.0.self:1", "encoder.0.feedforward", "encoder.0", "decoder.0.self", "decoder.0.cross:0", "decoder.0.feedforward"]
    assert all(f'data-part="{part}"' in html for part in parts) and says in html
    assert html.count('aria-pressed="true"') == 2 and html.count("<button") == 6 + 3 + 2 * 2
    assert html.count("<tr>") == 4 and len({row.count("<td>") for row in html.split("<tr>")[2:]}) == 1


def layer(norm_first: bool) -> Inside:
    kinds = ("normed", "update", "stream") if norm_first else ("update", "normed")
    boxes = [Box(part="input", kind="hidden", values=np.ones((2, 4), np.float32))]
    boxes += [Box(part=part, kind=kind, values=np.full((2, 4), 0.5, np.float32)) for part in ("self", "feedforward") for kind in kinds]
    words = ("<b>", "tea")
    return Inside(layer="decoder.0", layers=("decoder.0",), words=words, norm_first=norm_first, recurrent=False, boxes=tuple(boxes))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_layer_is_drawn_with_its_lengths(language: str) -> None:
    post, pre = picture(layer(False), language, pressed=1), picture(layer(True), language)
    assert post.count("<g ") == 5 and pre.count("<g ") == 7 and post.count('aria-pressed="true"') == 1
    assert "&lt;b&gt;" in post and "<b>" not in post and ">2<" in post
    assert ("Masked multi-head attention" in post) == (language == "en") == ("Add &amp; norm" in post)
    assert ways(layer(False)) == [(0, 2), (2, 4)] and ways(layer(True)) == [(0, 3), (3, 6)]


def test_the_guess_after_every_layer_stands_in_a_table_from_the_last_to_the_first() -> None:
    tea, tag = Candidate(word="tea", probability=0.75), Candidate(word="<b>", probability=0.25)
    layers = (
        Layer(site="encoder.embeddings", candidates=(tag, tea), final=0.25),
        Layer(site="encoder.0", candidates=(tea, tag), final=0.75),
    )
    html = lens_table(Lens(words=("a", "[MASK]"), place=1, covered="cup", layers=layers), "en")
    assert html.index("layer 1") < html.index("embedding") and "&lt;b&gt;" in html and "<b>" not in html
    assert html.count('class="final"') == 2 and "75.0 %" in html and "in place of “cup”" in html
    assert "“a”之后" in lens_table(Lens(words=("a", "b"), place=0, covered="", layers=layers), "zh")
