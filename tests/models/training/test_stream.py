"""Batches: everything once an epoch, the same from the same seed however it is dealt out, and from any place on."""

import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from training_helpers import small_source

from models.training.pair_batches import PairBatch, PairSource
from models.training.stream import Position, Stream


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> PairSource:
    return small_source(tmp_path_factory.mktemp("stream"), count=400)


def read(batch: PairBatch) -> tuple[Any, ...]:
    return tuple(
        tuple(part.flatten().tolist()) for part in (batch.tokens.ids, batch.tokens.segments, batch.places, batch.words, batch.follows)
    )


def take(stream: Stream, count: int, start: Position | None = None, **options: Any) -> list[tuple[list[tuple[Any, ...]], Position]]:
    return [([read(batch) for batch in step], after) for step, after in itertools.islice(stream.steps(start, **options), count)]


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(source: PairSource) -> None:
    one, two = (take(Stream(source, tokens=400, seed=3), 30) for _ in range(2))
    assert one == two
    assert take(Stream(source, tokens=400, seed=4), 30) != one


def test_a_stream_goes_on_in_the_middle_of_an_epoch(source: PairSource) -> None:
    stream = Stream(source, tokens=400, batches=2, seed=3)
    whole = take(stream, 120)
    assert whole[-1][1].epoch == 1 and whole[-1][1].pool > 0  # an epoch and a pool lie behind
    for stop in (1, 7, 16, 50, 99):
        assert take(Stream(source, tokens=400, batches=2, seed=3), 120 - stop, whole[stop - 1][1]) == whole[stop:]


def test_loaders_beside_it_change_nothing(source: PairSource) -> None:
    stream = Stream(source, tokens=400, batches=2, seed=3)
    assert take(stream, 60, workers=2) == take(stream, 60)
    start = take(stream, 9)[-1][1]
    assert take(stream, 10, start, workers=1) == take(stream, 19)[9:]


def test_processes_share_each_step_without_gaps(source: PairSource) -> None:
    alone = take(Stream(source, tokens=400, batches=4, seed=3), 20)
    for world in (2, 4):
        parts = [take(Stream(source, tokens=400, batches=4, seed=3, rank=rank, world=world), 20) for rank in range(world)]
        for step, (batches, after) in enumerate(alone):
            dealt = [part[step] for part in parts]
            assert all(position == after for _, position in dealt)
            assert Counter(batch for found, _ in dealt for batch in found) == Counter(batches)
    with pytest.raises(ValueError, match="3 processes"):
        Stream(source, tokens=400, batches=4, world=3)


def test_a_batch_keeps_its_budget_and_wastes_little(source: PairSource) -> None:
    batches = list(Stream(source, tokens=600, seed=1).once())
    real = sum(batch.counts["tokens"] for batch in batches)
    padded = sum(batch.tokens.ids.numel() for batch in batches)
    for batch in batches:
        rows, width = batch.tokens.ids.shape
        assert width % 8 == 0 and max(batch.tokens.lengths) > width - 8
        assert rows * max(batch.tokens.lengths) <= 600
    assert real / padded > 0.85


def test_an_epoch_reads_every_document_about_once(source: PairSource) -> None:
    stream = Stream(source, tokens=400, batches=1, seed=1)
    for epoch in (0, 1):
        documents = np.concatenate(stream.pools(epoch))
        assert sorted(documents.tolist()) == list(range(400))
    assert (np.concatenate(stream.pools(0)) != np.concatenate(stream.pools(1))).any()
    assert len(stream.pools(0)) > 1


class Numbers:
    """A source whose examples are the numbers of its documents."""

    def __init__(self, weights: list[float], sizes: list[int]):
        self.weights, self.sizes = np.array(weights), np.array(sizes)

    def examples(self, document: int, rng: Any) -> list[int]:
        return [document]

    def size(self, example: int) -> int:
        return int(self.sizes[example])

    def batch(self, examples: list[int], rng: Any) -> list[int]:
        return list(examples)


def test_weights_say_how_often_a_document_is_read() -> None:
    stream = Stream(Numbers([2.0, 0.5, 0.0, 1.25], [10] * 4), tokens=20, seed=1)
    read = Counter(itertools.chain.from_iterable(itertools.chain.from_iterable(stream.once(epoch) for epoch in range(400))))
    assert read[0] == 800 and read[2] == 0
    assert read[1] == pytest.approx(200, abs=40) and read[3] == pytest.approx(500, abs=40)


def test_similar_lengths_stand_together() -> None:
    sizes = [5, 50] * 40
    for batch in Stream(Numbers([1.0] * 80, sizes), tokens=100, seed=1).once():
        assert len({sizes[index] for index in batch}) == 1 or len(batch) < 3


def test_a_text_that_is_too_short_for_a_step_is_refused_and_not_waited_for() -> None:
    stream = Stream(Numbers([1.0] * 3, [10] * 3), tokens=1000, batches=4, seed=1)
    with pytest.raises(ValueError, match="4 batches of 1000 tokens"):
        next(stream.steps())


def test_a_batch_reads_as_bert_reads_and_asks_only_for_words(source: PairSource) -> None:
    batch = next(iter(Stream(source, tokens=600, seed=1).once()))
    start, _, middle, _, end = (slot.token for slot in source.frame)
    whole = batch.tokens.ids.flatten().clone()
    whole[batch.places] = batch.words
    whole = whole.view_as(batch.tokens.ids)
    for row, segments, mask, length in zip(whole, batch.tokens.segments, batch.tokens.mask, batch.tokens.lengths):
        assert row[0] == start and row[length - 1] == end and (row[:length] == middle).sum() == 2
        first = int((row == middle).nonzero()[0]) + 1
        assert segments[:first].sum() == 0 and bool((segments[first:length] == 1).all()) and segments[length:].sum() == 0
        assert mask.tolist() == [True] * length + [False] * (len(row) - length)
        assert bool((row[length:] == source.pad_id).all())
    assert source.vocabulary.words[batch.words.numpy()].all()
    assert batch.counts["words"] == len(batch.places) == pytest.approx(0.15 * batch.counts["tokens"], rel=0.15)
    assert batch.notes["follow"] == int((batch.follows == 0).sum())


def test_each_epoch_hides_other_words(source: PairSource) -> None:
    stream = Stream(source, tokens=400, seed=1)
    first, again = (Counter(tuple(batch.words.tolist()) for batch in stream.once(epoch)) for epoch in (0, 1))
    assert not first & again


def test_everything_can_be_sent_to_a_device(source: PairSource) -> None:
    batch = next(iter(Stream(source, tokens=600, seed=1).once())).to(torch.device("meta"))
    assert {batch.places.device.type, batch.words.device.type, batch.follows.device.type, batch.tokens.ids.device.type} == {"meta"}
    assert math.prod(batch.tokens.ids.shape) > 0
