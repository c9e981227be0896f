"""How one attention weight comes about: every number between two words and what the first takes from the second.

Scaled dot-product attention is Vaswani et al. 2017, section 3.2.1, equation 1; many heads, put side by side and projected, section 3.2.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from models.errors import Problem
from models.model import Model
from models.tokens import Row
from models.trace import Trace
from playground.tasks import attend
from playground.tasks.refusals import able

NAME = "weigh"
NEEDS = attend.NAME
KINDS = ("query", "key", "value", "scores", "weights", "head_output")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One cell of the map that `question` gives: `site` and `head` say which map, `query` and `key` which row and column."""

    question: attend.Request
    site: str
    head: int
    query: int
    key: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """The numbers of one weight, in the order in which they are computed. D head width, K keys, H heads; all float32.

    `before` (K,) are the scores q k_j / sqrt(D) of the whole row, `scores` those that the mask leaves: -inf where the query cannot look.
    The softmax is computed as exp(score - `highest`), which changes no weight and never overflows. `parts` (H,): how long the vector is
    that each head adds to the word, after the output projection; `update`: the length of their sum with the projection's bias.
    """

    site: str
    head: int
    query: int
    key: int
    words_query: tuple[str, ...] = field(hash=False)
    words_key: tuple[str, ...] = field(hash=False)
    key_head: int  # the head of keys and values that this head reads: several heads of queries may share one
    q: np.ndarray = field(hash=False)  # (D,)
    k: np.ndarray = field(hash=False)  # (D,)
    before: np.ndarray = field(hash=False)  # (K,)
    scores: np.ndarray = field(hash=False)  # (K,)
    weights: np.ndarray = field(hash=False)  # (K,)
    v: np.ndarray = field(hash=False)  # (D,)
    output: np.ndarray = field(hash=False)  # (D,), the sum of weight * v over all keys
    parts: np.ndarray = field(hash=False)  # (H,)
    update: float
    bias: float  # the length of the projection's bias; 0 where it has none

    @property
    def products(self) -> np.ndarray:
        """q_i k_i. (D,)"""
        return self.q * self.k

    @property
    def total(self) -> float:
        """The dot product, sum_i q_i k_i."""
        return float(self.products.sum())

    @property
    def hidden(self) -> bool:
        """Whether the mask hides this key from the query."""
        return bool(np.isneginf(self.scores[self.key]))

    @property
    def highest(self) -> float:
        """The largest score of the row."""
        return float(self.scores.max())

    @property
    def exps(self) -> np.ndarray:
        """exp(score - highest). (K,)"""
        return np.exp(self.scores - self.scores.max())

    @property
    def denominator(self) -> float:
        """The sum of `exps`."""
        return float(self.exps.sum())

    @property
    def weight(self) -> float:
        """What the model multiplied v with."""
        return float(self.weights[self.key])

    @property
    def weighted(self) -> np.ndarray:
        """weight * v: what the query takes from this key. (D,)"""
        return self.weights[self.key] * self.v

    @property
    def others(self) -> np.ndarray:
        """What it takes from all other keys. (D,)"""
        return self.output - self.weighted


def size(model: Model, request: Request) -> int:
    """Tokens of the question; Problem where there is no such site or head."""
    able(model, NEEDS)
    projection(model, request.site)
    if not 0 <= request.head < model.config.n_heads:
        raise Problem("unknown_head", head=request.head, site=request.site, last=model.config.n_heads - 1)
    return attend.size(model, request.question)


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests with one forward pass, which is looked into only at the sites that are asked about."""
    for request in requests:
        size(model, request)
    trace = Trace(KINDS, sites={request.site for request in requests})
    stacks = attend.read(model, [request.question for request in requests], trace)
    rows = [{stack: model.extra.asking(stack, own[index]) for stack, own in stacks.items()} for index in range(len(requests))]
    return [weighed(model, request, index, rows[index], trace) for index, request in enumerate(requests)]


def weighed(model: Model, request: Request, index: int, rows: dict[str, Row], trace: Trace) -> Result:
    """The numbers of one request, which is the row `index` of the batch that was traced."""
    site, head, query, key = request.site, request.head, request.query, request.key
    words_query, words_key = attend.words_at(site, {stack: row.words for stack, row in rows.items()}, model.extra.before(site))
    check(query, words_query)
    check(key, words_key)
    seen = {kind: trace.get(site, kind)[index] for kind in KINDS}
    key_head = head * seen["key"].shape[0] // model.config.n_heads
    keys = slice(0, len(words_key))  # what comes after them is padding
    q, all_k = seen["query"][head, query], seen["key"][key_head, keys]
    scores = numbers(seen["scores"][head, query, keys])
    parts, update, bias = projected(projection(model, site), seen["head_output"][:, query])
    return Result(
        site=site,
        head=head,
        query=query,
        key=key,
        words_query=words_query,
        words_key=words_key,
        key_head=key_head,
        q=numbers(q),
        k=numbers(all_k[key]),
        before=np.where(np.isneginf(scores), numbers(all_k.float() @ q.float() / q.shape[-1] ** 0.5), scores),
        scores=scores,
        weights=numbers(seen["weights"][head, query, keys]),
        v=numbers(seen["value"][key_head, key]),
        output=numbers(seen["head_output"][head, query]),
        parts=numbers(parts.norm(dim=-1)),
        update=float(update.norm()),
        bias=float(bias.norm()),
    )


def projection(model: Model, site: str) -> nn.Module:
    """The output projection of the attention at `site`; Problem unknown_site, with those there are."""
    found = {
        f"{stack}.{number}.{kind}": getattr(layer, f"{kind}_attention").out
        for stack in ("encoder", "decoder")
        for number, layer in enumerate(getattr(getattr(model.network, stack), "layers", ()))
        for kind in ("self", "cross")
        if getattr(layer, f"{kind}_attention", None) is not None
    }
    if site not in found:
        raise Problem("unknown_site", site=site, sites=", ".join(found))
    return found[site]


def projected(out: nn.Module, heads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What each head adds, what they add together, and the bias in it. (H, D) -> (H, C), (C,), (C,)

    Concat(head_1 ... head_H) W = sum_h head_h W_h, where W_h are the rows of W that meet head h: so a head is projected alone by putting
    zeros in the place of all others, whatever kind of matrix it is.
    """
    alone = torch.block_diag(*heads)  # (H, H * D)
    answers = out(torch.cat([alone, heads.reshape(1, -1), torch.zeros_like(alone[:1])])).float()
    return answers[:-2] - answers[-1], answers[-2], answers[-1]


def check(place: int, words: Sequence[str]) -> None:
    """Problem unknown_word where there is no word at `place`."""
    if not 0 <= place < len(words):
        raise Problem("unknown_word", place=place, last=len(words) - 1)


def numbers(values: Tensor) -> np.ndarray:
    """A float32 copy on this side."""
    return values.float().cpu().numpy().copy()
