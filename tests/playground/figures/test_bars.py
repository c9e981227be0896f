"""Bars of candidates and of next sentences."""

import re

import pytest
from decoding import sent, strings

from playground.figures.bars import context, mask_bars, ranking_bars
from playground.tasks.fill_mask import Candidate, Mask, Result


def result(words: str, *masks: tuple[int, dict[str, float]]) -> Result:
    made = (Mask(position=place, candidates=tuple(Candidate(word=w, probability=p) for w, p in found.items())) for place, found in masks)
    return Result(words=tuple(words.split()), masks=tuple(made))


ONE = result("[CLS] the capital of france is [MASK] . [SEP]", (6, {"paris": 0.8, "lyon": 0.1, "nice": 0.0001}))
TWO = result("[CLS] 我 [MASK] 欢 吃 苹 果 ， 他 [MASK] 欢 。 [SEP]", (2, {"喜": 0.9, "不": 0.05}), (9, {"也": 0.5, "不": 0.3}))


def test_every_candidate_is_a_bar_as_long_as_its_probability() -> None:
    bars = sent(mask_bars(ONE))["data"][0]
    assert bars["x"] == [0.8, 0.1, 0.0001] and bars["text"] == ["80.0 %", "10.0 %", "< 0.1 %"]
    assert bars["y"] == sorted(bars["y"])


def test_masks_stand_under_each_other_on_one_scale_and_the_same_word_twice_is_two_bars() -> None:
    figure = sent(mask_bars(TWO))
    assert figure["layout"]["yaxis"]["ticktext"] == ["喜", "不", "也", "不"]
    assert len(set(figure["data"][0]["y"])) == 4 and figure["layout"]["xaxis"]["range"] == [0, 0.9]
    assert [note["text"] for note in figure["layout"]["annotations"]] == [
        "<b>1</b>   我<b>____</b>欢吃苹果， …",
        "<b>2</b>   … 吃苹果，他<b>____</b>欢。",
    ]


def test_the_words_around_a_mask_read_like_a_sentence() -> None:
    assert context(ONE, 6) == "the capital of france is <b>____</b>."
    assert context(result("[MASK] [MASK] x", (0, {}), (1, {})), 0) == "<b>____</b> ____ x"


def test_a_figure_grows_with_its_candidates() -> None:
    tall = result("[MASK] " * 20, *((place, {f"w{n}": 0.01 for n in range(10)}) for place in range(20)))
    assert sent(mask_bars(ONE))["layout"]["height"] < 250 < 5000 < sent(mask_bars(tall))["layout"]["height"]


def test_next_sentences_are_ranked_and_keep_their_number_in_the_list() -> None:
    figure = sent(ranking_bars(["no", "yes", "maybe"], [0.01, 0.9999, 0.6], first="Is it?"))
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["2. yes", "3. maybe", "1. no"]
    assert figure["data"][0]["text"] == ["> 99.9 %", "60.0 %", "1.0 %"]
    assert [re.search(r"sentence (\d)", said)[1] for said in figure["data"][0]["hovertext"]] == ["2", "3", "1"]
    assert figure["layout"]["title"]["subtitle"]["text"] == "Is it?"


def test_equal_sentences_are_bars_of_their_own_in_the_order_of_the_list() -> None:
    bars = sent(ranking_bars(["same", "same"], [0.5, 0.5]))["data"][0]
    assert len(set(bars["y"])) == 2 and ["sentence 1" in said for said in bars["hovertext"]] == [True, False]


def test_a_long_sentence_takes_two_lines_and_pushes_the_rest_down() -> None:
    short, long = (sent(ranking_bars([sentence], [0.5]))["layout"] for sentence in ("short", "a rather long sentence " * 20))
    assert "<br>" in long["annotations"][0]["text"] and "…" in long["annotations"][0]["text"]
    assert long["height"] > short["height"]


def test_no_word_means_anything_to_plotly(nasty: tuple[str, ...]) -> None:
    figures = [
        sent(
            mask_bars(Result(words=nasty, masks=(Mask(position=3, candidates=tuple(Candidate(word=w, probability=0.1) for w in nasty)),)))
        ),
        sent(ranking_bars(nasty, [0.1] * len(nasty), first=nasty[0])),
    ]
    for figure in figures:
        for one in strings({"data": figure["data"], "notes": figure["layout"]["annotations"], "ticks": figure["layout"]["yaxis"]}):
            plain = re.sub(r"</?b>|<br>|<extra></extra>|%{hovertext}|[<>]? ?[\d.]+ %", "", one)
            assert not set("<>$%\n\x00\u202e") & set(plain), one


@pytest.mark.parametrize(("language", "chinese"), [("en", False), ("zh", True)])
def test_titles_and_hovers_are_in_the_language_asked_for(language: str, chinese: bool) -> None:
    for figure in (sent(mask_bars(ONE, language=language)), sent(ranking_bars(["a"], [0.5], language=language))):
        for said in (figure["layout"]["title"]["text"], figure["data"][0]["hovertext"][0]):
            assert bool(re.search("[\u4e00-\u9fff]", said)) == chinese
