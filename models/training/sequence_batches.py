"""Batches of sentence pairs: what the encoder reads, what the decoder reads, and the words that it should say."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.tokens import Tokens
from models.training.pair_batches import WIDTH
from models.training.parallel import Parallel


class Example(NamedTuple):
    """One pair as ids, each side with its end token."""

    source: np.ndarray
    target: np.ndarray


@dataclass(frozen=True, kw_only=True)
class SequenceBatch:
    """`source` goes into the encoder, `read` into the decoder: the targets one step late. `places` (N,) are the real ones in the flattened
    targets, and `words` (N,) what has to be said there."""

    source: Tokens
    read: Tokens
    places: Tensor
    words: Tensor
    counts: dict[str, int]
    notes: dict[str, int]

    def to(self, device: torch.device) -> "SequenceBatch":
        move = {name: getattr(self, name).to(device, non_blocking=True) for name in ("places", "words")}
        return replace(self, source=self.source.to(device), read=self.read.to(device), **move)

    def pin_memory(self) -> "SequenceBatch":
        """In memory from which a GPU can fetch by itself; the loader calls it."""

        def pinned(tokens: Tokens) -> Tokens:
            return replace(tokens, **{name: getattr(tokens, name).pin_memory() for name in ("ids", "mask", "segments")})

        tensors = {name: getattr(self, name).pin_memory() for name in ("places", "words")}
        return replace(self, source=pinned(self.source), read=pinned(self.read), **tensors)


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceSource:
    """Makes batches of tokenised pairs; what `Stream` asks. A budget of tokens holds for each side of a batch, padding included."""

    pairs: Parallel
    start_id: int  # what a decoder reads before the first word
    pad_id: int

    @cached_property
    def sizes(self) -> np.ndarray:
        return np.maximum(np.diff(self.pairs.source[1]), np.diff(self.pairs.target[1]))

    @property
    def weights(self) -> np.ndarray:
        return self.pairs.weights

    def examples(self, document: int, rng: random.Random) -> list[Example]:
        """A pair is one example, whole."""
        return [Example(*self.pairs.pair(document))]

    def size(self, example: Example) -> int:
        """Tokens of the longer side."""
        return max(len(example.source), len(example.target))

    def batch(self, found: Sequence[Example], rng: np.random.Generator) -> SequenceBatch:
        """Pairs side by side, padded on the right."""
        source, real_source = padded([example.source for example in found], self.pad_id)
        target, real = padded([example.target for example in found], self.pad_id)
        read = np.concatenate([np.full((len(found), 1), self.start_id), target[:, :-1]], axis=1)
        lengths = [len(example.source) for example in found]
        words = int(real.sum())
        return SequenceBatch(
            source=tokens(source, real_source, lengths),
            # No place sees a later one, and padding comes last: a decoder need not know which places are padding.
            read=tokens(read, np.ones_like(real), [read.shape[1]] * len(found)),
            places=torch.from_numpy(np.flatnonzero(real)),
            words=torch.from_numpy(target[real]),
            counts={"words": words, "tokens": words + sum(lengths), "examples": len(found)},
            notes={},
        )


def padded(rows: Sequence[np.ndarray], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows as one table (B, S), and where it is real."""
    lengths = np.array([len(row) for row in rows])
    real = np.arange(-(-lengths.max() // WIDTH) * WIDTH) < lengths[:, None]
    ids = np.full(real.shape, pad_id, dtype=np.int64)
    ids[real] = np.concatenate(rows)
    return ids, real


def tokens(ids: np.ndarray, mask: np.ndarray, lengths: Sequence[int]) -> Tokens:
    return Tokens(
        ids=torch.from_numpy(ids), mask=torch.from_numpy(mask), segments=torch.zeros(ids.shape, dtype=torch.int64), lengths=tuple(lengths)
    )
