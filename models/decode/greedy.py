"""Greedy decoding: always the most likely word."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from models.decode.steps import Step, write
from models.tokens import Tokens
from models.transformer import Transformer


def greedy(
    network: Transformer,
    tokens: Tokens,
    *,
    max_new_tokens: int | Sequence[int],
    probabilities: bool = False,
    others: int = 0,
    memory: Tensor | None = None,
) -> Iterator[Step]:
    """Write each row on with its most likely next word, a step at a time.

    `tokens`: source texts of an encoder-decoder (`memory`: what its encoder made of them, where that is known), or left-padded beginnings
    of texts. `probabilities` adds that of each chosen word, `others` the so many most likely words of each place.
    """
    return write(network, tokens, best, max_new_tokens=max_new_tokens, probabilities=probabilities, others=others, memory=memory)


def best(logits: Tensor, rows: Tensor, step: int) -> Tensor:
    """The word with the highest score."""
    return logits.argmax(-1)
