"""The distribution of one next token, and what temperature, top-k and top-p make of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from models.decode.sample import candidates
from models.decode.steps import Feed
from models.errors import Problem
from models.model import Model
from models.tokens import Row
from playground.tasks import generate
from playground.tasks.refusals import some_count

NAME = "next_token"
NEEDS = generate.NAME
MOST_WORDS = 50
MOST_TEMPERATURES = 8


@dataclass(frozen=True, kw_only=True)
class Request:
    """What comes after `prompt` and the tokens `begun`, at each of the `temperatures`, cut by `top_k` (0: not) and `top_p` (1: not)."""

    prompt: str
    begun: tuple[int, ...] = ()
    chat: bool = True
    temperatures: tuple[float, ...] = (0.2, 0.7, 1.0, 1.5)
    top_k: int = 0
    top_p: float = 1.0
    count: int = 10  # of the likeliest tokens


@dataclass(frozen=True, kw_only=True)
class Result:
    """A row for each temperature T, a column for each of the likeliest tokens.

    `chances` (T, K): softmax(logits / temperature) among all tokens of the vocabulary; `drawn` (T, K): the same after the cut, 0 for a
    token that cannot be drawn; `kept` (T,): how many tokens of the whole vocabulary can be drawn.
    """

    words: tuple[str, ...]
    temperatures: tuple[float, ...]
    chances: np.ndarray = field(hash=False)
    drawn: np.ndarray = field(hash=False)
    kept: tuple[int, ...]


def size(model: Model, request: Request) -> int:
    """Tokens that are read; Problem where the model cannot answer."""
    return len(read(model, request))


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests with one forward pass."""
    rows = [read(model, request) for request in requests]
    logits = Feed(model.network, model.batch(rows, side="left"), room=1).start()
    if model.config.never_ids:
        logits[:, list(model.config.never_ids)] = float("-inf")
    return [warmed(model, request, scores) for request, scores in zip(requests, logits)]


def warmed(model: Model, request: Request, logits: torch.Tensor) -> Result:
    """One distribution at every temperature. logits (V,)"""
    count = min(request.count, len(logits))
    best = logits.topk(count).indices
    warm = torch.tensor(request.temperatures, device=logits.device)[:, None]  # (T, 1)
    lines = logits.expand(len(warm), -1)
    found, chances = candidates(
        lines, temperature=warm, top_k=torch.full_like(warm, request.top_k, dtype=torch.int64), top_p=torch.full_like(warm, request.top_p),
        width=request.top_k,
    )  # fmt: skip
    drawn = torch.zeros_like(lines).scatter(1, found, chances)
    before = request.begun[-generate.NEAR :]
    return Result(
        words=tuple(model.tokenizer.words([*before, index])[-1] for index in best.tolist()),
        temperatures=request.temperatures,
        chances=(lines / warm).softmax(-1)[:, best].cpu().numpy().copy(),
        drawn=drawn[:, best].cpu().numpy().copy(),
        kept=tuple((chances > 0).sum(-1).tolist()),
    )


def read(model: Model, request: Request) -> Row:
    """Prompt and answer so far, as generation reads them; Problem for what it cannot read."""
    some_count(request.count, most=MOST_WORDS)
    warm = request.temperatures
    if not 1 <= len(warm) <= MOST_TEMPERATURES or not all(0 < one < float("inf") for one in warm):
        raise Problem("bad_temperatures", temperatures=list(warm), most=MOST_TEMPERATURES)
    asked = generate.Request(
        prompt=request.prompt, chat=request.chat, top_k=request.top_k, top_p=request.top_p, max_new_tokens=max(1, len(request.begun))
    )
    row, added = generate.read(model, asked), len(request.begun)
    return replace(
        row,
        ids=row.ids + request.begun,
        words=row.words + model.tokenizer.words(request.begun),
        segments=row.segments + (0,) * added,
        special=row.special + (False,) * added,
        spans=row.spans + (None,) * added,
    )
