"""Whether one sentence follows another."""

from dataclasses import dataclass

NAME = "next_sentence"


@dataclass(frozen=True, kw_only=True)
class Request:
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Result:
    probability: float  # that `second` follows `first`
    words: tuple[str, ...]
    cut: int = 0
