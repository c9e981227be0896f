"""Which words look at which."""

from dataclasses import dataclass, field

import numpy as np

NAME = "attend"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One text, or a pair of texts for an encoder, or a text and its forced translation for an encoder-decoder."""

    text: str
    second: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Queries and keys of every attention site, so that any layer and head can be shown without running the model again.

    `sites`: in the order of the forward pass. `queries[site]` (H, Q, D), `keys[site]` (H_kv, K, D), float32, cut to the real tokens.
    """

    sites: tuple[str, ...]
    causal: frozenset[str]  # the sites at which a position sees only itself and what stands before it
    words: dict[str, tuple[str, ...]] = field(hash=False)  # "encoder" and "decoder"
    special: dict[str, tuple[bool, ...]] = field(hash=False)
    queries: dict[str, np.ndarray] = field(hash=False)
    keys: dict[str, np.ndarray] = field(hash=False)
    window: int | None = None  # sliding window of a decoder, in positions
    cut: int = 0  # tokens left out because the text was too long
    limit: int = 0  # tokens that fit

    def heads(self, site: str) -> int:
        """How many heads there are at `site`."""
        return self.queries[site].shape[0]

    def words_at(self, site: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The words that ask (rows) and the words that are looked at (columns)."""
        ...

    def weights(self, site: str, head: int = -1) -> np.ndarray:
        """softmax(q k^T / sqrt(D)), (Q, K) float32; head -1 is the mean of all heads. ValueError for an unknown site or head."""
        ...

    def all_weights(self, site: str) -> np.ndarray:
        """Every head of a site, (H, Q, K) float32."""
        ...
