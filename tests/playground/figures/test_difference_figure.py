"""Maps around 0, the moving guess, and the vectors of a layer."""

import json

import numpy as np
import pytest

from playground.figures.difference import difference_map, head_effects
from playground.figures.features import EXACT, features
from playground.figures.moved import moved

WORDS = ["<b>", "the", "the", "茶"]
CHANGES = np.array([[0.02, -0.3, 0.0], [0.001, 0.0, 0.1]], dtype=np.float32)


def shown(figure) -> str:
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_difference_is_as_deep_on_both_sides_of_nothing(language: str) -> None:
    figure = difference_map(np.diff(np.eye(5)[:, :5])[:4], WORDS, WORDS, title="t", language=language)
    (cells,) = figure.data
    assert cells.zmin == -cells.zmax == -1 and "&lt;b&gt;" in shown(figure) and "<b>%{y}</b>" in cells.hovertemplate
    assert ("difference" in cells.hovertemplate) == (language == "en")
    assert len({colour for _, colour in cells.colorscale}) == 4


def test_where_nothing_changed_nothing_is_coloured_and_where_nothing_is_common_a_sentence_stands() -> None:
    (cells,) = difference_map(np.zeros((4, 4)), WORDS, WORDS, title="t").data
    assert cells.zmax > 0 and not cells.z.any()
    empty = difference_map(np.zeros((0, 4)), [], WORDS, title="t", language="zh")
    assert not empty.data and "没有共同的词" in shown(empty)


def test_the_effect_of_each_head_is_named() -> None:
    figure = head_effects(CHANGES, ["encoder.0.self", "encoder.1.self"], word="<i>", probability=0.5)
    (cells,) = figure.data
    assert cells.zmax == pytest.approx(0.3) and "Encoder layer 1 · self-attention · Head 2<br>change -0.300" in cells.text[0]
    assert "&lt;i&gt;" in shown(figure) and list(figure.layout.xaxis.ticktext) == ["1", "2", "3"]


def test_a_guess_stands_there_before_and_after() -> None:
    figure = moved(WORDS, [0.5, 0.2, 0.1, 0.0001], [0.1, 0.6, 0.1, 0.0], subtitle="s", language="zh")
    before, after = figure.data
    assert list(before.x) == [0.5, 0.2, 0.1, 0.0001] and list(after.x) == [0.1, 0.6, 0.1, 0.0]
    assert "之前" in before.hovertext[0] and "之后" in after.hovertext[0] and "&lt;b&gt;" in before.hovertext[0]
    assert all(b < a for b, a in zip(before.y, after.y))


@pytest.mark.parametrize("columns", [8, EXACT])
def test_vectors_are_rows_and_one_giant_does_not_hide_the_others(columns: int) -> None:
    values = np.random.default_rng(0).normal(size=(4, columns)).astype(np.float32)
    values[0, 0] = 1000 if columns > 8 else values[0, 0]
    (cells,) = features(values, WORDS, title="t").data
    unit = float(cells.z[1, 1]) / float(values[1, 1])
    assert cells.z.dtype == (np.int16 if columns > 8 else np.float32)
    assert cells.zmax / unit < 5 and cells.zmin == -cells.zmax
    assert "/ 32" in cells.hovertemplate or columns == 8
