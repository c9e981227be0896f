"""From text to the one type that goes into a model.

A `Tokenizer` turns a text into a `Row`; `collate` pads rows of different length into `Tokens`. Vocabulary of shapes: B batch, S positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Row:
    """One text (or a pair of texts) as the model reads it, and as a person reads it."""

    ids: tuple[int, ...]
    words: tuple[str, ...]  # one readable piece an id, "##" and "▁" as the model has them; never a replacement character
    segments: tuple[int, ...]  # 0 for the first text, 1 for the second
    special: tuple[bool, ...]  # [CLS], </s> and the like
    spans: tuple[tuple[int, int] | None, ...]  # character range in the text of that segment; None where there is none
    cut: int = 0  # tokens left out because the text was longer than the limit

    def __post_init__(self) -> None:
        lengths = {len(self.ids), len(self.words), len(self.segments), len(self.special), len(self.spans)}
        assert len(lengths) == 1, lengths

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A padded batch: `ids` (B, S) int64, `mask` (B, S) bool, True at real tokens, `segments` (B, S) int64."""

    ids: Tensor
    mask: Tensor
    segments: Tensor
    lengths: tuple[int, ...]  # real tokens a row, known on the host so that nothing waits for the device
    words: tuple[tuple[str, ...], ...] = ()

    @property
    def full(self) -> bool:
        """True where no row is padded: attention then needs no padding mask."""
        return all(length == self.ids.shape[1] for length in self.lengths)

    def to(self, device: torch.device | str) -> "Tokens":
        move = {name: getattr(self, name).to(device, non_blocking=True) for name in ("ids", "mask", "segments")}
        return replace(self, **move)


class Tokenizer(Protocol):
    """What every tokenizer offers; ids are None where the vocabulary has no such token."""

    vocab_size: int
    pad_id: int | None
    bos_id: int | None
    before_id: int | None  # what a text that stands by itself begins with for a decoder, whether or not `encode` writes it
    eos_id: int | None
    mask_id: int | None
    unk_id: int | None  # what a word becomes that the vocabulary cannot spell

    def encode(self, text: str, second: str | None = None, *, limit: int | None = None, special: bool = True) -> Row:
        """Text, or a pair of texts, to a row of at most `limit` tokens, with the special tokens of the model unless `special` is False."""
        ...

    def encode_target(self, text: str, *, limit: int | None = None) -> Row:
        """A text for the decoder of an encoder-decoder model, ending in its end token (and without its start token)."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Ids to plain text, special tokens left out."""
        ...

    def words(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Ids to readable pieces, one each."""
        ...

    def starts(self, ids: Sequence[int], *, side: Literal["source", "target"] = "target") -> tuple[bool, ...]:
        """For each id whether a word begins with it; the sides of a translation model may count differently."""
        ...

    def piece_id(self, piece: str) -> int | None:
        """The id of one piece as `words` shows it ("##able", "▁Paris"), or None; special tokens cannot be asked for."""
        ...

    def chat(self, prompt: str) -> str | None:
        """The prompt as the user's turn of the model's chat template, for people to read; None where the model has no template."""
        ...

    def encode_chat(self, prompt: str, *, limit: int | None = None) -> Row | None:
        """The same as the model reads it: nothing in the prompt can be a special token. None where the model has no template."""
        ...


def collate(
    rows: Sequence[Row], *, pad_id: int | None, side: Literal["left", "right"] = "right", device: torch.device | str = "cpu"
) -> Tokens:
    """Pad rows to the longest of them. Left padding keeps the last position of every row in the last column."""
    if not rows or any(len(row) == 0 for row in rows):
        raise ValueError(f"collate needs at least one row and no empty rows, got lengths {[len(row) for row in rows]}")
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad_id or 0, dtype=torch.int64)
    segments = torch.zeros_like(ids)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for index, row in enumerate(rows):
        start = width - len(row) if side == "left" else 0
        place = slice(start, start + len(row))
        ids[index, place] = torch.tensor(row.ids)
        segments[index, place] = torch.tensor(row.segments)
        mask[index, place] = True
    tokens = Tokens(ids=ids, mask=mask, segments=segments, lengths=tuple(map(len, rows)), words=tuple(row.words for row in rows))
    return tokens.to(device)
