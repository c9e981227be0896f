"""What a small model is shown before it writes everyday language: some texts of the kind that is wanted, and the first words of its own.

A model of this size understands examples better than wishes. It continues a page of short texts, each below what it is about; the words
that it shall write about are drawn at random, and so is how its text begins.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from models.training.everyday_kind import Kind
from models.training.everyday_kinds import KINDS
from models.training.everyday_words import FAMILY, NAMES, PEOPLE, PLACES, REVIEWED, THINGS, TIMES

SHOWN = 3  # examples on a page


@dataclass(frozen=True, kw_only=True)
class Item:
    """One text to be written: what it is about, its first words, and the seed of all chance in it."""

    number: int
    kind: str
    word: str
    prompt: str
    opening: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is read before each of some texts of a kind, and those texts."""

    head: str
    room: int
    items: tuple[Item, ...]


def page(number: int, size: int, *, seed: int, words: Sequence[str], kinds: Sequence[Kind] = KINDS) -> Page:
    """The page of this number, with `size` texts to come. The kind and the examples follow from the run's seed and the page's number."""
    rng = random.Random(f"{seed}/page {number}")
    kind = rng.choices(kinds, [kind.share for kind in kinds])[0]
    shown = [f"{about}: {text}" for about, text in rng.sample(kind.examples, SHOWN)]
    items = tuple(item(kind, number * size + place, seed=seed, words=words) for place in range(size))
    return Page(head="\n\n".join([kind.head, *shown, ""]), room=kind.room, items=items)


def item(kind: Kind, number: int, *, seed: int, words: Sequence[str]) -> Item:
    """The text of this number: beside its kind, nothing but the run's seed and the number decide what it is."""
    rng = random.Random(f"{seed}/{number}")
    a, b = rng.sample(NAMES, 2)
    slots = {"word": rng.choice(words), "thing": rng.choice(THINGS), "a": a, "b": b}
    slots |= {"person": rng.choice(PEOPLE), "place": rng.choice(PLACES), "time": rng.choice(TIMES)}
    slots |= {"subject": rng.choice(REVIEWED), "family": rng.choice(FAMILY)}
    slots["a_thing"] = with_article(slots["thing"])
    slots |= {large(name): large(text) for name, text in slots.items() if name not in ("a", "b")}
    return Item(
        number=number,
        kind=kind.name,
        word=slots[kind.word],
        prompt=kind.about.format_map(slots) + ":",
        opening=rng.choice(kind.openings).format_map(slots),
        seed=rng.getrandbits(48),
    )


def with_article(noun: str) -> str:
    """ "a dog", "an egg"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def large(text: str) -> str:
    """The text with a capital at its beginning, the rest left as it is."""
    return text[:1].upper() + text[1:]
