"""Which head matters for one guess: each is silent once, all in one batch (Michel, Levy & Neubig 2019, section 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from models.ablation import ablated_heads, attentions
from models.errors import Problem
from models.model import Model
from playground.tasks import attend, guess
from playground.tasks.whatif import silenced

NAME = "which_head"
NEEDS = attend.NAME
BATCH = 4096  # positions of one forward pass
MOST = 12_000  # positions of one question: about two seconds of a small model on two cores


@dataclass(frozen=True, kw_only=True)
class Request:
    """`sites`: whose heads are tried; (): those of all layers."""

    about: attend.Request
    place: int | None = None
    sites: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """`changes` (sites, H): what silence of each head does to the probability of `word`, the best guess. Below 0: the head helped."""

    sites: tuple[str, ...]
    words: tuple[str, ...]
    place: int
    covered: str
    word: str
    probability: float
    changes: np.ndarray = field(hash=False)


def size(model: Model, request: Request) -> int:
    """Positions that are computed; Problem where the model cannot answer it, or that would take too long."""
    sites = chosen(model, request)
    if unknown := set(sites) - set(attentions(model.config)):
        raise Problem("no_such_part", parts=sorted(unknown), model=model.name)
    positions = len(sites) * model.config.n_heads * len(guess.source(model, request.about))
    if positions > MOST and len(sites) > 1:
        raise Problem("too_many_heads", positions=positions, most=MOST)
    return positions


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer one request after the other: each is a batch by itself."""
    return [answer(model, request) for request in requests]


def answer(model: Model, request: Request) -> Result:
    """One text, as often as there are heads to silence."""
    sites, spot = chosen(model, request), guess.find(model, request.about, request.place)
    scores = guess.scores(model, guess.states(model, [spot]))[0]
    word, probability = int(scores.argmax()), float(scores.max().exp())
    ablations, chances = ablated_heads(model.config, sites), []
    rows = max(1, BATCH // (len(spot.source) + (len(spot.target) if spot.target else 0)))
    for start in range(0, len(ablations), rows):
        some = ablations[start : start + rows]
        states = guess.states(silenced(model, *some), [spot] * len(some))
        chances += guess.scores(model, states)[:, word].exp().tolist()
    return Result(
        sites=sites,
        words=spot.row.words,
        place=spot.place,
        covered=spot.covered,
        word=model.tokenizer.words([word])[0],
        probability=probability,
        changes=(np.array(chances, dtype=np.float32) - np.float32(probability)).reshape(len(sites), -1),
    )


def chosen(model: Model, request: Request) -> tuple[str, ...]:
    """The sites of a request."""
    return request.sites or attentions(model.config)
