"""Several masks together: each way is checked against the same steps made one by one with `transformers`."""

import pytest
import torch

from models.errors import Problem
from playground.tasks import fill_masks
from playground.tasks.fill_masks import Request, put_in

TEXTS = ["[MASK] [MASK] a cup of tea in the [MASK].", "Paris is the [MASK] of [MASK].", "The cat [MASK]"]
SPECIAL = ("pad_id", "unk_id", "mask_id", "bos_id", "eos_id")


@pytest.fixture
def logs(ours, theirs):
    """Log probabilities of every word at one place of a text given as ids, by `transformers`; special tokens are no answer."""
    reference, model = theirs("tiny-bert"), ours("tiny-bert")
    special = sorted({getattr(model.tokenizer, name) for name in SPECIAL} - {None})

    def ask(ids: list[int], place: int) -> tuple[torch.Tensor, int]:
        with torch.no_grad():
            scores = reference(torch.tensor([ids])).prediction_logits[0, place].double().log_softmax(-1)
        allowed = scores.clone()
        allowed[special] = -torch.inf
        return scores, int(allowed.argmax())

    return ask


@pytest.mark.parametrize("text", TEXTS)
def test_each_way_is_what_the_same_steps_give_one_by_one(ours, logs, text: str) -> None:
    model = ours("tiny-bert")
    row, mask = model.tokenizer.encode(text), model.tokenizer.mask_id
    places = [place for place, index in enumerate(row.ids) if index == mask]
    apart = [logs(list(row.ids), place)[1] for place in places]
    ids = list(row.ids)
    for place in places:
        ids[place] = logs(ids, place)[1]
    in_turn = [ids[place] for place in places]
    ids, rounds = list(row.ids), [apart]
    for place, word in zip(places, apart):
        ids[place] = word
    for _ in range(10):
        for place in places:
            ids[place] = mask
            ids[place] = logs(ids, place)[1]
        rounds.append([ids[place] for place in places])
        if rounds[-1] == rounds[-2]:
            break

    result = fill_masks.run(model, [Request(text=text)])[0]
    words = [tuple(model.tokenizer.words([index])[0] for index in way) for way in (apart, in_turn, rounds[-1])]
    assert [filling.words for filling in result.fillings] == words and [filling.way for filling in result.fillings] == list(fill_masks.WAYS)
    assert len(result.fillings[2].rounds) == len(rounds) and result.fillings[2].settled == (rounds[-1] == rounds[-2])
    assert [filling.passes for filling in result.fillings] == [1, len(places), 1 + len(places) * (len(rounds) - 1)]
    assert result.masks == tuple(places) and result.differing == {n for n, three in enumerate(zip(*words)) if len(set(three)) > 1}


def test_the_score_masks_each_word_in_turn(ours, logs) -> None:
    model = ours("tiny-bert")
    result = fill_masks.run(model, [Request(text=TEXTS[1])])[0]
    for filling in result.fillings:
        ids = list(model.tokenizer.encode(TEXTS[1]).ids)
        for place, word in zip(result.masks, filling.words):
            ids[place] = model.tokenizer.piece_id(word)
        expected = []
        for place in range(1, len(ids) - 1):  # without [CLS] and [SEP]
            hidden = [*ids[:place], model.tokenizer.mask_id, *ids[place + 1 :]]
            expected.append(logs(hidden, place)[0][ids[place]].item())
        assert filling.scores == pytest.approx(expected, rel=1e-4) and filling.score == pytest.approx(sum(expected), rel=1e-4)
    assert result.best == max(filling.score for filling in result.fillings)


def test_a_batch_gives_what_each_text_gives_alone(ours) -> None:
    for name in ("tiny-bert", "tiny-roberta"):
        requests = [Request(text=text) for text in TEXTS] + [Request(text=TEXTS[0], rounds=1)]
        together = fill_masks.run(ours(name), requests)
        for request, result in zip(requests, together):
            [alone] = fill_masks.run(ours(name), [request])
            assert [(one.words, one.rounds, one.settled) for one in alone.fillings] == [
                (one.words, one.rounds, one.settled) for one in result.fillings
            ]
            assert [one.score for one in alone.fillings] == pytest.approx([one.score for one in result.fillings], rel=1e-4)
        assert len(together[3].fillings[2].rounds) == 2


def test_words_stand_in_the_text_where_the_masks_were() -> None:
    assert put_in("a [MASK] b [MASK].", [(2, 8), (11, 17)], ["▁cat", "##s"]) == (("a ", -1), ("cat", 0), (" b", -1), ("s", 1), (".", -1))
    assert "".join(piece for piece, _ in put_in("[MASK][MASK]京", [(0, 6), (6, 12)], ["北", "南"])) == "北南京"


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"text": " "}, "empty_text"),
        ({"text": "no gap"}, "no_mask"),
        ({"text": "[MASK] " * 13}, "too_many_masks"),
        ({"text": "[MASK] " + "tea " * 110}, "long_for_filling"),
        ({"text": "[MASK]", "rounds": 0}, "bad_rounds"),
        ({"text": "[MASK]", "rounds": 21}, "bad_rounds"),
    ],
)
def test_what_cannot_be_filled_is_refused(ours, asked: dict, key: str) -> None:
    for ask in (fill_masks.size, lambda model, request: fill_masks.run(model, [request])):
        with pytest.raises(Problem) as caught:
            ask(ours("tiny-bert"), Request(**asked))
        assert caught.value.key == key


def test_every_model_that_fills_masks_can_be_asked_for_several(tiny_playground) -> None:
    result = tiny_playground.ask("tiny-bert", "fill_masks", Request(text=TEXTS[1]))
    assert result.fillings[0].text.startswith("Paris is the ")
    with pytest.raises(Problem, match="task_not_possible"):
        tiny_playground.ask("tiny-gpt2", "fill_masks", Request(text=TEXTS[1]))
