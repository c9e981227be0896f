"""Where words begin among the pieces of a text, so that a picture can show whole words.

A word is what BERT's own splitting makes of a text before WordPiece sees it: letters and digits without a space or a sign between them. In
writing without spaces each piece stays a word of its own.
"""

import unicodedata
from collections.abc import Sequence

from models.tokenizers.edges import goes_on
from models.tokenizers.pieces import character_width


def word_starts(pieces: Sequence[bytes | str], alone: Sequence[bool]) -> tuple[bool, ...]:
    """For each piece whether a word begins with it. "▁" or a space stands in front of a word; a piece that is `alone` is one by itself.

    Pieces that are parts of one character belong to one word.
    """
    data = [piece if isinstance(piece, bytes) else piece.replace("▁", " ").encode() for piece in pieces]
    text = b"".join(data)
    begins, at, before = set(), 0, ""
    while at < len(text):
        width = max(character_width(text, at), 1)
        letter = text[at : at + width].decode(errors="replace")
        if opens(before, letter):
            begins.add(at)
        at, before = at + width, letter
    found, at, after_one_alone = [], 0, True
    for piece, single in zip(data, alone, strict=True):
        found.append(single or after_one_alone or at in begins)
        at, after_one_alone = at + len(piece), single
    return tuple(found)


def opens(before: str, letter: str) -> bool:
    """Whether a word begins between two characters of a text; a space belongs to the word behind it."""
    if letter == " ":
        return before != " "
    if before == " " or unicodedata.category(letter).startswith("M"):
        return False
    marked = unicodedata.category(before).startswith("M") if before else False
    return not ((marked or goes_on(before or " ")) and goes_on(letter))
