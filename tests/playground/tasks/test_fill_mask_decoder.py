"""A decoder asked about a gap: every number is that of a plain pass over the completed text, one candidate at a time, without a cache."""

from dataclasses import replace
from math import exp, log

import pytest
import torch

from models.errors import Problem
from playground.tasks import fill_mask_decoder
from playground.tasks.fill_mask_decoder import Request, Result

each_model = pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama"])
TEXT = "She drank a cup of [MASK] in the morning."
TEXTS = {
    "in the middle": TEXT,
    "at the end": "The capital of France is [MASK]",
    "at the beginning": "[MASK] is the capital of Germany.",
    "inside a word": "The ani[MASK]l was tired.",
    "Chinese": "中国的首都是[MASK]京。",
    "after a line break": "tea or coffee?\n[MASK], she said.",
    "many spaces": "a cup of   [MASK]  in the morning",
}
WORDS = ("tea", "coffee", "sandwich", "Paris", "grandmother", "a", "咖啡")


def plain(reference, ids: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Log probability of each id after the first, and of everything that may come after the last."""
    with torch.no_grad():
        scores = reference(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return scores[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0], scores[-1]


@each_model
@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("words", [WORDS, ()], ids=["given", "proposed"])
def test_both_shares_are_those_of_a_pass_of_transformers_for_each_candidate(ours, theirs, name: str, kind: str, words: tuple) -> None:
    model, reference = ours(name), theirs(name)
    before, after = TEXTS[kind].split("[MASK]")
    lead = " " if before.endswith(" ") else ""
    [result] = fill_mask_decoder.run(model, [Request(text=TEXTS[kind], candidates=words, proposals=12)])
    assert len(result.candidates) == (len(words) or 12)
    given, left, both, torn = fill_mask_decoder.natural(model, before.rstrip(" ")), [], [], False
    for candidate in result.candidates:
        begun = before.rstrip(" ") + lead + candidate.word
        alone, whole = (fill_mask_decoder.natural(model, text) for text in (begun, begun + after.rstrip()))
        chances, following = plain(reference, alone)
        left.append(chances.sum().item() + following.exp()[model.edges.ends].sum().log().item())
        both.append(plain(reference, whole)[0].sum().item() if after else left[-1])
        torn |= alone[: len(given)] != given or whole[: len(given)] != given  # the word has swallowed a piece of the left side
    for mine, wanted in (("left", left), ("both", both)):
        shares = torch.tensor(wanted, dtype=torch.float64).softmax(0).tolist()
        assert [getattr(candidate, mine) for candidate in result.candidates] == pytest.approx(shares, rel=1e-4, abs=1e-7)
    assert both == sorted(both, reverse=True)
    if not torn:
        read = plain(reference, given)[0].sum().item()
        assert result.covered == pytest.approx(min(1.0, sum(exp(one - read) for one in left)), rel=1e-3)
    assert not torn or kind in ("inside a word", "Chinese")


@each_model
def test_a_batch_equals_single_requests(ours, name: str) -> None:
    model = ours(name)
    requests = [Request(text=text, proposals=8) for text in TEXTS.values()] + [Request(text=TEXT, candidates=WORDS)]
    for together, request in zip(fill_mask_decoder.run(model, requests), requests, strict=True):
        [alone] = fill_mask_decoder.run(model, [request])
        assert [one.word for one in together.candidates] == [one.word for one in alone.candidates]
        for name_ in ("left", "both"):
            mine, single = ([getattr(one, name_) for one in found.candidates] for found in (together, alone))
            assert mine == pytest.approx(single, rel=1e-3) and sum(mine) == pytest.approx(1)


@each_model
def test_proposals_are_the_likeliest_words_of_one_piece(ours, name: str) -> None:
    model = ours(name)
    [result] = fill_mask_decoder.run(model, [Request(text=TEXT, proposals=10)])
    ids = fill_mask_decoder.natural(model, "She drank a cup of")
    row = fill_mask_decoder.bare_row(model, ids)
    with torch.no_grad():
        scores = model.network.logits(model.network.decode(model.batch([row])))[0, -1]
    pieces = [model.tokenizer.words([index])[0] for index in scores.argsort(descending=True).tolist()]
    wanted = [piece[1:] for piece in pieces if piece.startswith("▁") and piece[1:].isalnum()][:10]
    assert {one.word for one in result.candidates} == set(wanted)


def test_a_word_is_worth_what_it_is_worth_with_its_end(ours) -> None:
    """Where a longer word begins with a shorter one, the shorter does not get the longer one's share."""
    model = ours("tiny-gpt2")
    edges = model.edges
    pieces = [model.tokenizer.words([index])[0] for index in range(model.config.vocab_size)]
    for piece, spaced, bare, ends in zip(pieces, edges.spaced.tolist(), edges.bare.tolist(), edges.ends.tolist()):
        assert spaced == (piece[0] == "▁" and piece[1:].isalnum()) and bare == piece.isalnum()
        assert ends or piece[0].isalnum()
    assert edges.ends[pieces.index("▁the")] and not edges.ends[pieces.index("t")] and edges.ends[pieces.index(".")]
    [result] = fill_mask_decoder.run(model, [Request(text=TEXT, candidates=("tea",))])
    alone = fill_mask_decoder.natural(model, "She drank a cup of tea")
    given = fill_mask_decoder.natural(model, "She drank a cup of")
    with torch.no_grad():
        scores = model.network.logits(model.network.decode(model.batch([fill_mask_decoder.bare_row(model, alone)])))[0].double()
    chances = scores.log_softmax(-1)
    word = sum(chances[place - 1, alone[place]].item() for place in range(len(given), len(alone)))
    assert log(result.covered) == pytest.approx(word + chances[-1].exp()[edges.ends].sum().log().item(), abs=1e-4)


def test_a_model_that_knows_where_a_text_begins_is_told(ours) -> None:
    gpt2, llama = ours("tiny-gpt2"), ours("tiny-llama")
    assert fill_mask_decoder.natural(gpt2, "tea")[0] == gpt2.tokenizer.before_id == gpt2.tokenizer.eos_id
    assert fill_mask_decoder.natural(llama, "tea") == llama.tokenizer.encode("tea").ids
    assert fill_mask_decoder.natural(llama, "")[0] == llama.tokenizer.bos_id


@each_model
def test_long_texts_are_cut_around_the_gap(ours, name: str) -> None:
    model = ours(name)
    near = Request(text="tea " * 300 + "a cup of [MASK] in the morning" + " and coffee" * 300, candidates=("tea", "coffee"))
    [result] = fill_mask_decoder.run(model, [near])
    assert result.cut > 500 and sum(one.both for one in result.candidates) == pytest.approx(1)
    [longer] = fill_mask_decoder.run(model, [replace(near, text="x" * 100_000 + " " + near.text)])
    assert longer.cut > result.cut
    assert [one.both for one in longer.candidates] == pytest.approx([one.both for one in result.candidates], rel=1e-3)
    assert fill_mask_decoder.size(model, near) < model.limit * 3


@each_model
@pytest.mark.parametrize(
    ("request_", "key"),
    [
        (Request(text=" "), "empty_text"),
        (Request(text="no gap"), "no_mask"),
        (Request(text="[MASK] and [MASK]"), "one_mask"),
        (Request(text=TEXT, proposals=0), "bad_proposals"),
        (Request(text=TEXT, proposals=51), "bad_proposals"),
        (Request(text=TEXT, candidates=("tea",) * 51), "too_many_candidates"),
        (Request(text=TEXT, candidates=("supercalifragilisticexpialidocious",)), "long_candidate"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_sentence(ours, name: str, request_: Request, key: str) -> None:
    for ask in (fill_mask_decoder.size, lambda model, request: fill_mask_decoder.run(model, [request])):
        with pytest.raises(Problem) as caught:
            ask(ours(name), request_)
        assert caught.value.key == key


def test_a_decoder_without_a_beginning_needs_a_word_on_the_left(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ours("tiny-gpt2")
    monkeypatch.setattr(model.tokenizer, "before_id", None)
    for text in ("[MASK] is tired.", "t[MASK]"):
        with pytest.raises(Problem, match="nothing_before_gap"):
            fill_mask_decoder.run(model, [Request(text=text, candidates=("he", "ea"))])
    [result] = fill_mask_decoder.run(model, [Request(text=TEXT, candidates=("tea",))])
    assert isinstance(result, Result) and result.candidates[0].both == 1


def test_an_encoder_is_not_asked_this(ours) -> None:
    with pytest.raises(Problem, match="task_impossible"):
        fill_mask_decoder.size(ours("tiny-bert"), Request(text=TEXT))
