"""Words behind masks: the probabilities are those of `transformers`, and candidates of any length can be compared."""

import dataclasses

import numpy as np
import pytest
import torch

from models.errors import Problem
from playground.tasks import fill_mask
from playground.tasks.fill_mask import Request

TEXTS = ["Paris is the [MASK] of France.", "[MASK] [MASK] a cup of tea in the [MASK].", "The cat [MASK]"]


def chances(ours, theirs, ids: list[int]) -> np.ndarray:
    """Probabilities (S, V) by `transformers`."""
    name = "tiny-roberta" if type(theirs).__name__.startswith("Roberta") else "tiny-bert"
    with torch.no_grad():
        out = theirs(torch.tensor([ids]))
    logits = out.logits if name == "tiny-roberta" else out.prediction_logits
    return logits[0].double().softmax(-1).numpy()


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-roberta"])
def test_the_best_words_are_those_of_transformers(ours, theirs, name: str) -> None:
    model, reference = ours(name), theirs(name)
    results = fill_mask.run(model, [Request(text=text, top_k=7) for text in TEXTS])
    for text, result in zip(TEXTS, results):
        row = model.tokenizer.encode(text)
        expected = chances(ours, reference, list(row.ids))
        assert result.words == row.words
        assert [mask.position for mask in result.masks] == [i for i, index in enumerate(row.ids) if index == model.tokenizer.mask_id]
        assert len(result.masks) == text.count("[MASK]")
        for mask in result.masks:
            order = np.argsort(-expected[mask.position])[:7]
            assert [candidate.word for candidate in mask.candidates] == [model.tokenizer.words([i])[0] for i in order]
            np.testing.assert_allclose([c.probability for c in mask.candidates], expected[mask.position][order], rtol=1e-3)


def test_candidates_of_one_piece_get_their_share_of_the_whole_vocabulary(ours, theirs) -> None:
    model = ours("tiny-bert")
    words = ("the", "capital", "tea", "Capital")
    result = fill_mask.run(model, [Request(text=TEXTS[1], candidates=words)])[0]
    expected = chances(ours, theirs("tiny-bert"), list(model.tokenizer.encode(TEXTS[1]).ids))
    for mask in result.masks:
        assert {candidate.word for candidate in mask.candidates} == set(words)
        assert [c.probability for c in mask.candidates] == sorted((c.probability for c in mask.candidates), reverse=True)
        for candidate in mask.candidates:
            (index,) = model.tokenizer.encode(candidate.word, special=False).ids
            assert candidate.pieces == 1
            assert candidate.probability == pytest.approx(expected[mask.position, index], rel=1e-3)
        assert sum(candidate.probability for candidate in mask.candidates) < 1


def test_a_candidate_of_several_pieces_gets_as_many_masks_and_the_product(ours, theirs) -> None:
    model, reference = ours("tiny-bert"), theirs("tiny-bert")
    tokenizer = model.tokenizer
    result = fill_mask.run(model, [Request(text=TEXTS[1], candidates=("teatea", "tea", "capitals of"))])[0]
    ids = list(tokenizer.encode(TEXTS[1]).ids)
    for mask in result.masks:
        for candidate in mask.candidates:
            pieces = tokenizer.encode(candidate.word, special=False).ids
            wide = [*ids[: mask.position], *[tokenizer.mask_id] * len(pieces), *ids[mask.position + 1 :]]
            expected = chances(ours, reference, wide)
            product = np.prod([expected[mask.position + i, index] for i, index in enumerate(pieces)])
            assert candidate.pieces == len(pieces)
            assert candidate.probability == pytest.approx(product, rel=1e-3)
    counts = sorted(candidate.pieces for candidate in result.masks[0].candidates)
    assert counts[0] == 1 and counts[1] > 1


def test_the_space_before_a_mask_belongs_to_the_word_that_fills_it(ours, theirs) -> None:
    model = ours("tiny-roberta")
    tokenizer = model.tokenizer
    inside, outside = tokenizer.piece_id("▁is"), tokenizer.encode("is", special=False).ids
    for text, pieces in [("Paris [MASK] the", (inside,)), ("[MASK] the", outside), ("Par[MASK]", outside), ("Par[MASK] a", outside)]:
        result = fill_mask.run(model, [Request(text=text, candidates=("is",))])[0]
        ids = list(tokenizer.encode(text).ids)
        (mask,) = result.masks
        wide = [*ids[: mask.position], *[tokenizer.mask_id] * len(pieces), *ids[mask.position + 1 :]]
        expected = chances(ours, theirs("tiny-roberta"), wide)
        product = np.prod([expected[mask.position + i, index] for i, index in enumerate(pieces)])
        assert mask.candidates[0].probability == pytest.approx(product, rel=1e-3)


