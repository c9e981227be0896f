"""Sampling: words drawn by their probability, after the unlikely ones have been cut off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.decode.forced import forced
from models.decode.steps import Step, room, write
from models.tokens import Tokens
from models.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How to draw. `temperature` 0: always the most likely word; `top_k` 0: from all words; `top_p` 1: nothing is cut off."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 or more, got {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be 0 or more, got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")

    @property
    def width(self) -> int:
        """Words that can be drawn at most; 0: all."""
        return 1 if self.temperature == 0 else self.top_k


def sample(
    network: Transformer,
    tokens: Tokens,
    settings: Sequence[Sampling],
    *,
    max_new_tokens: int | Sequence[int],
    probabilities: bool = False,
    others: int = 0,
    stop_ids: Sequence[int] = (),
    page: Tokens | None = None,
    begun: Sequence[Sequence[int]] = (),
) -> Iterator[Step]:
    """Write each row on with words drawn as its `settings` say.

    What a row draws depends on its own seed alone, not on the rows beside it. Top-p is nucleus sampling (Holtzman et al. 2020).
    `stop_ids` end a row as the model's own end tokens do. `page` is one row of words that stands before each of the rows.
    `begun`: words that each row has to begin with; behind them it draws the same numbers as without.
    """
    if len(settings) != len(tokens.lengths):
        raise ValueError(f"{len(tokens.lengths)} rows need as many settings, got {len(settings)}")
    draw = Draw(settings, steps=max(room(network, tokens, max_new_tokens, page=page)), device=tokens.ids.device)
    choose = forced(draw, begun, device=tokens.ids.device) if begun else draw
    return write(
        network, tokens, choose, max_new_tokens=max_new_tokens, probabilities=probabilities, others=others, stop_ids=stop_ids, page=page
    )


class Draw:
    """Draws a word a line. All random numbers are drawn beforehand, on the host: a seed gives the same text on every device."""

    def __init__(self, settings: Sequence[Sampling], *, steps: int, device: torch.device):
        self.width = max(one.width for one in settings) if all(one.width for one in settings) else 0
        numbers = [torch.rand(steps, generator=torch.Generator().manual_seed(one.seed % 2**63)) for one in settings]
        self.numbers = torch.stack(numbers).to(device)
        self.temperature = torch.tensor([one.temperature or 1.0 for one in settings], device=device)[:, None]
        self.top_k = torch.tensor([one.width for one in settings], device=device)[:, None]
        self.top_p = torch.tensor([one.top_p for one in settings], device=device)[:, None]

    def __call__(self, logits: Tensor, rows: Tensor, step: int) -> Tensor:
        words, chances = candidates(
            logits, temperature=self.temperature[rows], top_k=self.top_k[rows], top_p=self.top_p[rows], width=self.width
        )
        sums = chances.cumsum(-1)
        place = torch.searchsorted(sums, self.numbers[rows, step][:, None] * sums[:, -1:], right=True)
        return words.gather(1, place.clamp(max=words.shape[1] - 1))[:, 0]


def candidates(logits: Tensor, *, temperature: Tensor, top_k: Tensor, top_p: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The words that can be drawn and their probabilities, best first; those cut off have probability 0. -> two of (N, K)

    logits (N, V); `temperature`, `top_k` and `top_p` (N, 1); `width`: the largest top_k, or 0 where a row draws from all words.
    """
    size = logits.shape[-1]
    scores, words = logits.topk(width) if 0 < width < size else logits.sort(descending=True)
    places = torch.arange(scores.shape[1], device=scores.device)
    scores = (scores / temperature).masked_fill(places >= top_k.masked_fill(top_k == 0, size), float("-inf"))
    chances = scores.softmax(-1)
    before = chances.cumsum(-1) - chances  # what is more likely than a word; the best word always stays
    chances = chances.masked_fill((before >= top_p) & (top_p < 1), 0.0)
    return words, chances / chances.sum(-1, keepdim=True)
