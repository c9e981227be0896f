"""What a kind of everyday text is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of text: the head of the page, what a text is about, and how it may begin, with slots; and examples, (about, text) each."""

    name: str
    share: int  # of so many texts, in proportion to the other kinds
    room: int  # tokens that may be written
    head: str
    about: str
    openings: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]
    word: str = "thing"  # the slot by which a text is noted
