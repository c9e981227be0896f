"""Whether one sentence follows another."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.model import Model
from models.tokens import Row
from playground.tasks.refusals import able, some_text, some_words

NAME = "next_sentence"


@dataclass(frozen=True, kw_only=True)
class Request:
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Result:
    probability: float  # that `second` follows `first`
    words: tuple[str, ...]
    cut: int = 0


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where the model cannot answer it."""
    return len(read(model, request))


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests with one forward pass (Devlin et al. 2019, section 3.1, task 2)."""
    rows = [read(model, request) for request in requests]
    scores = model.network.heads["nsp"](model.network.encode(model.batch(rows)))
    follows = scores.float().softmax(-1)[:, 0].tolist()
    return [Result(probability=probability, words=row.words, cut=row.cut) for probability, row in zip(follows, rows)]


def read(model: Model, request: Request) -> Row:
    """The pair as the model reads it."""
    able(model, NAME)
    some_text(request.first, request.second)
    for text in (request.first, request.second):
        some_words(model.tokenizer.encode(text, limit=model.limit))
    return model.tokenizer.encode(request.first, request.second, limit=model.limit)
