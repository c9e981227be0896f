"""Many candidates for a gap, and a long text behind it: only the better half reads on after every few tokens.

Successive halving (Karnin, Koren and Somekh 2013; Jamieson and Talwalkar 2016). What is short enough is read to the end by all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.decode.score import Line, score, score_on
from models.decode.steps import Feed

AT_ONCE = 600  # tokens of one request that are read without any choice: two cores take less than two seconds for them with 135M numbers
STAGE = 4  # tokens behind the gap between two choices
FEWEST = 10  # candidates that always read to the end: a fifth of 50

Pair = tuple[tuple[int, ...], tuple[int, ...]]  # the tokens of a text with a candidate, to its end and to the end of the candidate


@dataclass(kw_only=True)
class Weight:
    """What is known of one candidate of request number `row`, in nats: `left` with its end, `both` with what stands behind the gap.

    `read`: tokens behind the gap that were read with it. Where that is not all, `both` takes the rest for as probable as it is for those
    who read on, all together.
    """

    row: int
    whole: tuple[int, ...]
    alone: tuple[int, ...]
    stop: int  # so much of `whole` has been read
    left: float = 0.0
    both: float = 0.0
    place: int = 0  # its line among those of the decoder
    out: bool = False  # it reads no further

    @property
    def read(self) -> int:
        return max(0, self.stop - len(self.alone))

    @property
    def ended(self) -> bool:
        return self.stop == len(self.whole)

    def lines(self) -> tuple[Line, Line]:
        """What is read of the whole text, and of the text that ends with the candidate; one line where one is the other's beginning."""
        count = len(self.alone)
        if self.whole[:count] == self.alone:
            return (Line(row=self.row, ids=self.whole[: self.stop], word=count),) * 2
        return Line(row=self.row, ids=self.whole[: self.stop], word=0), Line(row=self.row, ids=self.alone, word=count)


def weigh(feed: Feed, first: Tensor, asked: Sequence[Sequence[Pair]], *, ends: Tensor) -> list[list[Weight]]:
    """Weigh the candidates of each request. `feed`, `first` (N, V) and `ends` (V,) are those of `models.decode.score.score`."""
    weights = [begun(row, pairs) for row, pairs in enumerate(asked)]
    places: dict[Line, int] = {}
    for line in (line for row in weights for one in row for line in one.lines()):
        places.setdefault(line, len(places))
    scored = score(feed, first, list(places), ends=ends)
    for one in (one for row in weights for one in row):
        whole, alone = one.lines()
        one.place, ending = places[whole], scored[places[alone]]
        one.left = sum(ending.ids[: len(one.alone)]) + ending.end
        one.both = one.left if one.whole == one.alone else sum(scored[one.place].ids)
    while any(going := [better(row) for row in weights]):
        read_on(feed, weights, going)
    return weights


def begun(row: int, pairs: Sequence[Pair]) -> list[Weight]:
    """The candidates of a request, each with what is read of its text at first."""
    short = sum(len(whole) for whole, _ in pairs) <= AT_ONCE
    return [
        Weight(row=row, whole=whole, alone=alone, stop=len(whole) if short else min(len(whole), len(alone) + STAGE))
        for whole, alone in pairs
    ]


def better(row: Sequence[Weight]) -> list[Weight]:
    """Who reads on: the better half of those who have not read to the end; the others are out."""
    going = sorted((one for one in row if not one.ended and not one.out), key=lambda one: -one.both)
    count = max(FEWEST, (len(going) + 1) // 2)
    for one in going[count:]:
        one.out = True
    return going[:count]


def read_on(feed: Feed, weights: Sequence[Sequence[Weight]], going: Sequence[Sequence[Weight]]) -> None:
    """Those who are `going` read a stage, or to the end where they are few; those who are out gain as much as they do together."""
    before = [total(row) for row in going]
    last, lines = [], []
    for row in going:
        for one in row:
            stop = len(one.whole) if len(row) <= FEWEST else min(len(one.whole), one.stop + STAGE)
            last.append(one.whole[one.stop - 1])
            lines.append(Line(row=one.place, ids=one.whole[one.stop : stop], word=0))
            one.stop, one.place = stop, len(lines) - 1
    scored = iter(score_on(feed, last, lines))
    for row, those, old in zip(weights, going, before):
        for one in those:
            one.both += sum(next(scored))
        gain = total(those) - old
        for one in row:
            one.both += gain if one.out else 0.0


def total(those: Sequence[Weight]) -> float:
    """How probable all of them are together, in nats."""
    return torch.tensor([one.both for one in those], dtype=torch.float64).logsumexp(0).item() if those else 0.0
