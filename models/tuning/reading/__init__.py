"""How the answer is read off the model: through label words, through a small new layer, or word by word as a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.model import Model
from models.tokens import Row, Tokens
from models.tuning.task import Example
from models.tuning.tuned import Tuned


@dataclass(frozen=True, kw_only=True)
class Item:
    """An example made ready once: the row to read, the column where the answer is read, and the answer as the model has it."""

    row: Row
    column: int
    answer: Any
    size: int  # tokens of the text alone, the same for every reading
    chances: tuple[float, ...] = ()  # of each label, where a teacher told them


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """What the network says of some items: an answer each, how likely it holds each label (B, L), and how many questions were right."""

    answers: tuple[Any, ...]
    chances: Tensor | None
    right: int
    asked: int


class Reading(Protocol):
    """Made for a model and a task; `network` is the tuned one."""

    name: str
    trainable: dict[str, nn.Parameter]  # what the reading itself has to learn
    words: tuple[int, ...] | None  # whose scores it reads in the output matrix; None: all

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """Examples as the model reads them. Where the answer is "", it is not known."""
        ...

    def loss(self, network: Tuned, items: Sequence[Item]) -> Tensor:
        """The mean loss, in nats, with a gradient."""
        ...

    def guess(self, network: Tuned, items: Sequence[Item]) -> Guesses:
        """The network's own answers."""
        ...


def size(model: Model, text: str, *, limit: int) -> int:
    """Tokens of a text alone, by which batches are made, so that they are the same whatever stands around it."""
    return len(model.tokenizer.encode(text, special=False, limit=limit))


def hidden(network: Tuned, tokens: Tokens, column: Tensor) -> Tensor:
    """What the network has of the word at one column of each row: of an encoder in its place, of a decoder before it is read. -> (B, C)"""
    only = column[:, None]
    if network.encoder is not None:
        return network.encode(tokens, only=only)[:, 0]
    return network.decode(tokens, only=network.before(tokens, only))[:, 0]


def pooled(network: Tuned, tokens: Tokens) -> Tensor:
    """The mean of what the network has of each word of a row (Reimers & Gurevych 2019, section 3). -> (B, C)"""
    if network.encoder is not None:
        found = network.encode(tokens)
    else:
        after = torch.arange(1, tokens.ids.shape[1] + 1, device=tokens.ids.device).expand(tokens.ids.shape)
        found = network.decode(tokens, only=network.before(tokens, after))
    return (found * tokens.mask[..., None]).sum(1) / tokens.mask.sum(1, keepdim=True)


def label_loss(scores: Tensor, items: Sequence[Item]) -> Tensor:
    """The mean cross-entropy of scores (B, L) with the answers, or with a teacher's chances (Hinton et al. 2015, at a temperature of 1)."""
    answers = torch.tensor([item.answer for item in items], device=scores.device)
    if not any(item.chances for item in items):
        return F.cross_entropy(scores.float(), answers)
    plain = F.one_hot(answers, scores.shape[-1]).tolist()
    wanted = torch.tensor([item.chances or row for item, row in zip(items, plain)], device=scores.device, dtype=torch.float32)
    return F.cross_entropy(scores.float(), wanted)


def labelled(scores: Tensor, items: Sequence[Item], labels: Sequence[str]) -> Guesses:
    """Guesses from the scores of labels (B, L)."""
    best = scores.argmax(-1)
    wanted = torch.tensor([item.answer for item in items], device=best.device)
    return Guesses(
        answers=tuple(labels[index] for index in best.tolist()),
        chances=scores.float().softmax(-1).cpu(),
        right=int((best == wanted).sum()),
        asked=len(items),
    )
