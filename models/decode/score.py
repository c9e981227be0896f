"""How probable given continuations are: a decoder reads many at once after a beginning that it has read once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from models.decode.steps import Feed
from models.tokens import Tokens

POSITIONS = 128  # whose scores are in memory at once: 25 MB with a vocabulary of 50,000 words


@dataclass(frozen=True, kw_only=True)
class Line:
    """A continuation of the beginning number `row`; the first `word` of its `ids` are a word whose end is asked for (0: none is)."""

    row: int
    ids: tuple[int, ...]
    word: int


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Log probabilities in nats: of each id after what stands before it, and that the word ends where it does (0 where none was asked)."""

    ids: tuple[float, ...]
    end: float


@torch.inference_mode()
def score(feed: Feed, first: Tensor, lines: Sequence[Line], *, ends: Tensor) -> list[Scored]:
    """Score all lines in one pass. `first` (N, V) is what `feed.start()` gave; `ends` (V,) is True for what may follow a finished word.

    The beginnings are not read again: each line gets a copy of their keys and values.
    """
    device = first.device
    rows = torch.tensor([line.row for line in lines], device=device)
    feed.select(rows, sources=rows)
    # Nothing is asked about what would follow the last id, unless the word ends there.
    read = [line.ids if line.word == len(line.ids) else line.ids[:-1] for line in lines]
    lengths = tuple(map(len, read))
    ids = pad_sequence([torch.tensor(one) for one in read], batch_first=True).to(device)
    mask = (torch.arange(ids.shape[1])[None] < torch.tensor(lengths)[:, None]).to(device)
    follows = torch.tensor([word for line, seen in zip(lines, read) for word in (*line.ids[1:], 0)[: len(seen)]], device=device)
    closes = torch.tensor([place == line.word - 1 for line, seen in zip(lines, read) for place in range(len(seen))], device=device)
    hidden = feed.network.decode(Tokens(ids=ids, mask=mask, segments=torch.zeros_like(ids), lengths=lengths), cache=feed.cache)
    chances, over = [], []
    for part, wanted, close in zip(*(every.split(POSITIONS) for every in (hidden[mask], follows, closes))):  # (P, C), (P,), (P,)
        scores = feed.network.logits(part).float()
        total = scores.logsumexp(-1)
        chances.append(scores.gather(1, wanted[:, None])[:, 0] - total)
        over.append(((scores[close] - total[close, None]).exp() @ ends.float()).log())
    later = [part.tolist() for part in torch.cat(chances).split(lengths)]
    start = first.log_softmax(-1)[rows, torch.tensor([line.ids[0] for line in lines], device=device)].tolist()
    ended = iter(torch.cat(over).tolist())
    return [
        Scored(ids=(chance, *rest[: len(line.ids) - 1]), end=next(ended) if line.word else 0.0)
        for line, chance, rest in zip(lines, start, later, strict=True)
    ]


def score_on(feed: Feed, read: Sequence[int], lines: Sequence[Line]) -> list[tuple[float, ...]]:
    """Log probabilities of the ids that follow some of the lines of the last call, all of whose ids but the last the decoder has read.

    `lines[i].row` is the place of its beginning among those of the last call, `read[i]` the last id of that beginning.
    """
    device = feed.tokens.ids.device
    first = torch.zeros(1, feed.network.config.vocab_size, device=device).expand(max(line.row for line in lines) + 1, -1)  # not looked at
    onward = [replace(line, ids=(last, *line.ids)) for last, line in zip(read, lines, strict=True)]  # read in the same pass as what follows
    return [one.ids[1:] for one in score(feed, first, onward, ends=first[0])]
