"""A network with its tokenizer: what `models.load` returns and every task works with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import torch

from models.card import Card
from models.config import ModelConfig
from models.extra import Extra, Nothing
from models.linear import packed_bytes
from models.quantised import Int8Linear
from models.tokenizers.edges import Edges, edges
from models.tokens import Row, Tokenizer, Tokens, collate
from models.transformer import Transformer

LONGEST = 4096  # attention pictures grow with the square of the length


@dataclass(eq=False, kw_only=True)
class Model:
    """Real weights, ready to answer. `tasks` names the questions it can be asked."""

    name: str
    family: str
    config: ModelConfig
    network: Transformer
    tokenizer: Tokenizer
    tasks: frozenset[str]
    device: torch.device
    dtype: torch.dtype
    card: Card
    extra: Extra = field(default_factory=Nothing)  # what a tuned model reads besides the words

    @cached_property
    def n_parameters(self) -> int:
        """Numbers learnt, tied ones counted once."""
        kept = sum(parameter.numel() for parameter in self.network.parameters())
        return kept + sum(module.n_parameters for module in self.eight_bits())

    @cached_property
    def n_bytes(self) -> int:
        """Memory of the weights, in bytes."""
        kept = sum(tensor.numel() * tensor.element_size() for tensor in [*self.network.parameters(), *self.network.buffers()])
        return kept + sum(module.n_bytes for module in self.eight_bits()) + packed_bytes(self.network)

    def eight_bits(self) -> list[Int8Linear]:
        """The matrices that are kept in 8 bits."""
        return [module for module in self.network.modules() if isinstance(module, Int8Linear)]

    @cached_property
    def edges(self) -> Edges:
        """Where words begin and end among the pieces of the vocabulary; looking through all of them takes a moment, once."""
        return edges(self.tokenizer, self.config.vocab_size)

    @property
    def limit(self) -> int:
        """The longest input in tokens, special tokens included."""
        room = (self.config.max_positions or LONGEST) - self.config.position_offset
        return min(room, LONGEST)

    def batch(self, rows: Sequence[Row], *, side: Literal["left", "right"] = "right") -> Tokens:
        """Rows of different length as one padded batch on the model's device."""
        return collate(rows, pad_id=self.tokenizer.pad_id, side=side, device=self.device)
