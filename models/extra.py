"""What a tuned model reads besides the words: vectors among them, or keys and values in front of them."""

from typing import Any, Protocol

from torch import Tensor, nn

from models.tokens import Row, Tokens


class Extra(Protocol):
    """Arguments for the engine, and how to show what they add. Implemented by modules, since what they hold is learnt."""

    length: int  # positions that are taken from those a text can have

    def encoder(self, tokens: Tokens) -> dict[str, Any]:
        """What `Transformer.encode` is given."""
        ...

    def decoder(self, tokens: Tokens, *, first: bool) -> dict[str, Any]:
        """What `Transformer.decode` is given; `first` unless a cache holds earlier steps."""
        ...

    def columns(self, tokens: Tokens, columns: Tensor) -> Tensor:
        """Where the words of `columns` (B, N) stand in the output."""
        ...

    def asking(self, stack: str, row: Row) -> Row:
        """The row as the layers of "encoder" or "decoder" see it."""
        ...

    def before(self, site: str) -> int:
        """How many keys stand in front of the others at a site, as "encoder.3.self"."""
        ...


class Nothing(nn.Module):
    """The extra of a model that reads its words and nothing else."""

    length = 0

    def encoder(self, tokens: Tokens) -> dict[str, Any]:
        return {}

    def decoder(self, tokens: Tokens, *, first: bool) -> dict[str, Any]:
        return {}

    def columns(self, tokens: Tokens, columns: Tensor) -> Tensor:
        return columns

    def asking(self, stack: str, row: Row) -> Row:
        return row

    def before(self, site: str) -> int:
        return 0
