"""Curves of a tuning, and the squares of labels and vectors."""

import math

import pytest
from decoding import array, sent

from playground.figures.curves import MOST, curves, drifts
from playground.figures.squares import confusion, cosine_map
from playground.service.runs import Point
from playground.ui.language import LANGUAGES

POINTS = [Point("cloze", 1, 0.1, None, 0.5)]
POINTS += [Point("prompt", step, step / 10, 1 / step, 0.5 + step / 20 if step % 2 == 0 else None) for step in range(1, 7)]


def numbers(trace: dict, name: str = "y") -> list:
    return array(trace[name]).astype(float).tolist()


def test_each_method_has_a_curve_of_its_loss_and_one_of_its_accuracy() -> None:
    figure = sent(curves(POINTS, methods=("cloze", "prompt")))
    assert [(trace["name"], trace["yaxis"]) for trace in figure["data"]] == [
        ("Cloze", "y2"),
        ("Prompt tuning", "y"),
        ("Prompt tuning", "y2"),
    ]
    still, loss, accuracy = figure["data"]
    assert numbers(still, "x") == [0, 6] and numbers(still) == [0.5, 0.5] and still["line"]["dash"] == "dash"
    assert numbers(loss, "x") == [1, 2, 3, 4, 5, 6] and numbers(loss)[0] == 1
    assert numbers(accuracy, "x") == [2, 4, 6] and numbers(accuracy) == pytest.approx([0.6, 0.7, 0.8], abs=1e-6)
    assert loss["line"]["color"] == accuracy["line"]["color"] != still["line"]["color"]


def test_several_seeds_are_a_mean_with_a_band_on_the_accuracy() -> None:
    seeds = [
        Point("prompt", step, step / 10, float(step + seed), step / 10 + seed / 10, seed=seed) for seed in (0, 2) for step in (1, 2, 3)
    ]
    unfinished = [Point("prompt", 1, 0.1, 7.0, 0.4, seed=4)]
    loss, low, high, accuracy = sent(curves(seeds + unfinished, methods=("prompt",)))["data"]
    assert numbers(loss) == pytest.approx([(1 + 3 + 7) / 3, 3, 4]) and numbers(loss, "x") == [1, 2, 3]
    assert numbers(low) == pytest.approx([0.1, 0.2, 0.3]) and numbers(high) == pytest.approx([0.4, 0.4, 0.5])
    assert numbers(accuracy) == pytest.approx([0.8 / 3, 0.3, 0.4]) and high["fill"] == "tonexty" and high["fillcolor"].startswith("rgba(")
    assert [trace["showlegend"] for trace in (loss, low, high)] == [False] * 3


def test_the_axis_may_be_steps_or_seconds() -> None:
    for language in LANGUAGES:
        by_step, by_seconds = (sent(curves(POINTS, methods=("prompt",), by=by, language=language)) for by in ("step", "seconds"))
        assert numbers(by_seconds["data"][0], "x") == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], abs=1e-6)
        assert by_step["layout"]["xaxis"]["title"] != by_seconds["layout"]["xaxis"]["title"]


def test_a_method_keeps_its_colour_whichever_others_have_begun() -> None:
    alone = sent(curves(POINTS[:1], methods=("prompt", "cloze")))["data"][0]
    both = sent(curves(POINTS, methods=("prompt", "cloze")))["data"][-1]
    assert alone["line"]["color"] == both["line"]["color"]
    assert sent(curves([], methods=("prompt",)))["data"] == []


def test_long_curves_are_thinned_by_means() -> None:
    long = [Point("full", step, step, float(step % 2), None) for step in range(1, 2001)]
    trace = sent(curves(long, methods=("full",)))["data"][0]
    assert len(numbers(trace)) == MOST and all(0.4 < value < 0.6 for value in numbers(trace))
    assert len(numbers(sent(drifts([0.1] * 1000))["data"][0])) == MOST


def test_a_confusion_shows_the_share_of_each_true_label_and_counts_that_are_not_0(nasty: tuple[str, ...]) -> None:
    figure = sent(confusion([[3, 1], [0, 0]], ["good <b>", "bad"]))
    assert [[round(value, 2) for value in row] for row in numbers(figure["data"][0], "z")] == [[0.75, 0.25], [0, 0]]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["<b>3</b>", "<b>1</b>"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["good &lt;b&gt;", "bad"]
    n = len(nasty)
    for language in LANGUAGES:
        shown = sent(confusion([[1] * n] * n, nasty, language=language))
        assert not any("<" in label for label in shown["layout"]["xaxis"]["ticktext"])


def test_a_map_of_cosines_is_symmetric_about_nothing_in_common() -> None:
    figure = sent(cosine_map([[1.0, -0.5], [-0.5, 1.0]], language="zh"))
    assert numbers(figure["data"][0], "z") == [[1, -0.5], [-0.5, 1]] and (figure["data"][0]["zmin"], figure["data"][0]["zmax"]) == (-1, 1)
    assert figure["layout"]["xaxis"]["ticktext"] == ["P1", "P2"] and math.isclose(figure["layout"]["yaxis"]["range"][0], 2.5)
