"""The common words of English, found by counting: python -m models.training.everyday --make-words --novels FILE --articles FILE

A word is common where people tell stories and where they write articles, so the two counts are multiplied, the novels' weighing more:
they are nearer to daily life. Words that are often written with a capital in the middle of a sentence are names.
"""

import itertools
import lzma
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.sources.assets import ROOT

WORDS = ROOT / "common_words_en.txt"

CHARACTERS = 40_000_000  # read of each text
NOVELS = 0.7  # how much the novels' count weighs, the articles' having the rest
CAPITALS = 0.5  # capitals for each small beginning from which on a word is a name
SHORTEST = 3

PIECE = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|[.,;:!?\"]")
STOPS = frozenset('.,;:!?"')
FUNCTION_WORDS = """
    a about above according across after afterwards again against ago all almost alone along already also although always am amid
    among an and another any anybody anyone anything anywhere apart are around as aside at away back be became because become been
    before behind being below beneath beside besides between beyond both but by came can cannot come could despite did do does doing
    done down due during each either else elsewhere enough especially etc even ever every everybody everyone everything everywhere
    except few first for forth from further gave get gets give given go goes going gone got had half has have having he hence her here
    hers herself him himself his how however i if in indeed instead into is it its itself just know known last latter least less let
    like likewise made make many may me merely might mine more moreover most much must my myself near nearly neither never
    nevertheless next no nobody none nor not nothing now nowhere of off often on once one only onto or other others otherwise ought
    our ours ourselves out over own per perhaps quite rather really said same saw say second seem seemed seems seen several shall she
    should since so some somebody someone something sometimes somewhat somewhere soon still such take taken than that the their theirs
    them themselves then there therefore these they third this those though three through throughout thus till to together too took
    toward towards two under unless unlike until up upon us very via was way we well went were what whatever when whence whenever
    where whereas wherever whether which while who whoever whole whom whose why will with within without would yes yet you your yours
    yourself four five six seven eight nine ten eleven twelve hundred thousand dozen
"""


@dataclass(eq=False)
class Count:
    """How often the words of a text stand with a small letter, and how often with a capital inside a sentence."""

    small: Counter[str] = field(default_factory=Counter)
    capital: Counter[str] = field(default_factory=Counter)

    def add(self, line: str) -> None:
        pieces = PIECE.findall(line)
        for before, word in zip([".", *pieces], pieces):
            if word.islower():
                self.small[word] += 1
            elif word not in STOPS and before not in STOPS:
                self.capital[word.lower()] += 1

    def __add__(self, other: "Count") -> "Count":
        return Count(self.small + other.small, self.capital + other.capital)


def count(lines: Iterable[str], *, characters: int = CHARACTERS) -> Count:
    """Count the words of a text in the layout of a corpus, its titles left out."""
    found = Count()
    for line in lines:
        characters -= len(line)
        if characters < 0:
            break
        if not line.startswith("= "):
            found.add(line)
    return found


def most_common(novels: Count, articles: Count, *, most: int) -> list[str]:
    """The most common words that are neither names nor function words, most common first."""
    both, function_words = novels + articles, frozenset(FUNCTION_WORDS.split())
    total, other = novels.small.total(), articles.small.total()
    score = {
        word: (novels.small[word] / total) ** NOVELS * (articles.small[word] / other) ** (1 - NOVELS)
        for word, times in both.small.items()
        if len(word) >= SHORTEST and word.isalpha() and word not in function_words and both.capital[word] <= CAPITALS * times
    }
    return sorted(score, key=lambda word: (-score[word], word))[:most]


def read_lines(paths: Sequence[Path]) -> Iterator[str]:
    """The lines of several texts, packed or not."""
    for path in paths:
        with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as lines:
            yield from lines


def make_words(novels: Sequence[Path], articles: Sequence[Path], *, out: Path = WORDS, most: int = 3000) -> None:
    """Write the list, most common word first, with how it was made at its head."""
    words = most_common(count(read_lines(novels)), count(read_lines(articles)), most=most)
    sources = [" + ".join(f"{path.resolve().parent.name}/{path.name}" for path in paths) for paths in (novels, articles)]
    head = [
        f"The {len(words)} most common words of English, function words and names left out.",
        f"Made by python -m models.training.everyday --make-words from the first {CHARACTERS} characters of {sources[0]} (novels)",
        f"and of {sources[1]} (articles): words of {SHORTEST} letters or more, by the product of their frequencies to the {NOVELS} and",
        f"to the {1 - NOVELS:.1f}. The rules stand in models/training/common_words.py.",
    ]
    lines = itertools.chain((f"# {line}" for line in head), words)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_words(path: Path = WORDS) -> list[str]:
    """The words of a list, a word a line, "#" before what is none. ValueError where there is no word."""
    words = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    if not words:
        raise ValueError(f"{path.name} holds no words")
    return words
