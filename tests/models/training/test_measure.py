"""Measuring: the numbers are what they say they are."""

import math
from dataclasses import replace

import pytest
import torch
from training_helpers import small_network, small_source, small_tokenizer

from models.training import measure
from models.training.measure import Cloze
from models.training.next_sentence import DOES_NOT
from models.training.pair_batches import PairBatch, PairSource
from models.training.pretraining import Pretraining

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> PairSource:
    return small_source(tmp_path_factory.mktemp("measure"), count=200)


def test_shares_and_losses_by_hand(source: PairSource) -> None:
    batches = measure.held_out(source, pairs=150)
    objective = Pretraining(small_network(small_tokenizer()).eval())
    found = measure.guesses(objective, batches, CPU)
    ranks, losses, right = [], [], []
    with torch.no_grad():
        for batch in batches:
            scores, follows = objective.scores(batch)
            for row, word in zip(scores, batch.words.tolist()):
                ranks.append(sorted(range(len(row)), key=lambda i, row=row: -float(row[i])).index(word))
                losses.append(-float(row.log_softmax(0)[word]))
            right += [int(row[1] > row[0]) == truth for row, truth in zip(follows, batch.follows.tolist())]
    assert found["words"] == len(ranks) and found["pairs"] == len(right) >= 150
    assert found["mlm_top1"] == pytest.approx(sum(rank == 0 for rank in ranks) / len(ranks))
    assert found["mlm_top5"] == pytest.approx(sum(rank < 5 for rank in ranks) / len(ranks))
    assert found["mlm_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-5) == pytest.approx(math.log(250), abs=0.2)
    assert found["nsp"] == pytest.approx(sum(right) / len(right))


def test_a_model_that_knows_everything_gets_everything_right(source: PairSource) -> None:
    class Oracle(Pretraining):
        def scores(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.nn.functional.one_hot(batch.words, 250).float() * 50, torch.nn.functional.one_hot(batch.follows, 2).float()

    found = measure.guesses(Oracle(small_network(small_tokenizer())), measure.held_out(source, pairs=100), CPU)
    assert (found["mlm_top1"], found["mlm_top5"], found["nsp"]) == (1.0, 1.0, 1.0) and found["mlm_loss"] < 1e-6


def test_the_same_words_are_hidden_each_time_and_harder_pairs_come_from_one_document(source: PairSource) -> None:
    one, two = (measure.held_out(replace(source), pairs=100) for _ in range(2))
    assert all(torch.equal(a.tokens.ids, b.tokens.ids) and torch.equal(a.words, b.words) for a, b in zip(one, two, strict=True))
    assert sum(batch.notes["same_document"] for batch in one) == 0
    harder = measure.held_out(source, pairs=100, harder=True)
    apart = sum(int((batch.follows == DOES_NOT).sum()) for batch in harder)
    # The last sentence of a story has nowhere else to go in it only where the story is very short.
    assert sum(batch.notes["same_document"] for batch in harder) > 0.8 * apart > 0


def test_clozes_are_counted_by_hand() -> None:
    clozes = [Cloze(text="", answers=answers, kind="fact") for answers in (("tea", "coffee"), ("cat",), ("red",))]
    found = [("coffee", "milk"), ("dog", "cat"), ("green", "blue")]
    assert measure.cloze_quality(clozes, found) == {"cloze_top1": pytest.approx(1 / 3), "cloze_top5": pytest.approx(2 / 3), "clozes": 3}


def test_a_gap_is_filled_with_the_best_words_of_its_place() -> None:
    tokenizer, network = small_tokenizer(), small_network(small_tokenizer()).eval()
    clozes = [Cloze(text=text, answers=("x",), kind="fact") for text in ("Anna [MASK] bread.", "In the [MASK] there are always berries.")]
    found = measure.fill(network, tokenizer, clozes, CPU)
    for cloze, words in zip(clozes, found):  # alone, without the other's padding
        assert measure.fill(network, tokenizer, [cloze], CPU)[0] == words
    with pytest.raises(ValueError, match="exactly one"):
        measure.fill(network, tokenizer, [Cloze(text="no gap", answers=("x",), kind="fact")], CPU)


def test_the_clozes_that_ship_have_one_gap_and_answers_of_one_word() -> None:
    clozes = measure.read_clozes()
    assert len(clozes) == len({cloze.text for cloze in clozes}) == 50
    for cloze in clozes:
        assert cloze.text.count("[MASK]") == 1 and cloze.answers
        assert all(answer.isalnum() and answer == answer.lower() for answer in cloze.answers)
    assert {cloze.kind for cloze in clozes} == {"fact", "category", "common sense"}


def test_nothing_to_measure_is_said() -> None:
    with pytest.raises(ValueError, match="nothing to measure"):
        measure.guesses(Pretraining(small_network(small_tokenizer())), [], CPU)
