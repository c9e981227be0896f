"""What a model guesses at one place of a text: the word behind a mask, or the next word."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from models.model import Model
from playground.tasks import attend, guess
from playground.tasks.fill_mask import MOST_WORDS
from playground.tasks.refusals import some_count

NAME = "predict"
NEEDS = attend.NAME  # any model that attends may be asked; one without a head for words says so


@dataclass(frozen=True, kw_only=True)
class Request:
    """`place` counts the tokens of the text (of the translation for a translator); None: see `guess.find`. `words`: to be told as well."""

    about: attend.Request
    place: int | None = None
    top_k: int = 8
    words: tuple[int, ...] = ()  # ids of the vocabulary


@dataclass(frozen=True, kw_only=True)
class Result:
    """`candidates`, best first, then those that were asked for by id, in that order; `ids` are theirs."""

    words: tuple[str, ...]  # as the guessing stack reads them, the covered one as [MASK]
    place: int
    covered: str
    covered_id: int | None
    candidates: tuple[guess.Candidate, ...]
    asked: tuple[guess.Candidate, ...] = ()
    ids: tuple[int, ...] = field(default=(), repr=False)


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where the model cannot answer it."""
    some_count(request.top_k, most=MOST_WORDS)
    return len(guess.source(model, request.about))


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests with one forward pass."""
    spots = [guess.find(model, request.about, request.place) for request in requests]
    return [answer(model, *pair) for pair in zip(requests, spots, guess.scores(model, guess.states(model, spots)))]


def answer(model: Model, request: Request, spot: guess.Spot, scores: torch.Tensor) -> Result:
    """One guess in words. scores (V,)"""
    chances = scores[list(request.words)].exp().tolist() if request.words else []
    return Result(
        words=spot.row.words,
        place=spot.place,
        covered=spot.covered,
        covered_id=spot.covered_id,
        candidates=guess.best(model, scores, request.top_k),
        asked=tuple(
            guess.Candidate(word=model.tokenizer.words([index])[0], probability=chance) for index, chance in zip(request.words, chances)
        ),
        ids=tuple(scores.topk(request.top_k).indices.tolist()),
    )
