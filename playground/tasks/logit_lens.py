"""What the model would say if it stopped after each layer: the logit lens (nostalgebraist 2020).

The head for words reads what leaves a layer as if it were the last; a model that normalises at its end does so here too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.model import Model
from models.trace import Trace
from playground.tasks import attend, guess
from playground.tasks.fill_mask import MOST_WORDS
from playground.tasks.refusals import some_count

NAME = "logit_lens"
NEEDS = attend.NAME


@dataclass(frozen=True, kw_only=True)
class Request:
    """`place` as in `predict`."""

    about: attend.Request
    place: int | None = None
    top_k: int = 5


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer's guess: `candidates`, best first, and what it gives to the word that the whole model puts first."""

    site: str  # "encoder.embeddings" before the first layer, then "encoder.0" and so on
    candidates: tuple[guess.Candidate, ...]
    final: float


@dataclass(frozen=True, kw_only=True)
class Result:
    words: tuple[str, ...]
    place: int
    covered: str
    layers: tuple[Layer, ...]

    @property
    def word(self) -> str:
        """What the whole model puts first."""
        return self.layers[-1].candidates[0].word


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where the model cannot answer it."""
    some_count(request.top_k, most=MOST_WORDS)
    return len(guess.source(model, request.about))


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests with one forward pass, and one of the head for each layer."""
    spots = [guess.find(model, request.about, request.place) for request in requests]
    trace = Trace({"hidden"})
    guess.states(model, spots, trace)
    name = "decoder" if model.network.decoder is not None else "encoder"
    stack = getattr(model.network, name)
    tokens = model.batch([spot.row for spot in spots])
    columns = model.extra.columns(tokens, torch.tensor([[spot.place] for spot in spots], device=tokens.ids.device))[:, 0]
    lines = torch.arange(len(spots), device=tokens.ids.device)
    sites = [site for site in trace.places("hidden") if site.startswith(name)]
    hidden = torch.stack([trace.get(site, "hidden")[lines, columns] for site in sites], dim=1)  # (N, layers, C)
    scores = guess.scores(model, hidden if stack.norm is None else stack.norm(hidden))
    best = scores[:, -1].argmax(-1).tolist()
    return [
        Result(
            words=spot.row.words,
            place=spot.place,
            covered=spot.covered,
            layers=tuple(
                Layer(site=site, candidates=guess.best(model, layer, request.top_k), final=float(layer[word].exp()))
                for site, layer in zip(sites, own)
            ),
        )
        for request, spot, own, word in zip(requests, spots, scores, best)
    ]
