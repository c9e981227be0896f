"""Beam search: several beginnings of each text go on side by side, and the best whole texts win."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.config import ModelConfig
from models.decode.forced import only, table
from models.decode.steps import LOOK, LOOK_ELSEWHERE, Feed, room
from models.tokens import Tokens
from models.transformer import Transformer

NEVER = -1.0e9  # a score that no text has


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A whole text: its words without the end token, the probability of each when it was chosen, whether the model ended the text itself.

    `score`: log probability / (words, end token included) ** length_penalty.
    """

    ids: tuple[int, ...]
    probabilities: tuple[float, ...]
    score: float
    ended: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class BeamStep:
    """How the beginnings of each row went on, best first, on the model's device.

    `rows[i]` is the row of line i. `ids` (N, W): the new word of each of W beginnings; `parents` (N, W): which beginning of the step before
    it goes on from; `scores` (N, W): its log probability so far. On a GPU a row may go on for a few steps after it is decided.
    """

    rows: tuple[int, ...]
    ids: Tensor
    parents: Tensor
    scores: Tensor


def beam(
    network: Transformer,
    tokens: Tokens,
    *,
    beams: int,
    max_new_tokens: int,
    length_penalty: float = 1.0,
    memory: Tensor | None = None,
    begun: Sequence[Sequence[int]] = (),
) -> Generator[BeamStep, None, list[list[Hypothesis]]]:
    """Search each row with `beams` beginnings, a step at a time; returns the `beams` best texts of each row, best first.

    A row is decided when all its whole texts score better than its best beginning does now (early_stopping=False of transformers).
    `tokens`, `memory` and `begun` as for greedy decoding; `search` runs this to the end.
    """
    if beams < 1:
        raise ValueError(f"beams must be at least 1, got {beams}")
    device = tokens.ids.device
    look = LOOK.get(device.type, LOOK_ELSEWHERE)
    longest = min(room(network, tokens, max_new_tokens))
    rows = list(range(len(tokens.lengths)))
    found: list[list[Hypothesis]] = [[] for _ in rows]
    feed = Feed(network, tokens, room=longest, memory=memory)
    board = Board(network.config, len(rows), beams=beams, longest=longest, length_penalty=length_penalty, device=device)
    board.begun = table(begun, device=device) if begun else None
    logits = feed.start()
    for step in range(longest):
        ids, parents, lines = board.step(logits, step)
        yield BeamStep(rows=tuple(rows), ids=ids, parents=parents, scores=board.scores)
        sources = None
        if step + 1 == longest or (step + 1) % look == 0:
            going = [False] * len(rows) if step + 1 == longest else board.open.tolist()
            decided = [line for line, on in enumerate(going) if not on]
            for line, texts in zip(decided, board.texts(decided)):
                found[rows[line]] = texts
            if len(decided) == len(rows):
                return found
            if decided:
                left = [line for line, on in enumerate(going) if on]
                rows = [rows[line] for line in left]
                sources = torch.tensor(left, device=device)
                board.select(sources)
                ids, lines = ids[sources], lines[sources]
        feed.select(lines.flatten(), sources=sources)
        logits = feed.step(ids.flatten())
    return found


def search(network: Transformer, tokens: Tokens, **settings: Any) -> list[list[Hypothesis]]:
    """`beam` from the beginning to the end."""
    steps = beam(network, tokens, **settings)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


