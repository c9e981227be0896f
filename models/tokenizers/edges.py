"""Where words begin and end in a vocabulary of pieces: what a decoder, which writes piece after piece, leaves open."""

import unicodedata
from dataclasses import dataclass

import torch
from torch import Tensor

from models.tokens import Tokenizer

SPACE = "▁"


@dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """For each piece of the vocabulary, (V,) bool.

    `spaced`: a space and then letters or digits only, so it may be a word of its own; `bare`: the same without the space.
    `ends`: the word before it is over: it begins with a space or a sign, or its writing has no spaces between words.
    """

    spaced: Tensor
    bare: Tensor
    ends: Tensor


def edges(tokenizer: Tokenizer, size: int) -> Edges:
    """The edges of a vocabulary whose scores are `size` long; some models have more of them than pieces."""
    pieces = [tokenizer.words([index])[0] for index in range(min(size, tokenizer.vocab_size))]
    pieces += [""] * (size - len(pieces))
    return Edges(
        spaced=torch.tensor([piece[:1] == SPACE and piece[1:].isalnum() for piece in pieces]),
        bare=torch.tensor([piece.isalnum() for piece in pieces]),
        ends=torch.tensor([bool(piece) and not goes_on(piece[0]) for piece in pieces]),
    )


def goes_on(letter: str) -> bool:
    """Whether a piece that begins so makes the word before it longer; a Chinese character counts as a word of its own."""
    return letter.isalnum() and unicodedata.east_asian_width(letter) not in ("W", "F")
