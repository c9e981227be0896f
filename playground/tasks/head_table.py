"""Every head of a text in numbers, and its kind in a word: how broad it looks, how far, and at what."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from playground.tasks import attend

HALF = 0.5  # of a row's weight, on average: on the word before, the word itself, the next, the first
SEPARATORS = 0.6  # of it on special tokens and punctuation together
BROAD, NARROW = 0.85, 0.35  # entropy as a share of that of equal weights
NEAR = 2.5  # positions: a head that looks no farther on average is local
KINDS = ("previous", "same", "next", "first", "separators", "broad", "local", "narrow", "mixed")


@dataclass(frozen=True, kw_only=True)
class Head:
    """Means over the words that look; of a causal text the first word does not count, as it has no choice.

    `entropy` in bits, `spread` the same as a share of log2 of the words that could be looked at; `distance` in positions. The rest are
    shares of the weight: on the word before, on the word itself, on the next, on the first token, on special tokens, on punctuation. None
    where rows and columns are two texts. A prefix is looked at, but stands nowhere.
    """

    site: str
    head: int
    entropy: float
    spread: float
    distance: float | None
    previous: float | None
    same: float | None
    next: float | None
    first: float
    special: float
    punctuation: float

    @property
    def kind(self) -> str:
        """The first of `KINDS` whose threshold is reached."""
        for name in ("previous", "same", "next"):
            if (getattr(self, name) or 0) >= HALF:
                return name
        if self.special + self.punctuation >= SEPARATORS:
            return "separators"
        if self.first >= HALF:
            return "first"
        if self.spread >= BROAD:
            return "broad"
        if self.distance is not None and self.distance <= NEAR:
            return "local"
        return "narrow" if self.spread <= NARROW else "mixed"


def heads(result: "attend.Result") -> list[Head]:
    """Every head of every site, in the order of the forward pass."""
    return [head for site in result.sites for head in heads_of(result, site)]


def heads_of(result: "attend.Result", site: str) -> list[Head]:
    """The heads of one site."""
    weights, before, causal = result.all_weights(site), result.before.get(site, 0), site in result.causal
    stack, _, kind = site.split(".")
    columns = "encoder" if kind == "cross" else stack
    choice = slice(1, None) if causal and weights.shape[1] > 1 else slice(None)
    own = weights[:, :, before:]
    entropy, spread = entropies(weights, in_sight(result, site, weights.shape[1:]))
    special = np.array(result.special[columns])
    signs = np.array([punctuation(word) for word in result.words[columns]]) & ~special
    shares = {
        "entropy": entropy[:, choice],
        "spread": spread[:, choice],
        "first": own[:, choice, 0],
        "special": own[:, choice] @ special.astype(np.float32),
        "punctuation": own[:, choice] @ signs.astype(np.float32),
    }
    numbers = {name: values.mean(-1) for name, values in shares.items()}
    numbers |= dict.fromkeys(("distance", "previous", "same", "next")) if kind == "cross" else places(own, choice)
    return [
        Head(site=site, head=head, **{name: None if values is None else float(values[head]) for name, values in numbers.items()})
        for head in range(len(weights))
    ]


def entropies(weights: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bits of each row, and as a share of equal weights over the `seen` keys (Q,) of it. (H, Q, K) -> twice (H, Q)"""
    bits = -(weights * np.log2(np.maximum(weights, 1e-30))).sum(-1)
    return bits, bits / np.log2(np.maximum(seen, 2))


def in_sight(result: "attend.Result", site: str, shape: tuple[int, int]) -> np.ndarray:
    """How many keys each row can look at. -> (Q,)"""
    if site not in result.causal:
        return np.full(shape[0], shape[1])
    return np.minimum(np.arange(1, shape[0] + 1), result.window or shape[0]) + result.before.get(site, 0)


def places(own: np.ndarray, choice: slice) -> dict[str, np.ndarray]:
    """How far a head looks, and how much to its neighbours. own (H, S, S) -> each (H,)"""
    length = own.shape[1]
    steps = np.arange(length)
    distance = np.abs(steps[:, None] - steps).astype(np.float32)
    total = np.maximum(own.sum(-1), 1e-30)

    def beside(offset: int) -> np.ndarray:
        line = np.diagonal(own, offset, 1, 2)
        return line.mean(-1) if line.shape[-1] else np.zeros(len(own), np.float32)

    return {
        "distance": ((own * distance).sum(-1) / total)[:, choice].mean(-1),
        "previous": beside(-1),
        "same": np.diagonal(own, 0, 1, 2)[:, choice].mean(-1),
        "next": beside(1),
    }


def punctuation(word: str) -> bool:
    """Whether a token is made of signs only."""
    bare = word.lstrip("▁")
    return bool(bare) and all(unicodedata.category(letter)[0] in "PS" for letter in bare) and not bare.startswith("‹")


def counted(found: Sequence[Head]) -> dict[str, int]:
    """How many heads there are of each kind, in the order of `KINDS`."""
    kinds = [head.kind for head in found]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}
