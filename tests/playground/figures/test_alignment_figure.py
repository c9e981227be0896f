"""The word alignment of a translation."""

import re

import numpy as np
import pytest
from decoding import array, sent, strings

from playground.figures.alignment import alignment
from playground.tasks.translate import Sentence

RNG = np.random.default_rng(0)


def sentence(source: str, target: str) -> Sentence:
    source_words, target_words = tuple(source.split()), tuple(target.split())
    weights = RNG.dirichlet(np.ones(len(source_words)), len(target_words)).astype(np.float32)
    shares = RNG.random(len(target_words)).astype(np.float32)
    return Sentence(
        source_words=source_words, target_words=target_words, text=target, alternatives=(), alignment=weights, probabilities=shares
    )


FIRST, SECOND = sentence("这 只 猫 。", "▁The ▁cat . </s>"), sentence("它 很 累", "▁It ▁is ▁tired . </s>")


def test_several_sentences_are_blocks_along_the_diagonal() -> None:
    figure = sent(alignment((FIRST, SECOND)))
    z = array(figure["data"][0]["z"])
    assert z.shape == (9, 7)
    assert np.array_equal(z[:4, :4], FIRST.alignment) and np.array_equal(z[4:, 4:], SECOND.alignment)
    assert np.isnan(z[:4, 4:]).all() and np.isnan(z[4:, :4]).all()
    assert list(figure["layout"]["yaxis"]["labelalias"].values()) == [
        "The",
        "cat",
        ".",
        "&lt;/s&gt;",
        "It",
        "is",
        "tired",
        ".",
        "&lt;/s&gt;",
    ]


def test_one_sentence_can_be_chosen() -> None:
    figure = sent(alignment((FIRST, SECOND), sentence=1))
    assert np.array_equal(array(figure["data"][0]["z"]), SECOND.alignment)
    assert figure["layout"]["title"]["subtitle"]["text"] == "sentence 2 of 2"


@pytest.mark.parametrize(
    "sentences",
    [
        (),
        (
            Sentence(
                source_words=("a",),
                target_words=(),
                text="",
                alternatives=(),
                alignment=np.zeros((0, 1), np.float32),
                probabilities=np.zeros(0, np.float32),
            ),
        ),
    ],
)
def test_nothing_translated_is_said_in_words(sentences: tuple[Sentence, ...]) -> None:
    figure = sent(alignment(sentences, language="zh"))
    assert figure["data"] == [] and figure["layout"]["annotations"][0]["text"] == "暂时没有可显示的内容。"


def test_a_sentence_without_words_does_not_stop_the_others() -> None:
    empty = Sentence(
        source_words=(),
        target_words=(),
        text="",
        alternatives=(),
        alignment=np.zeros((0, 0), np.float32),
        probabilities=np.zeros(0, np.float32),
    )
    assert array(sent(alignment((FIRST, empty, SECOND)))["data"][0]["z"]).shape == (9, 7)


@pytest.mark.parametrize(("language", "chinese"), [("en", False), ("zh", True)])
def test_everything_written_is_in_the_language_asked_for(language: str, chinese: bool) -> None:
    figure = sent(alignment((sentence("a b", "c d"),), language=language))
    layout = figure["layout"]
    said = [layout["title"]["text"], layout["title"]["subtitle"]["text"], figure["data"][0]["hovertemplate"]]
    said += [layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]]
    assert [bool(re.search("[\u4e00-\u9fff]", one)) for one in said] == [chinese] * 5


def test_no_word_means_anything_to_plotly(nasty: tuple[str, ...]) -> None:
    shares = np.full(len(nasty), 0.5, np.float32)
    weights = np.full((len(nasty), len(nasty)), 1 / len(nasty), np.float32)
    one = Sentence(source_words=nasty, target_words=nasty, text="", alternatives=(), alignment=weights, probabilities=shares)
    layout = sent(alignment((one,)))["layout"]
    shown = list(strings({axis: layout[axis]["labelalias"] for axis in ("xaxis", "yaxis")}))
    assert len(shown) == 2 * len(nasty) and not any(set("<>$%\n\x00\u202e") & set(word) for word in shown)
