"""Generated tokens with their probabilities and alternatives."""

import re

import numpy as np
import pytest
from decoding import array, sent

from playground.figures.tokens import generated, word_probabilities
from playground.tasks.generate import Step


def step(word: str, probability: float, **others: float) -> Step:
    ranked = sorted([(word, probability), *others.items()], key=lambda pair: -pair[1])
    return Step(word=word, probability=probability, alternatives=tuple(ranked), text="")


STEPS = (step("▁Once", 0.5, a=0.3, b=0.1), step("▁upon", 0.1, a=0.8), step("▁upon", 0.9))


def test_each_token_is_a_column_and_above_it_stand_the_others_likeliest_first() -> None:
    chosen, first, second = sent(generated(STEPS))["data"]
    assert array(chosen["y"]).tolist() == pytest.approx([0.5, 0.1, 0.9])
    assert array(first["y"])[:2].tolist() == pytest.approx([0.3, 0.8]) and np.isnan(array(first["y"])[2])
    assert array(second["y"])[0] == pytest.approx(0.1) and np.isnan(array(second["y"])[1:]).all()
    assert first["hovertext"][1] == "<b>a</b><br>other likely words: 80.0 %" and first["hovertext"][2] == ""


def test_the_chosen_word_is_not_counted_among_the_others() -> None:
    for trace in sent(generated(STEPS))["data"][1:]:
        assert not any("Once" in said or "upon" in said for said in trace["hovertext"])


def test_an_alternative_that_only_looks_like_the_chosen_word_stays() -> None:
    twin = Step(word="a", probability=0.2, alternatives=(("a", 0.5), ("a", 0.2)), text="")
    assert array(sent(generated([twin]))["data"][1]["y"]).tolist() == pytest.approx([0.5])


def test_a_chosen_word_that_is_none_of_the_likeliest_takes_nothing_from_them() -> None:
    rare = Step(word="z", probability=0.001, alternatives=(("a", 0.5), ("b", 0.2)), text="")
    assert [array(trace["y"])[0] for trace in sent(generated([rare]))["data"]] == pytest.approx([0.001, 0.5, 0.2])


def test_repeated_words_keep_columns_of_their_own() -> None:
    figure = sent(generated(STEPS))
    assert array(figure["data"][0]["x"]).tolist() == [0, 1, 2]
    assert figure["layout"]["xaxis"]["labelalias"] == {"0": "Once", "1": "upon", "2": "upon"}


def test_before_the_first_token_there_is_a_sentence() -> None:
    assert sent(generated([]))["layout"]["annotations"][0]["text"] == sent(word_probabilities([], []))["layout"]["annotations"][0]["text"]


def test_the_words_of_a_translation_have_one_column_each() -> None:
    figure = sent(word_probabilities(["▁The", "▁cat"], np.array([0.25, 0.75], dtype=np.float32)))
    assert len(figure["data"]) == 1 and array(figure["data"][0]["y"]).tolist() == [0.25, 0.75]


def test_a_missing_probability_is_an_error_and_not_a_shorter_picture() -> None:
    with pytest.raises(ValueError, match="zip"):
        word_probabilities(["a", "b"], [0.5])


def test_five_hundred_tokens_stay_under_300_kb() -> None:
    steps = [step(f"▁word{place}", 0.4, a=0.2, b=0.1, c=0.1, d=0.1) for place in range(512)]
    assert len(generated(steps).to_json()) < 300_000


def test_no_word_means_anything_to_plotly(nasty: tuple[str, ...]) -> None:
    figure = sent(
        generated([Step(word=word, probability=0.4, alternatives=tuple((other, 0.1) for other in nasty[:3]), text="") for word in nasty])
    )
    shown = list(figure["layout"]["xaxis"]["labelalias"].values()) + [said for trace in figure["data"] for said in trace["hovertext"]]
    for one in shown:
        assert not set("<>$%\n\x00\u202e") & set(re.sub(r"</?b>|<br>|[\d.]+ %", "", one)), one


@pytest.mark.parametrize(("language", "chinese"), [("en", False), ("zh", True)])
def test_everything_written_is_in_the_language_asked_for(language: str, chinese: bool) -> None:
    figure = sent(generated(STEPS, language=language))
    said = [figure["layout"]["title"]["text"], *(trace["name"] for trace in figure["data"]), figure["data"][0]["hovertext"][0]]
    assert {bool(re.search("[\u4e00-\u9fff]", one)) for one in said} == {chinese}
