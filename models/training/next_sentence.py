"""Next-sentence prediction: does the second text follow the first? (Devlin et al. 2019, section 3.1, task 2)"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.tokenizers.rows import fit
from models.training.corpus import Document

SHORT = 0.1  # of the pairs are shorter than there is room for, so that the model knows short texts too
FOLLOWS, DOES_NOT = 0, 1  # the order of the head's two scores, as in the published weights


class Documents(Protocol):
    """Texts to draw from."""

    def document(self, index: int) -> Document:
        """The sentences of one document."""
        ...

    def another(self, document: int, rng: random.Random) -> int:
        """A random document that is not this one, with the chance that its length gives it."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts as ids without special tokens; `same_document`: the second does not follow, but comes from the same text."""

    first: np.ndarray
    second: np.ndarray
    follows: bool
    same_document: bool = False

    def __len__(self) -> int:
        return len(self.first) + len(self.second)


def pairs(
    documents: Documents, document: int, rng: random.Random, *, room: int, same_document: float = 0.0, short: float = SHORT
) -> Iterator[Pair]:
    """Cut one document into pairs of together at most `room` tokens; of every two pairs about one has a second text that does not follow.

    A stretch of sentences that fills the room is cut in two at random. Then either its rest is the second text, or a stretch that starts
    at a random sentence of another document (or, in a share of `same_document`, elsewhere in this one), and the unused rest is left for
    the next pair. A stretch has at least two sentences where there are two, so that both outcomes are possible.
    """
    text = documents.document(document)
    start = 0
    while start < len(text):
        target = rng.randint(2, room) if rng.random() < short else room
        end = text.reach(start, target, at_least=2)
        cut = rng.randint(start + 1, end - 1) if end - start > 1 else end
        first = text.stretch(start, cut)
        if end - start > 1 and rng.random() < 0.5:
            yield trim(first, text.stretch(cut, end), room, rng, follows=True)
            start = end
            continue
        source, place = text, elsewhere_in(len(text), start, cut, rng) if rng.random() < same_document else None
        if stays := place is not None:
            begin, limit = place
        else:
            source = documents.document(documents.another(document, rng))
            begin, limit = rng.randrange(len(source)), len(source)
        second = source.stretch(begin, min(limit, source.reach(begin, target - len(first))))
        yield trim(first, second, room, rng, follows=False, same_document=stays)
        start = cut


def elsewhere_in(count: int, start: int, cut: int, rng: random.Random) -> tuple[int, int] | None:
    """A random sentence outside `start` to `cut` and not the one that follows, with the sentence before which its text must end."""
    choice = rng.randrange(free) if (free := start + max(0, count - cut - 1)) else None
    if choice is None:
        return None
    return (choice, start) if choice < start else (cut + 1 + choice - start, count)


def trim(first: np.ndarray, second: np.ndarray, room: int, rng: random.Random, *, follows: bool, same_document: bool = False) -> Pair:
    """Cut tokens off the longer text until both fit, each at a random end."""
    texts = []
    for text, kept in zip((first, second), fit(len(first), len(second), room)):
        in_front = rng.getrandbits(len(text) - kept).bit_count() if len(text) > kept else 0
        texts.append(text[in_front : in_front + kept])
    return Pair(*texts, follows, same_document)