class Board:
    """The beginnings of each row (N, W), and the best whole texts found so far."""

    def __init__(self, config: ModelConfig, rows: int, *, beams: int, longest: int, length_penalty: float, device: torch.device):
        self.beams, self.longest, self.length_penalty = beams, longest, length_penalty
        self.end_ids = config.end_ids
        self.ends = torch.tensor(config.end_ids, dtype=torch.int64, device=device)
        self.never = torch.tensor(config.never_ids, dtype=torch.int64, device=device)
        self.keep = max(2, 1 + len(config.end_ids)) * beams  # so many, that enough go on even if the best all end
        self.ids = torch.zeros(rows, beams, longest, dtype=torch.int64, device=device)
        self.logs = torch.zeros(rows, beams, longest, device=device)  # log probability of each word
        self.scores = torch.full((rows, beams), NEVER, device=device)
        self.scores[:, 0] = 0.0  # all beginnings are the same at first: only one of them counts
        self.whole, self.whole_logs = torch.zeros_like(self.ids), torch.zeros_like(self.logs)
        self.lengths = torch.zeros_like(self.ids[:, :, 0])  # of the whole texts; 0 where there is none yet
        self.marks = torch.full_like(self.scores, NEVER)
        self.open = torch.ones(rows, dtype=torch.bool, device=device)
        self.begun: Tensor | None = None  # (N, L): the words that each row has to begin with

    @torch.inference_mode()
    def step(self, logits: Tensor, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Take the scores of the next words, (N, V) at first and then (N * W, V), overwritten.

        -> new words (N, W), the beginnings that they continue (N, W), and the lines of `logits` that those stood in (N, W).
        """
        rows, width, size = self.scores.shape[0], logits.shape[0] // self.scores.shape[0], logits.shape[1]
        total = logits.logsumexp(-1, keepdim=True)
        logits.index_fill_(1, self.never, float("-inf"))
        if self.begun is not None and step < self.begun.shape[1]:
            only(logits, self.begun[:, step].repeat_interleave(width))
        # The best of all beginnings together are among the best of each.
        scores, words = logits.topk(min(self.keep, size))
        own = (scores - total).view(rows, width, -1)
        scores = own + self.scores[:, :, None]
        own, words = own.expand_as(scores).flatten(1), words.view(rows, width, -1).expand_as(scores).flatten(1)
        top, place = scores.flatten(1).topk(self.keep)
        parents, words = place // scores.shape[2], words.gather(1, place)
        texts, logs = pick(self.ids, parents), pick(self.logs, parents)
        texts[:, :, step], logs[:, :, step] = words, own.gather(1, place)
        ended = torch.isin(words, self.ends)
        self.finish(texts, logs, top, ended if step + 1 < self.longest else torch.ones_like(ended), step)
        self.scores, best = (top + ended * NEVER).topk(self.beams)
        self.ids, self.logs = pick(texts, best), pick(logs, best)
        hope = self.scores[:, 0] / (step + 1) ** self.length_penalty
        worst = torch.where(self.lengths > 0, self.marks.amin(1, keepdim=True), NEVER)
        self.open = self.open & (hope[:, None] > worst).any(1)

        parents = parents.gather(1, best)
        lines = torch.arange(rows, device=logits.device)[:, None] * width + (parents if width > 1 else 0)
        return words.gather(1, best), parents, lines.expand(-1, self.beams)

    def finish(self, texts: Tensor, logs: Tensor, top: Tensor, ended: Tensor, step: int) -> None:
        """Keep the best whole texts; one counts where it ended among the W best, and as long as its row is not decided."""
        counts = ended & self.open[:, None]
        counts[:, self.beams :] = False
        marks = (top / (step + 1) ** self.length_penalty).masked_fill(~counts, NEVER)
        self.marks, best = torch.cat([self.marks, marks], dim=1).topk(self.beams)
        lengths = torch.cat([self.lengths, counts * (step + 1)], dim=1)
        self.lengths = lengths.gather(1, best)
        self.whole = pick(torch.cat([self.whole, texts], dim=1), best)
        self.whole_logs = pick(torch.cat([self.whole_logs, logs], dim=1), best)

    @torch.inference_mode()
    def select(self, rows: Tensor) -> None:
        """Keep these rows."""
        for name in ("ids", "logs", "scores", "whole", "whole_logs", "lengths", "marks", "open"):
            setattr(self, name, getattr(self, name).index_select(0, rows))
        if self.begun is not None:
            self.begun = self.begun.index_select(0, rows)

    def texts(self, lines: Sequence[int]) -> list[list[Hypothesis]]:
        """The whole texts of these lines, best first."""
        index = torch.tensor(lines, dtype=torch.int64, device=self.open.device)
        columns = (self.whole, self.whole_logs.exp(), self.lengths, self.marks)
        rows = zip(*(column.index_select(0, index).tolist() for column in columns))
        return [[self.text(*place) for place in zip(*row) if place[2]] for row in rows]

    def text(self, ids: list[int], chances: list[float], length: int, mark: float) -> Hypothesis:
        """One whole text."""
        ended = ids[length - 1] in self.end_ids
        length -= ended
        return Hypothesis(ids=tuple(ids[:length]), probabilities=tuple(chances[:length]), score=mark, ended=ended)


def pick(texts: Tensor, places: Tensor) -> Tensor:
    """The texts at these places of each row. texts (N, X, L), places (N, Y) -> (N, Y, L)"""
    return texts.gather(1, places[:, :, None].expand(-1, -1, texts.shape[2]))
