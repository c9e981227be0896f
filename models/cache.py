"""What a decoder remembers from step to step, so that every word is computed once."""

import torch
from torch import Tensor

from models.config import ModelConfig


class KeysValues:
    """Keys and values (B, H_kv, K, D) of one attention; room grows by doubling, so that a step copies nothing but its own word."""

    def __init__(self, room: int = 64):
        self.room = room
        self.length = 0
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    @property
    def filled(self) -> bool:
        return self.length > 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add positions at the end; returns all of them."""
        start, end = self.length, self.length + key.shape[2]
        if self.keys is None or end > self.keys.shape[2]:
            room = max(self.room, 1 << (end - 1).bit_length())
            grown = [x.new_empty(x.shape[0], x.shape[1], room, x.shape[3]) for x in (key, value)]
            if self.keys is not None:
                for new, old in zip(grown, (self.keys, self.values)):
                    new[:, :, :start] = old[:, :, :start]
            self.keys, self.values = grown
        self.keys[:, :, start:end] = key
        self.values[:, :, start:end] = value
        self.length = end
        return self.read()

    def fill(self, key: Tensor, value: Tensor) -> None:
        """Keep what never grows: the keys and values of a source text, laid out so that each step reads them in order."""
        self.keys, self.values, self.length = key.contiguous(), value.contiguous(), key.shape[2]

    def read(self) -> tuple[Tensor, Tensor]:
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order; only what is filled is copied."""
        for name in ("keys", "values"):
            old = getattr(self, name)
            if old is not None:
                new = old.new_empty(len(rows), *old.shape[1:])
                new[:, :, : self.length] = old[:, :, : self.length].index_select(0, rows)
                setattr(self, name, new)


class Memory:
    """The running state (B, C) of one SSRU."""

    def __init__(self) -> None:
        self.state: Tensor | None = None

    def select(self, rows: Tensor) -> None:
        if self.state is not None:
            self.state = self.state.index_select(0, rows)


class Cache:
    """One decoder's memory: a `KeysValues` or `Memory` a layer, cross-attention's keys and values, and which positions were real.

    `length` counts columns seen so far. `mask` (B, K) and `counts` (B, 1) exist only where a row was padded.
    """

    def __init__(self, config: ModelConfig, *, room: int = 64):
        ssru = config.decoder_mixer == "ssru"
        self.own = [Memory() if ssru else KeysValues(room) for _ in range(config.n_decoder_layers)]
        self.cross = [KeysValues() for _ in range(config.n_decoder_layers)] if config.n_encoder_layers else []
        self.length = 0
        self.mask: Tensor | None = None
        self.counts: Tensor | None = None

    def select(self, rows: Tensor, *, sources: Tensor | None = None) -> None:
        """Keep these rows of the batch, in this order, and these of the source texts.

        None keeps all sources: rows that stand together may share one, as in beam search, where each source has the same number of rows.
        """
        for part in self.own:
            part.select(rows)
        for part in self.cross if sources is not None else []:
            part.select(sources)
        if self.mask is not None:
            self.mask, self.counts = self.mask.index_select(0, rows), self.counts.index_select(0, rows)

    def place(self, mask: Tensor, *, full: bool) -> tuple[Tensor, Tensor | None]:
        """Positions of the new columns (1 or B, S), and which of all columns are real (B, K), or None where all are."""
        start, width = self.length, mask.shape[1]
        self.length += width
        if full and self.mask is None:
            return torch.arange(start, start + width, device=mask.device)[None], None
        if self.mask is None:
            self.mask = mask.new_ones(mask.shape[0], start)
            self.counts = torch.full((mask.shape[0], 1), start, device=mask.device)
        positions = (self.counts + mask.cumsum(1) - 1).clamp(min=0)
        self.mask = torch.cat([self.mask, mask], dim=1)
        self.counts = self.counts + mask.sum(1, keepdim=True)
        return positions, self.mask
