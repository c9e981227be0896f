"""What greedy decoding, sampling and beam search share: a decoder is given one word a row and answers with the scores of the next.

Rows are the texts of a batch; lines are the rows that a decoder is still working on. A row that has ended stays in its line until enough
rows have ended to make it worth copying the rest together.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.cache import Cache
from models.tokens import Tokens
from models.transformer import Transformer

# Steps between two looks at which rows have ended. A look makes a GPU wait for the host, and costs nothing on a CPU.
LOOK = {"cpu": 1}
LOOK_ELSEWHERE = 8
DROP = 0.95  # lines are copied together where at most this share of them is still going

Choose = Callable[[Tensor, Tensor, int], Tensor]  # scores (N, V), rows (N,), steps so far -> words (N,)


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One more word for each line, on the model's device: nothing waits for the device until somebody looks.

    `rows[i]` is the row that `ids[i]` belongs to, or -1 where that row had ended before. On a GPU a few words may come after the end of a
    row; `collect` drops them. `probabilities` (N,) and `others` (words and probabilities, (N, K), best first) are those of the model's own
    distribution: temperature 1, nothing cut off.
    """

    rows: tuple[int, ...]
    ids: Tensor
    probabilities: Tensor | None = None
    others: tuple[Tensor, Tensor] | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """A finished row: its words without the end token, and whether the model ended it itself."""

    ids: tuple[int, ...]
    probabilities: tuple[float, ...] = ()
    ended: bool = False


class Feed:
    """A decoder with what it has read so far. `tokens`: source texts, or for a decoder without encoder left-padded beginnings of texts.

    `memory`: the encoder's output for the source texts, where it is known already. `page`: one row of words that stands before each of
    the beginnings, and is read but once.
    """

    def __init__(self, network: Transformer, tokens: Tokens, *, room: int = 64, memory: Tensor | None = None, page: Tokens | None = None):
        self.network = network
        self.tokens = tokens
        self.page = page
        self.sourced = network.encoder is not None
        self.cache = Cache(network.config, room=room if self.sourced else min(1024, room + tokens.ids.shape[1]))
        self.memory = memory
        self.memory_mask = None if tokens.full or not self.sourced else tokens.mask
        self.lines(tokens.ids.shape[0])

    def lines(self, count: int) -> None:
        """What is the same at every step of so many lines."""
        ids = self.tokens.ids
        self.real = torch.ones(count, 1, dtype=torch.bool, device=ids.device)
        self.segments = torch.zeros(count, 1, dtype=ids.dtype, device=ids.device)
        self.lengths = (1,) * count

    @torch.inference_mode()
    def start(self) -> Tensor:
        """Scores of the first new word. -> (N, V) float32"""
        if not self.sourced:
            if self.page is not None:
                self.network.decode(self.page, cache=self.cache)
                self.cache.select(self.tokens.ids.new_zeros(len(self.lengths)))
            hidden = self.network.decode(self.tokens, cache=self.cache)
            return self.network.logits(hidden[:, -1]).float()
        if self.memory is None:
            self.memory = self.network.encode(self.tokens)
        scores = self.step(self.tokens.ids.new_full((len(self.lengths),), self.network.config.start_id))
        self.memory = None  # from now on its keys and values are in the cache
        return scores

    @torch.inference_mode()
    def step(self, ids: Tensor) -> Tensor:
        """Read one word a line. ids (N,) -> scores of the next word, (N, V) float32"""
        tokens = Tokens(ids=ids[:, None], mask=self.real, segments=self.segments, lengths=self.lengths)
        hidden = self.network.decode(tokens, memory=self.memory, memory_mask=self.memory_mask, cache=self.cache)
        return self.network.logits(hidden[:, 0]).float()

    @torch.inference_mode()
    def select(self, lines: Tensor, *, sources: Tensor | None) -> None:
        """Go on with these lines, in this order, and these of the source texts; None: the same sources, each read by several lines."""
        self.cache.select(lines, sources=sources)
        if sources is not None and self.memory_mask is not None:
            self.memory_mask = self.memory_mask.index_select(0, sources)
        if len(lines) != len(self.lengths):
            self.lines(len(lines))


