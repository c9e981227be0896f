"""Greedy decoding: always the most likely word."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from models.decode.forced import forced
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
    begun: Sequence[Sequence[int]] = (),
) -> Iterator[Step]:
    """Write each row on with its most likely next word, a step at a time.

    `tokens`: source texts of an encoder-decoder (`memory`: what its encoder made of them, where that is known), or left-padded beginnings
    of texts. `probabilities` adds that of each chosen word, `others` the so many most likely words of each place.
    `begun`: words that each row has to begin with; they count as written.
    """
    choose = forced(best, begun, device=tokens.ids.device) if begun else best
    return write(network, tokens, choose, max_new_tokens=max_new_tokens, probabilities=probabilities, others=others, memory=memory)


def best(logits: Tensor, rows: Tensor, step: int) -> Tensor:
    """The word with the highest score."""
    return logits.argmax(-1)
