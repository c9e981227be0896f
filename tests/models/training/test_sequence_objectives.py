"""Teacher forcing, label smoothing and span corruption, against numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch

from models.training.sequence import sequence_loss, shift
from models.training.span_corruption import corrupt, segments


def test_the_decoder_reads_the_target_one_step_late() -> None:
    target = torch.tensor([[5, 6, 2], [7, 2, 0]])
    assert shift(target, start_id=9).tolist() == [[9, 5, 6], [9, 7, 2]]
    assert shift(target, start_id=-1)[:, 0].tolist() == [-1, -1]


def test_smoothing_asks_for_a_little_of_every_word() -> None:
    scores = torch.tensor([[[2.0, 0.0, 0.0, 1.0], [9.0, 9.0, 9.0, 9.0]]])
    target, mask = torch.tensor([[0, 3]]), torch.tensor([[True, False]])
    norm = math.log(math.exp(2) + 2 + math.e)
    logs = [2 - norm, -norm, -norm, 1 - norm]
    by_hand = -(0.9 * logs[0] + 0.1 * sum(logs) / 4)
    assert float(sequence_loss(scores, target, mask, smoothing=0.1)) == pytest.approx(by_hand, rel=1e-6)
    assert float(sequence_loss(scores, target, mask, smoothing=0.0)) == pytest.approx(-logs[0], rel=1e-6)


def test_padding_takes_no_part_in_the_loss() -> None:
    torch.manual_seed(0)
    scores, target = torch.randn(2, 5, 11), torch.randint(0, 11, (2, 5))
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    alone = sequence_loss(scores[:1], target[:1], mask[:1]) + sequence_loss(scores[1:, :2], target[1:, :2], mask[1:, :2])
    torch.testing.assert_close(sequence_loss(scores, target, mask), alone)


class Cuts:
    """A generator whose cuts are written down."""

    def __init__(self, *cuts: list[int]):
        self.cuts = list(cuts)

    def choice(self, *_: object, **__: object) -> np.ndarray:
        return np.array(self.cuts.pop(0))


def test_span_corruption_worked_out_by_hand() -> None:
    # 20 tokens: 3 are cut out, in one span; with spans of 1.5 tokens, in two. Kept 17 = 4 + 13, cut out 3 = 2 + 1.
    source, target = corrupt(np.arange(100, 120), Cuts([3], [1]), sentinels=[90, 91, 92], end_id=1, span=1.5)
    assert source.tolist() == [*range(100, 104), 90, *range(106, 119), 91, 1]
    assert target.tolist() == [90, 104, 105, 91, 119, 92, 1]


def test_nothing_is_lost_and_the_share_is_right() -> None:
    rng = np.random.default_rng(2)
    sentinels = list(range(1000, 1100))
    for length in [*range(2, 40), 400]:
        ids = rng.integers(2, 900, length)
        source, target = corrupt(ids, rng, sentinels=sentinels, end_id=1)
        parts = [list(map(int, part)) for part in np.split(target[:-1], np.flatnonzero(target[:-1] >= 1000))[1:]]
        spans = {part[0]: part[1:] for part in parts}
        rebuilt = [token for index in source[:-1].tolist() for token in (spans[index] if index >= 1000 else [index])]
        assert rebuilt == ids.tolist()
        cut = sum(map(len, spans.values()))
        assert cut == min(length - 1, max(1, round(length * 0.15))) and parts[-1][1:] == [] and all(len(part) > 1 for part in parts[:-1])
    assert len(parts) - 1 == 20  # 60 tokens of 400, three a span


def test_every_way_to_cut_is_equally_likely() -> None:
    rng = np.random.default_rng(0)
    seen = [tuple(segments(5, 3, rng)) for _ in range(6000)]
    ways = {(1, 1, 3), (1, 3, 1), (3, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 1)}
    assert set(seen) == ways
    assert all(seen.count(way) == pytest.approx(1000, abs=120) for way in ways)


def test_texts_that_cannot_be_corrupted_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="got 1"):
        corrupt(np.array([5]), rng, sentinels=[9, 10], end_id=1)
    with pytest.raises(ValueError, match="3 sentinels, got 2"):
        corrupt(np.arange(40), rng, sentinels=[90, 91], end_id=1)
