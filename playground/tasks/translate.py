"""How the model translates, and which source word each target word looked at."""

from dataclasses import dataclass, field

import numpy as np

NAME = "translate"


@dataclass(frozen=True, kw_only=True)
class Request:
    text: str
    beams: int = 1
    alternatives: int = 0
    max_new_tokens: int = 256  # of one sentence


@dataclass(frozen=True, kw_only=True)
class Alternative:
    text: str
    score: float  # log probability divided by length ** length_penalty


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence: `alignment` (T, S) cross-attention, rows sum to 1; `probabilities` (T,) of each target word when it was chosen."""

    source_words: tuple[str, ...]
    target_words: tuple[str, ...]
    text: str
    alternatives: tuple[Alternative, ...]
    alignment: np.ndarray = field(hash=False)
    probabilities: np.ndarray = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class Result:
    translation: str  # line breaks as in the source
    alternatives: tuple[Alternative, ...]  # of the whole text
    sentences: tuple[Sentence, ...]
    cut: int = 0