def room(network: Transformer, tokens: Tokens, max_new_tokens: int | Sequence[int], *, page: Tokens | None = None) -> list[int]:
    """How many words each row may get: those asked for that fit into the model. ValueError where none fits or none was asked for."""
    asked = [max_new_tokens] * len(tokens.lengths) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    if len(asked) != len(tokens.lengths) or min(asked) < 1:
        raise ValueError(f"max_new_tokens must be at least 1 for each of {len(tokens.lengths)} rows, got {max_new_tokens}")
    longest = network.config.max_positions
    if longest is None:
        return asked
    before = page.lengths[0] if page is not None else 0
    taken = [0] * len(asked) if network.encoder is not None else [before + length for length in tokens.lengths]
    if max(taken) >= longest:
        raise ValueError(f"a text of {max(taken)} tokens leaves no room in a model of {longest}")
    return [min(one, longest - length) for one, length in zip(asked, taken)]


@torch.inference_mode()
def speak(
    logits: Tensor, choose: Choose, *, rows: Tensor, step: int, never: Tensor | None, probabilities: bool, others: int
) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor] | None]:
    """Choose a word a line. logits (N, V), overwritten -> words (N,), and what `Step` has: probabilities and others, or None."""
    total = logits.logsumexp(-1, keepdim=True) if probabilities or others else None
    best = None
    if others:
        scores, words = logits.topk(min(others, logits.shape[-1]))
        best = words, (scores - total).exp()
    if never is not None:
        logits.index_fill_(1, never, float("-inf"))
    ids = choose(logits, rows, step)
    chances = (logits.gather(1, ids[:, None]) - total).exp()[:, 0] if probabilities else None
    return ids, chances, best


def write(
    network: Transformer,
    tokens: Tokens,
    choose: Choose,
    *,
    max_new_tokens: int | Sequence[int],
    probabilities: bool = False,
    others: int = 0,
    memory: Tensor | None = None,
    stop_ids: Sequence[int] = (),
    page: Tokens | None = None,
) -> Iterator[Step]:
    """Write all rows on, a word a step, until each has ended or got its `max_new_tokens`.

    `stop_ids` end a row as the model's own end tokens do. `page` is one row that stands before all others (decoders alone).
    """
    limits = room(network, tokens, max_new_tokens, page=page)
    config, device = network.config, tokens.ids.device
    ends = torch.tensor([*config.end_ids, *stop_ids], dtype=tokens.ids.dtype, device=device)
    never = torch.tensor(config.never_ids, device=device) if config.never_ids else None
    look = LOOK.get(device.type, LOOK_ELSEWHERE)

    feed = Feed(network, tokens, room=max(limits), memory=memory, page=page)
    going = list(range(len(limits)))  # the row of each line, -1 where it has ended
    rows = torch.arange(len(limits), device=device)
    ended = torch.zeros(len(limits), dtype=torch.bool, device=device)
    logits = feed.start()
    for step in range(max(limits)):
        ids, chances, best = speak(logits, choose, rows=rows, step=step, never=never, probabilities=probabilities, others=others)
        yield Step(rows=tuple(going), ids=ids, probabilities=chances, others=best)
        ended = ended | torch.isin(ids, ends)
        known = ended.tolist() if (step + 1) % look == 0 else [False] * len(going)
        going = [-1 if row < 0 or over or step + 1 >= limits[row] else row for row, over in zip(going, known)]
        left = [line for line, row in enumerate(going) if row >= 0]
        if not left:
            return
        if len(left) <= DROP * len(going):
            keep = torch.tensor(left, device=device)
            feed.select(keep, sources=keep)
            ids, rows, ended, going = ids[keep], rows[keep], ended[keep], [going[line] for line in left]
        logits = feed.step(ids)


def collect(steps: Iterable[Step], *, rows: int, end_ids: Sequence[int]) -> list[Written]:
    """Run to the end, and put the words of each row together."""
    ids: list[list[int]] = [[] for _ in range(rows)]
    chances: list[list[float]] = [[] for _ in range(rows)]
    ended = [False] * rows
    for step in list(steps):  # all steps first: their tensors stay on the device until the last is under way
        found = step.probabilities.tolist() if step.probabilities is not None else [None] * len(step.rows)
        for row, word, chance in zip(step.rows, step.ids.tolist(), found):
            if row < 0 or ended[row]:
                continue
            if word in end_ids:
                ended[row] = True
                continue
            ids[row].append(word)
            if chance is not None:
                chances[row].append(chance)
    return [Written(ids=tuple(a), probabilities=tuple(b), ended=c) for a, b, c in zip(ids, chances, ended)]
