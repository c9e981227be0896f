"""Batches without end from one seed: the same whatever the number of processes and loaders, and able to go on anywhere.

An epoch reads the documents in a new order. A *pool* is a stretch of that order, large enough for some steps: its examples are sorted by
length, cut into batches of a token budget, and the batches shuffled. A *step* is a fixed number of batches, dealt out to the processes.
"""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from models.batching import groups

POOL = 16  # steps a pool


class Source(Protocol):
    """What knows the documents: `sizes` in tokens, `weights` readings an epoch; makes examples of a document and a batch of examples."""

    sizes: np.ndarray
    weights: np.ndarray

    def examples(self, document: int, rng: random.Random) -> Iterable[Any]: ...

    def size(self, example: Any) -> int: ...

    def batch(self, examples: Sequence[Any], rng: np.random.Generator) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Position:
    """The next step to be made, which is all that a checkpoint has to remember of the data."""

    epoch: int = 0
    pool: int = 0
    step: int = 0


class Stream(Dataset):
    """`tokens`: padded tokens of a batch; `batches`: of a step, over all processes; `rank` of `world` is the process that asks."""

    def __init__(self, source: Source, *, tokens: int, batches: int = 1, seed: int = 1, rank: int = 0, world: int = 1):
        if batches % world:
            raise ValueError(f"{batches} batches a step cannot be dealt out evenly to {world} processes")
        self.source = source
        self.tokens, self.batches, self.seed, self.rank, self.world = tokens, batches, seed, rank, world
        self.epoch: tuple[int, list[np.ndarray]] | None = None  # the last epoch's pools; remembered since the next question is of the same

    def pools(self, epoch: int) -> list[np.ndarray]:
        """Which documents are in each pool of an epoch; a document with a weight of 2.5 comes two or three times."""
        if self.epoch is None or self.epoch[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            weights = self.source.weights
            times = np.floor(weights + rng.random(len(weights))).astype(np.int64)
            order = rng.permutation(np.repeat(np.arange(len(weights)), times))
            reached = np.cumsum(self.source.sizes[order])
            wanted = POOL * self.batches * self.tokens
            count = max(1, int(reached[-1]) // wanted) if len(order) else 0
            cuts = np.searchsorted(reached, np.arange(1, count) * (reached[-1] / count)) if count else []
            self.epoch = (epoch, [pool for pool in np.split(order, cuts) if len(pool)])
        return self.epoch[1]

    def __getitem__(self, place: tuple[int, int]) -> list[list[Any]]:
        """The steps of one pool, each a list of this process's batches."""
        epoch, pool = place
        examples = []
        for turn, document in enumerate(self.pools(epoch)[pool]):
            examples += self.source.examples(int(document), random.Random(f"{self.seed}/{epoch}/{pool}/{turn}"))
        rng = np.random.default_rng([self.seed, epoch, pool])
        order = rng.permutation(len(examples))
        sizes = [self.source.size(examples[index]) for index in order]
        cut = groups(sizes, tokens=self.tokens, waste=math.inf, rows=len(sizes) or 1)
        cut = [cut[index] for index in rng.permutation(len(cut))]
        # What is too little for a step is left out; another epoch shuffles otherwise.
        steps = [range(start, start + self.batches) for start in range(0, len(cut) - self.batches + 1, self.batches)]
        return [
            [
                self.source.batch([examples[order[i]] for i in cut[index]], np.random.default_rng([self.seed, epoch, pool, index]))
                for index in step[self.rank :: self.world]
            ]
            for step in steps
        ]

    def once(self, epoch: int = 0) -> Iterator[Any]:
        """All batches of one epoch, for measuring."""
        for pool in range(len(self.pools(epoch))):
            for step in self[epoch, pool]:
                yield from step

    def steps(self, start: Position | None = None, *, workers: int = 0, pin_memory: bool = False) -> Iterator[tuple[list[Any], Position]]:
        """This process's batches of each step from `start` on, without end, and the position after it. `workers` prepare pools ahead."""
        start = start or Position()
        loader = DataLoader(
            self,
            batch_size=None,
            sampler=Places(self, start),
            num_workers=workers,
            pin_memory=pin_memory,
            prefetch_factor=1 if workers else None,
            generator=torch.Generator(),  # its own, or starting it would take from the chance that dropout draws on
        )
        places = iter(Places(self, start))
        skip, barren = start.step, 0
        for steps in loader:
            epoch, pool = next(places)
            barren = 0 if steps else barren + 1
            if barren > len(self.pools(epoch)):
                raise ValueError(f"the text is too short: a whole epoch does not give {self.batches} batches of {self.tokens} tokens")
            for index in range(skip, len(steps)):
                last = index == len(steps) - 1
                yield steps[index], Position(epoch=epoch, pool=pool + 1) if last else Position(epoch=epoch, pool=pool, step=index + 1)
            skip = 0


class Places:
    """The order in which pools are read, without end."""

    def __init__(self, stream: Stream, start: Position):
        self.stream, self.start = stream, start

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, pool = self.start.epoch, self.start.pool
        while True:
            for index in range(pool, len(self.stream.pools(epoch))):
                yield epoch, index
            epoch, pool = epoch + 1, 0