def test_a_piece_can_be_named_as_the_model_shows_it(ours) -> None:
    for name, text in [("tiny-bert", "Paris is the [MASK]."), ("tiny-roberta", "Paris is the [MASK].")]:
        model = ours(name)
        best = fill_mask.run(model, [Request(text=text, top_k=200)])[0].masks[0].candidates
        mark = "##" if name == "tiny-bert" else "▁"
        piece = next(candidate for candidate in best if candidate.word.startswith(mark) and len(candidate.word) > len(mark))
        again = fill_mask.run(model, [Request(text=text, candidates=(piece.word,))])[0].masks[0].candidates
        assert [candidate.word for candidate in again] == [piece.word]
        assert again[0].pieces == 1 and again[0].probability == pytest.approx(piece.probability, rel=1e-5)


def test_a_batch_gives_what_each_request_gives_alone(ours) -> None:
    model = ours("tiny-bert")
    requests = [Request(text=text) for text in TEXTS] + [Request(text=text, candidates=("tea", "teatea", "coffee")) for text in TEXTS]
    requests.append(Request(text="tea " * 60 + "[MASK]", top_k=3))
    together, alone = fill_mask.run(model, requests), [fill_mask.run(model, [request])[0] for request in requests]
    for one, other in zip(together, alone):
        assert one.words == other.words
        for mine, yours in zip(one.masks, other.masks, strict=True):
            assert mine.position == yours.position
            assert [c.word for c in mine.candidates] == [c.word for c in yours.candidates]
            np.testing.assert_allclose(*[[c.probability for c in mask.candidates] for mask in (mine, yours)], rtol=1e-3)


def test_only_masked_positions_go_through_the_output_layer(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ours("tiny-bert")
    head, shapes = model.network.heads["mlm"], []
    monkeypatch.setattr(head, "forward", lambda hidden: (shapes.append(tuple(hidden.shape)), type(head).forward(head, hidden))[1])
    fill_mask.run(model, [Request(text=text) for text in TEXTS])
    assert sum(shape[0] for shape in shapes) == 5 and all(len(shape) == 2 for shape in shapes)


def test_twenty_masks_work_and_a_long_text_is_cut(ours) -> None:
    model = ours("tiny-bert")
    result = fill_mask.run(model, [Request(text="[MASK] tea " * 20, top_k=2)])[0]
    assert len(result.masks) == 20 and all(len(mask.candidates) == 2 for mask in result.masks)
    assert all(result.words[mask.position] == "[MASK]" for mask in result.masks)
    result = fill_mask.run(model, [Request(text="[MASK] " + "tea " * 500, candidates=("teatea", "tea"))])[0]
    assert result.cut > 300 and len(result.words) <= model.limit


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"text": ""}, "empty_text"),
        ({"text": "no gap here"}, "no_mask"),
        ({"text": "[mask] [Mask] MASK"}, "no_mask"),
        ({"text": "tea " * 500 + "[MASK]"}, "mask_cut"),
        ({"text": "tea " * 500}, "no_mask"),
        ({"text": "[MASK] " * 33}, "too_many_masks"),
        ({"text": "[MASK]", "top_k": 0}, "bad_top_k"),
        ({"text": "[MASK]", "top_k": 201}, "bad_top_k"),
        ({"text": "[MASK]", "candidates": tuple(f"tea{i}" for i in range(51))}, "too_many_candidates"),
        ({"text": "[MASK]", "candidates": ("😀",)}, "unknown_candidate"),
        ({"text": "[MASK]", "candidates": ("\u200b",)}, "unknown_candidate"),
        ({"text": "[MASK]", "candidates": ("[MASK]",)}, "unknown_candidate"),
        ({"text": "[MASK]", "candidates": ("tea, " * 6,)}, "long_candidate"),
    ],
)
def test_what_cannot_be_filled_is_refused_in_one_sentence(ours, asked: dict, key: str) -> None:
    for ask in (lambda r: fill_mask.size(ours("tiny-bert"), r), lambda r: fill_mask.run(ours("tiny-bert"), [r])):
        with pytest.raises(Problem) as caught:
            ask(Request(**asked))
        assert caught.value.key == key


def test_blank_and_repeated_candidates_count_once_or_not_at_all(ours) -> None:
    result = fill_mask.run(ours("tiny-bert"), [Request(text="[MASK]", candidates=("tea", " tea ", "", "  "))])[0]
    assert [candidate.word for candidate in result.masks[0].candidates] == ["tea"]
    result = fill_mask.run(ours("tiny-bert"), [Request(text="[MASK]", candidates=(" ",), top_k=4)])[0]
    assert len(result.masks[0].candidates) == 4


def test_a_model_without_that_head_is_refused(ours) -> None:
    for name in ("tiny-gpt2", "tiny-marian"):
        with pytest.raises(Problem, match="task_impossible"):
            fill_mask.size(ours(name), Request(text="[MASK]"))


def test_size_counts_tokens_and_requests_can_be_remembered(ours) -> None:
    model = ours("tiny-bert")
    assert fill_mask.size(model, Request(text=TEXTS[0])) == len(model.tokenizer.encode(TEXTS[0]))
    assert hash(Request(text="a", candidates=("b",))) == hash(dataclasses.replace(Request(text="a"), candidates=("b",)))
