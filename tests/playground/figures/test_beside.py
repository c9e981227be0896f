"""A gap asked of an encoder and of a decoder, side by side."""

import re

from decoding import sent, strings

from playground.figures.beside import beside
from playground.tasks import fill_mask, fill_mask_decoder
from playground.tasks.fill_mask_decoder import Candidate


def filled(*words: str) -> fill_mask.Result:
    found = tuple(fill_mask.Candidate(word=word, probability=0.5 / (n + 1)) for n, word in enumerate(words))
    return fill_mask.Result(words=("[MASK]",), masks=(fill_mask.Mask(position=0, candidates=found),))


DECODER = fill_mask_decoder.Result(
    candidates=(Candidate(word="Paris", left=0.1, both=0.7), Candidate(word="the", left=0.9, both=0.3)), covered=0.5
)


def test_three_columns_stand_on_one_scale_each_best_first() -> None:
    figure = sent(beside(filled("paris", "lyon"), DECODER, top=10))
    encoder, left, both = figure["data"]
    assert (encoder["x"], left["x"], both["x"]) == ([0.5, 0.25], [0.9, 0.1], [0.7, 0.3])
    assert {tuple(figure["layout"][axis]["range"]) for axis in ("xaxis", "xaxis2", "xaxis3")} == {(0, 0.9)}
    assert left["marker"]["color"][1] == encoder["marker"]["color"][0] != left["marker"]["color"][0], "Paris is named by both"
    assert len(sent(beside(filled("paris", "lyon"), DECODER, top=1))["data"][1]["x"]) == 1


def test_no_word_of_the_columns_means_anything_to_plotly(nasty: tuple[str, ...]) -> None:
    decoder = fill_mask_decoder.Result(candidates=tuple(Candidate(word=word, left=0.1, both=0.1) for word in nasty), covered=0.1)
    figure = sent(beside(filled(*nasty), decoder, top=50, language="zh"))
    for one in strings({"data": figure["data"], "notes": figure["layout"]["annotations"]}):
        plain = re.sub(r"</?b>|<br>|<extra></extra>|%{hovertext}|[<>]? ?[\d.]+ %", "", one)
        assert not set("<>$%\n\x00\u202e") & set(plain), one
