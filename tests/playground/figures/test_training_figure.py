"""Learning curves: every number of the log where it belongs."""

import re

import pytest
from decoding import array, sent, strings

from playground.figures.training import learning_curves

ROWS = [{"step": n, "tokens": 500_000 * n, "words_loss": 10 / n, "pairs_loss": 0.5} for n in range(1, 9)]
MARKED = {"step": 4, "tokens": 2_000_000, "mlm_loss": 4.2, "mlm_top1": 0.3, "mlm_top5": 0.45, "nsp": 0.9, "nsp_same_document": 0.6}


def test_every_curve_has_its_numbers_over_the_tokens_in_typed_arrays() -> None:
    figure = sent(learning_curves([*ROWS[:4], MARKED, *ROWS[4:]]))
    assert [trace["yaxis"] for trace in figure["data"]] == ["y", "y", "y2", "y2", "y2", "y2"]
    trained = figure["data"][0]
    assert array(trained["x"]).tolist() == [0.5 * n for n in range(1, 9)] and trained["x"]["dtype"] == trained["y"]["dtype"] == "f4"
    assert array(trained["y"]).tolist() == pytest.approx([10 / n for n in range(1, 9)])
    assert array(figure["data"][4]["y"]).tolist() == pytest.approx([0.9])
    assert figure["layout"]["xaxis"]["range"] == [0, 4]
    names = " ".join(note["text"] for note in figure["layout"]["annotations"])
    assert "1.25" in names and "4.20" in names and "90.0 %" in names and "60.0 %" in names


def test_a_translator_shows_bleu_beside_the_words_it_guesses() -> None:
    marked = {"step": 4, "tokens": 2_000_000, "valid_loss": 2.5, "valid_accuracy": 0.51, "bleu": 17.3, "chrf": 15.0}
    figure = sent(learning_curves([*ROWS, marked]))
    assert [trace["yaxis"] for trace in figure["data"]] == ["y", "y", "y2", "y2"]
    assert array(figure["data"][-1]["y"]).tolist() == pytest.approx([0.173])
    names = " ".join(note["text"] for note in figure["layout"]["annotations"])
    assert "2.50" in names and "51.0 %" in names and "BLEU 17.3" in names and "hidden words" not in names


def test_a_log_without_measurements_shows_the_loss_and_an_empty_one_says_so() -> None:
    assert len(learning_curves(ROWS).data) == 1
    assert not learning_curves([]).data and learning_curves([]).layout.annotations


def test_curves_speak_the_language_and_count_as_it_does() -> None:
    for language, unit, chinese in (("en", "million", False), ("zh", "万", True)):
        figure = sent(learning_curves([*ROWS, MARKED], language=language))
        assert unit in figure["layout"]["xaxis"]["title"]["text"]
        said = " ".join(re.sub("<[^>]*>", "", one) for one in strings(figure["layout"]["annotations"]))
        assert bool(re.search("[\u4e00-\u9fff]", said)) == chinese
