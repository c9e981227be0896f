"""What the model would put behind a mask."""

from dataclasses import dataclass

NAME = "fill_mask"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A text with one or several `[MASK]`; `candidates` are words to compare (empty: the `top_k` best of the vocabulary)."""

    text: str
    top_k: int = 10
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Candidate:
    word: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Mask:
    position: int  # index into the result's words
    candidates: tuple[Candidate, ...]  # best first


@dataclass(frozen=True, kw_only=True)
class Result:
    words: tuple[str, ...]
    masks: tuple[Mask, ...]
