"""Sub-words put together to words, by hand on paper first."""

import numpy as np
import pytest

from playground.tasks import attend
from playground.tasks.words import Side, merged, put_together, side, summed

CLS_PLAYING_TEA = dict(
    words=("[CLS]", "play", "##ing", "tea", "[SEP]"),
    starts=(True, True, False, True, True),
    special=(True, False, False, False, True),
)


def test_pieces_become_words_and_special_tokens_may_go() -> None:
    assert side(**CLS_PLAYING_TEA).members == ((0,), (1,), (2,), (3,), (4,))
    whole = side(**CLS_PLAYING_TEA, whole=True)
    assert whole == Side(words=("[CLS]", "playing", "tea", "[SEP]"), members=((0,), (1, 2), (3,), (4,)))
    assert side(**CLS_PLAYING_TEA, hide=True).words == ("play", "##ing", "tea")
    assert side(**CLS_PLAYING_TEA, whole=True, hide=True) == Side(words=("playing", "tea"), members=((1, 2), (3,)))
    alone = side(("‹start›",), (True,), (True,), hide=True)
    assert alone.words == ("‹start›",), "a picture of nothing helps nobody"
    assert side(("[SEP]", "##s"), (True, False), (True, False), whole=True).members == ((0,), (1,)), "never a part of a special token"


def test_weights_are_summed_over_keys_and_averaged_over_queries() -> None:
    weights = np.array(
        [[0.2, 0.1, 0.3, 0.2, 0.2], [0.0, 0.4, 0.2, 0.4, 0.0], [0.6, 0.0, 0.2, 0.0, 0.2], [0.1, 0.2, 0.3, 0.3, 0.1], [1, 0, 0, 0, 0]],
        dtype=np.float32,
    )
    whole = side(**CLS_PLAYING_TEA, whole=True)
    by_hand = [[0.2, 0.4, 0.2, 0.2], [0.3, 0.4, 0.2, 0.1], [0.1, 0.5, 0.3, 0.1], [1, 0, 0, 0]]
    np.testing.assert_allclose(merged(weights, whole, whole), by_hand, atol=1e-6)
    np.testing.assert_allclose(merged(weights, whole, whole).sum(-1), 1, atol=1e-6)
    shown = side(**CLS_PLAYING_TEA, whole=True, hide=True)
    np.testing.assert_allclose(merged(weights, shown, shown), [[0.4, 0.2], [0.5, 0.3]], atol=1e-6)
    heads = np.stack([weights, weights[::-1]])
    np.testing.assert_allclose(merged(heads, shown, whole)[0], merged(weights, shown, whole))
    same = side(**CLS_PLAYING_TEA)
    np.testing.assert_array_equal(merged(weights, same, same), weights)
    np.testing.assert_allclose(summed(np.arange(5.0), shown), [3, 3])


@pytest.mark.parametrize(
    ("pieces", "word"),
    [
        (["play", "##ing"], "playing"),
        (["▁Par", "is"], "▁Paris"),
        (["‹E5›", "‹9B›", "图"], "图"),
        (["‹E5›", "‹9B›"], "‹E5›‹9B›"),
        (["‹E5 9B›"], "‹E5 9B›"),
        (["##ing"], "##ing"),
    ],
)
def test_a_word_is_spelt_without_the_marks_of_its_pieces(pieces: list[str], word: str) -> None:
    assert put_together(pieces) == word


TEXT = "The animal 😀 naïve street, 我昨天图。"


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian", "tiny-roberta"])
def test_every_tokenizer_finds_the_words_of_a_text(ours, name: str) -> None:
    result = attend.run(ours(name), [attend.Request(text=TEXT)])[0]
    stack = result.sites[0].split(".")[0]
    rows, columns = result.sides(result.sites[0], whole=True, hide=True)
    assert rows == columns
    words = [word.lstrip("▁") for word in rows.words]
    assert [word.casefold() for word in words[:2]] == ["the", "animal"]
    assert "street" in words and not any("\ufffd" in word for word in words)
    if name == "tiny-roberta":  # its vocabulary has letters and single bytes
        assert {"我", "昨", "图", "naïve", "😀"} <= set(words)
    assert [place for places in rows.members for place in places] == [
        place for place, special in enumerate(result.special[stack]) if not special
    ]
    plain, _ = result.sides(result.sites[0])
    assert plain.words == result.words[stack]


def test_words_never_reach_over_a_special_token_and_every_site_has_its_own(ours) -> None:
    pair = attend.run(ours("tiny-bert"), [attend.Request(text="tea", second="tea")])[0]
    rows, _ = pair.sides("encoder.0.self", whole=True)
    assert rows.words == ("[CLS]", "tea", "[SEP]", "tea", "[SEP]")
    both = attend.run(ours("tiny-marian"), [attend.Request(text="我昨天", target="She drank tea")])[0]
    rows, columns = both.sides("decoder.0.cross", whole=True, hide=True)
    assert [word.lstrip("▁") for word in rows.words] == ["She", "drank", "tea"]
    assert [word.lstrip("▁") for word in columns.words][0] == "我"
    assert both.sides("decoder.0.self")[1].words[0] == "‹start›"
