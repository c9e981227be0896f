"""Batches of pairs and what is learnt from them."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from training_helpers import pairs_as_ids, small_translator, translator_tokenizer

from models.training.sequence import Translating, sequence_loss, shift
from models.training.sequence_batches import SequenceBatch, SequenceSource
from models.training.stream import Stream


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SequenceSource:
    tokenizer = translator_tokenizer()
    return SequenceSource(
        pairs=pairs_as_ids(tokenizer, tmp_path_factory.mktemp("pairs")), start_id=tokenizer.pad_id, pad_id=tokenizer.pad_id
    )


def read(batch: SequenceBatch) -> tuple[Any, ...]:
    return tuple(part.flatten().tolist() for part in (batch.source.ids, batch.read.ids, batch.places, batch.words))


def test_a_batch_keeps_its_budget_on_both_sides_and_loses_nothing(source: SequenceSource) -> None:
    seen = 0
    for batch in Stream(source, tokens=300, seed=1).once():
        rows = batch.counts["examples"]
        assert batch.source.ids.shape[0] == rows == batch.read.ids.shape[0]
        for tokens in (batch.source, batch.read):
            assert tokens.ids.shape[1] % 8 == 0
        assert rows * max(batch.source.lengths) <= 300
        assert batch.counts["words"] == len(batch.words) == len(batch.places)
        assert batch.counts["tokens"] == batch.counts["words"] + int(batch.source.mask.sum())
        seen += rows
    assert seen == len(source.pairs)


def test_the_decoder_reads_what_stands_before_the_word_it_has_to_say(source: SequenceSource) -> None:
    batch = source.batch([source.examples(index, None)[0] for index in (3, 4, 5)], np.random.default_rng())
    width = batch.read.ids.shape[1]
    for row, index in enumerate((3, 4, 5)):
        _, target = source.pairs.pair(index)
        places = [int(place) for place in batch.places if place // width == row]
        assert places == list(range(row * width, row * width + len(target)))
        assert batch.read.ids[row, : len(target)].tolist() == [source.start_id, *target[:-1]]
        assert target[-1] == 0
    assert batch.words.tolist() == [int(word) for index in (3, 4, 5) for word in source.pairs.pair(index)[1]]


def test_a_stream_of_pairs_goes_on_in_the_middle_of_an_epoch(source: SequenceSource) -> None:
    def take(count: int, start: Any = None) -> list[Any]:
        stream = Stream(source, tokens=200, batches=2, seed=3)
        return [([read(batch) for batch in step], after) for step, after in itertools.islice(stream.steps(start), count)]

    whole = take(30)
    assert whole[-1][1].epoch > 0
    for stop in (1, 6, 17):
        assert take(30 - stop, whole[stop - 1][1]) == whole[stop:]
    assert whole == take(30)


@pytest.mark.parametrize("student", [False, True])
def test_the_loss_is_that_of_each_pair_alone(source: SequenceSource, student: bool) -> None:
    tokenizer = translator_tokenizer(student=student)
    network = small_translator(tokenizer)
    start = network.config.start_id
    source = SequenceSource(pairs=source.pairs, start_id=start, pad_id=tokenizer.pad_id or 0)
    objective = Translating(network, smoothing=0.1)
    examples = sorted((source.examples(index, None)[0] for index in range(40)), key=source.size)
    chosen = [examples[0], examples[20], examples[-1]]
    together = objective(source.batch(chosen, np.random.default_rng()))["words"]
    alone = torch.zeros(())
    for example in chosen:
        target = torch.from_numpy(example.target.astype("int64"))[None]
        batch = source.batch([example], np.random.default_rng())
        memory = network.encode(batch.source)
        hidden = network.decode(batch.read, memory=memory, memory_mask=batch.source.mask)[:, : target.shape[1]]
        assert batch.read.ids[:, : target.shape[1]].equal(shift(target, start_id=start))
        alone = alone + sequence_loss(network.logits(hidden), target, torch.ones_like(target, dtype=torch.bool), smoothing=0.1)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-4)


def test_only_real_words_go_through_the_product_with_the_vocabulary(source: SequenceSource) -> None:
    network = small_translator(translator_tokenizer())
    shapes = []
    network.heads["lm"].output.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output.shape)))
    batch = next(iter(Stream(source, tokens=200, seed=1).once()))
    Translating(network)(batch)
    assert shapes == [(batch.counts["words"], network.config.vocab_size)] and batch.counts["words"] < batch.read.ids.numel()
