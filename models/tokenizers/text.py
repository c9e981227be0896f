"""What is done to a text before any tokenizer sees it."""

import re

CHARACTERS = 100_000  # read from a text that is going to be cut anyway; far more than any limit in tokens can hold

SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Replace lone surrogates by "?": they are no characters, and the tokenizer libraries refuse them. The length stays the same."""
    return text if text.isascii() else SURROGATE.sub("?", text)


def shorten(text: str, *, limit: int | None) -> tuple[str, int]:
    """The part of a text that is worth reading when `limit` tokens fit, and how many characters are left out."""
    if limit is None or len(text) <= CHARACTERS:
        return text, 0
    return text[:CHARACTERS], len(text) - CHARACTERS


def estimate(unread: int, *, tokens: int, characters: int) -> int:
    """Tokens in the `unread` characters, if they are like the `characters` that gave `tokens`; at least one where anything is unread."""
    return max(1, unread * tokens // max(1, characters)) if unread else 0
