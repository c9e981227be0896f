"""Texts whose first words are given: the model reads them as if it had written them itself, and goes on from there."""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.decode.steps import Choose

FREE = -1  # nothing is given at this place


def table(begun: Sequence[Sequence[int]], *, device: torch.device) -> Tensor:
    """The given words of each row, FREE behind them. -> (N, L) int64, L those of the row with most of them"""
    longest = max(map(len, begun), default=0)
    given = torch.full((len(begun), longest), FREE, dtype=torch.int64)
    for row, words in enumerate(begun):
        given[row, : len(words)] = torch.tensor(words, dtype=torch.int64)
    return given.to(device)


def forced(choose: Choose, begun: Sequence[Sequence[int]], *, device: torch.device) -> Choose:
    """`choose`, but each row begins with its words of `begun`. They get the probabilities that the model gives them."""
    given = table(begun, device=device)

    def first(logits: Tensor, rows: Tensor, step: int) -> Tensor:
        own = choose(logits, rows, step)
        if step >= given.shape[1]:
            return own
        words = given[rows, step]
        return torch.where(words == FREE, own, words)

    return first if given.shape[1] else choose


def only(logits: Tensor, words: Tensor) -> None:
    """Leave each line its given word alone, lines that are FREE everything. logits (N, V), overwritten; words (N,)"""
    places = words.clamp(min=0)[:, None]
    kept = logits.gather(1, places)
    logits.masked_fill_((words != FREE)[:, None], float("-inf"))
    logits.scatter_(1, places, kept)
