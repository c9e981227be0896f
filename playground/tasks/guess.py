"""Where a model's guess at a word is read off, whatever its kind; what the tasks share that watch one guess.

An encoder guesses the word behind a mask (a word that is asked for is covered with one for the purpose), a decoder the word that follows a
place, the decoder of a translator the next word of the translation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.errors import Problem
from models.model import Model
from models.tokens import Row
from models.trace import Trace
from playground.tasks import attend
from playground.tasks.fill_mask import MASK


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A word and its probability among all words of the vocabulary."""

    word: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A text with the place at which the guess is read off; `covered` is the word that stood there, where a mask was put over it."""

    source: Row
    target: Row | None  # of a translator
    place: int  # counts the words of `row`
    covered: str = ""
    covered_id: int | None = None

    @property
    def row(self) -> Row:
        """What the stack reads that guesses."""
        return self.source if self.target is None else self.target


def guesses(model: Model) -> bool:
    """Whether a model can guess words at all."""
    return not {"mlm", "lm"}.isdisjoint(model.network.heads)


def source(model: Model, about: attend.Request) -> Row:
    """What the first stack reads; Problem where the model has no head for words."""
    row = attend.source(model, about)
    if not guesses(model):
        raise Problem("cannot_guess", model=model.name)
    return row


def find(model: Model, about: attend.Request, place: int | None) -> Spot:
    """The spot that a request means; None is the first mask or else the last word of an encoder, the end for a decoder, the start of a
    translation. Problem no_such_place where there is nothing to guess."""
    row = source(model, about)
    target = attend.targets(model, [about], [row])[0] if model.config.architecture == "encoder_decoder" else None
    read = row if target is None else target
    if place is None:
        place = default(model, row) if target is None else 0
    if not 0 <= place < len(read) or ("mlm" in model.network.heads and read.special[place] and read.ids[place] != model.tokenizer.mask_id):
        raise Problem("no_such_place", place=place, last=len(read) - 1)
    if "mlm" not in model.network.heads or row.ids[place] == model.tokenizer.mask_id:
        return Spot(source=row, target=target, place=place)
    return Spot(source=covered(model, row, place), target=None, place=place, covered=row.words[place], covered_id=row.ids[place])


def default(model: Model, row: Row) -> int:
    """Where to look if nobody says."""
    if "mlm" not in model.network.heads:
        return len(row) - 1
    masks = [place for place, index in enumerate(row.ids) if index == model.tokenizer.mask_id]
    words = [place for place, word in enumerate(row.words) if not row.special[place] and any(map(str.isalpha, word))]
    others = [place for place in range(len(row)) if not row.special[place]]
    return (masks or words[-1:] or others)[0]


def covered(model: Model, row: Row, place: int) -> Row:
    """The row with a mask over one of its words."""
    ids, words = list(row.ids), list(row.words)
    ids[place], words[place] = model.tokenizer.mask_id, MASK
    return replace(row, ids=tuple(ids), words=tuple(words))


def states(model: Model, spots: Sequence[Spot], trace: Trace | None = None) -> Tensor:
    """What the last layer says at each spot, in one forward pass. -> (N, C)"""
    network, tokens = model.network, model.batch([spot.source for spot in spots])
    lines = torch.arange(len(spots), device=tokens.ids.device)
    places = torch.tensor([spot.place for spot in spots], device=tokens.ids.device)
    if network.decoder is None:
        return network.encode(tokens, trace=trace)[lines, places]
    given = {}
    if network.encoder is not None:
        given = {"memory": network.encode(tokens, trace=trace), "memory_mask": None if tokens.full else tokens.mask}
        tokens = model.batch([spot.target for spot in spots])
    hidden = network.decode(tokens, trace=trace, **given)
    return hidden[lines, model.extra.columns(tokens, places[:, None])[:, 0]]


def scores(model: Model, hidden: Tensor) -> Tensor:
    """Log probabilities of every word. (..., C) -> (..., V) float32"""
    head = model.network.heads["mlm" if "mlm" in model.network.heads else "lm"]
    return head(hidden).float().log_softmax(-1)


def best(model: Model, found: Tensor, count: int) -> tuple[Candidate, ...]:
    """The most likely words, best first. log probabilities (V,)"""
    chances, ids = found.topk(min(count, found.shape[-1]))
    words = [model.tokenizer.words([index])[0] for index in ids.tolist()]
    return tuple(Candidate(word=word, probability=chance) for word, chance in zip(words, chances.exp().tolist()))
