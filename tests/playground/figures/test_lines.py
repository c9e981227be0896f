"""Attention as lines."""

import json

import numpy as np

from playground.figures.lines import MOST, lines


def drawn(weights: np.ndarray, rows: list[str], columns: list[str], language: str = "en") -> dict:
    return json.loads(json.dumps(lines(weights, rows, columns, title="t", subtitle="s", language=language)))


def test_the_strongest_lines_come_first_in_thousandths_of_the_largest() -> None:
    data = drawn(np.array([[0.5, 0.25, 0.0], [0.1, 0.4, 0.0]], dtype=np.float32), ["a", "b"], ["x", "y", "z"])
    assert data["lines"] == [[0, 0, 1000], [1, 1, 800], [0, 1, 500], [1, 0, 200]]
    assert data["top"] == 0.5 and data["rows"] == ["a", "b"] and not data["wide"] and data["from"] == 50


def test_long_texts_send_few_lines_and_chinese_lies_on_its_side() -> None:
    rng = np.random.default_rng(0)
    long = drawn(rng.dirichlet(np.ones(512), 512).astype(np.float32), ["word"] * 512, ["word"] * 512)
    assert len(long["lines"]) == MOST and long["wide"] and long["from"] == 300
    assert len(json.dumps(long)) < 50_000
    assert drawn(np.eye(3), list("我昨天"), list("我昨天"), "zh")["wide"]


def test_nasty_words_travel_as_they_are_read(nasty: tuple[str, ...]) -> None:
    data = drawn(np.full((len(nasty), 1), 0.1), list(nasty), ["x"])
    assert all(len(word) < 40 and "\n" not in word for word in data["rows"])
    assert not any(letter in "".join(data["rows"]) for letter in "\x00\ud800\u202e")
    json.dumps(data).encode()


def test_no_weights_at_all_draw_no_lines() -> None:
    assert drawn(np.zeros((1, 1)), ["a"], ["b"])["lines"] == []
