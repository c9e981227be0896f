"""Adversarial training: learn each text also as it is hardest to read (Goodfellow et al. 2015; of word vectors: Miyato et al. 2017).

A text's word vectors are pushed, all together, a small way in the direction in which its loss rises fastest, and the answer should stay
the same. That smooths what is learnt from few sentences; it costs a second pass.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Adversary:
    """Pushes what `words`, the table of word vectors, gives by `share` of a mean word vector's length, measured over a whole text."""

    def __init__(self, words: nn.Embedding, share: float):
        self.words = words
        self.reach = share * float(words.weight.detach().float().norm(dim=1).mean()) if share else 0.0

    def backward(self, loss: Callable[[], Tensor]) -> Tensor:
        """Gradients of the mean of two losses: of a batch, and of the same batch pushed. -> the first, as it is without a push.

        `loss` runs the network on a batch. Where the table does not move, its vectors are asked for a gradient all the same.
        """
        if not self.reach:
            value = loss()
            value.backward()
            return value.detach()
        slopes: dict[int, Tensor] = {}
        with self.given(lambda call, vectors: watched(vectors, slopes, call)):
            value = loss()
            (value / 2).backward()
        pushes = {call: self.reach * unit(slope) for call, slope in slopes.items()}
        with self.given(lambda call, vectors: vectors + pushes[call] if call in pushes else vectors):
            (loss() / 2).backward()
        return value.detach()

    @contextmanager
    def given(self, change: Callable[[int, Tensor], Tensor]) -> Iterator[None]:
        """The vectors of the first, second, ... batch of words that is looked up inside become `change(0, ...)`, `change(1, ...)`, ..."""
        calls = itertools.count()
        hook = self.words.register_forward_hook(lambda module, given, vectors: change(next(calls), vectors))
        try:
            yield
        finally:
            hook.remove()


def watched(vectors: Tensor, slopes: dict[int, Tensor], call: int) -> Tensor:
    """The same vectors (B, S, C), whose gradient is noted in `slopes` when it comes."""
    vectors = vectors if vectors.requires_grad else vectors.detach().requires_grad_()
    vectors.register_hook(lambda slope: slopes.__setitem__(call, slope.detach()))
    return vectors


def unit(slope: Tensor) -> Tensor:
    """The direction of a gradient (B, S, C), of length 1 for each text; zero where nothing rises."""
    length = torch.linalg.vector_norm(slope, dim=(1, 2), keepdim=True)
    return slope / length.clamp(min=1e-12)
