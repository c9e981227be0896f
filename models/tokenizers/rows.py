"""How special tokens stand around a text, and what is cut where it is too long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.tokens import Row

Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Content:
    """The tokens of one text without those of the model; `unread` estimates the tokens of the part that was not even looked at."""

    ids: tuple[int, ...]
    spans: tuple[Span | None, ...]
    unread: int = 0

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One place of a frame: a special token, or the text number `text`."""

    segment: int = 0
    token: int | None = None
    text: int | None = None


Frame = tuple[Slot, ...]
BARE: Frame = (Slot(text=0),)
BARE_PAIR: Frame = (Slot(text=0), Slot(text=1, segment=1))


def fit(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of two texts may stay where `room` are free: the longer text is cut first (as in `transformers`)."""
    if first + second <= room:
        return first, second
    short, long = sorted((first, second))
    long = max(short, room - short) if short <= room else short
    if short + long > room:
        short, long = room // 2, room - room // 2
    return (short, long) if first <= second else (long, short)


def assemble(frame: Frame, texts: Sequence[Content], *, limit: int | None, words: Callable[[Sequence[int]], tuple[str, ...]]) -> Row:
    """Texts with their special tokens around them, at most `limit` tokens in total; ValueError where not even the special tokens fit."""
    room = None if limit is None else limit - sum(slot.token is not None for slot in frame)
    if room is not None and room < 0:
        raise ValueError(f"a limit of {limit} tokens has no room for the special tokens alone")
    lengths = [len(text) for text in texts]
    kept = lengths if room is None else list(fit(lengths[0], lengths[1], room)) if len(texts) == 2 else [min(lengths[0], room)]
    ids, segments, special, spans = [], [], [], []
    for slot in frame:
        if slot.text is None:
            new_ids, new_spans = (slot.token,), (None,)
        else:
            new_ids, new_spans = (part[: kept[slot.text]] for part in (texts[slot.text].ids, texts[slot.text].spans))
        ids += new_ids
        spans += new_spans
        segments += [slot.segment] * len(new_ids)
        special += [slot.text is None] * len(new_ids)
    return Row(
        ids=tuple(ids),
        words=words(ids),
        segments=tuple(segments),
        special=tuple(special),
        spans=tuple(spans),
        cut=sum(lengths) - sum(kept) + sum(text.unread for text in texts),
    )
