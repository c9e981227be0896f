"""Parallel text: one pair a line, `english<TAB>chinese`, read, cleaned of what teaches nothing or the wrong thing, and tokenised."""

import lzma
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.tokenizers.text import clean
from models.training.corpus import opened
from models.training.texts import label

Direction = Literal["en-zh", "zh-en"]
CHUNK = 4096  # pairs that are tokenised together
UNITS = {  # what is counted of each script
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"),
    "latin": re.compile("[A-Za-z\u00c0-\u024f]+"),
    "other": re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f\u3400-\u4dbf\u4e00-\u9fff]"),
}


class Pair(NamedTuple):
    """One sentence in both languages."""

    english: str
    chinese: str


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a pair has to be. Lengths are characters; scripts are counted in units, a Chinese character or a Latin word."""

    shortest: float = 0.9  # English characters for one Chinese character; usual is 3
    longest: float = 14.0
    slack: int = 4  # added to both lengths, since short sentences differ by more
    han: float = 0.4  # at least so much of the Chinese side is Chinese; technical text keeps its names
    latin: float = 0.8
    traditional: float = 0.1  # at most so much of the Chinese characters is outside GB 2312, the set of simplified ones

    def refuses(self, pair: Pair) -> str | None:
        """Why a pair is of no use, or None."""
        if not pair.english or not pair.chinese:
            return "empty"
        if not self.shortest <= (len(pair.english) + self.slack) / (len(pair.chinese) + self.slack) <= self.longest:
            return "length"
        chinese, english = scripts(pair.chinese), scripts(pair.english)
        if not chinese["han"] or chinese["han"] < self.han * chinese.total() or english["latin"] < self.latin * english.total():
            return "script"
        if not english["latin"]:
            return "script"
        if sum(character not in simplified() for character in UNITS["han"].findall(pair.chinese)) > self.traditional * chinese["han"]:
            return "traditional"
        return None


def scripts(text: str) -> Counter[str]:
    """How many Chinese characters, Latin words and other letters there are in a text."""
    return Counter({script: len(units.findall(text)) for script, units in UNITS.items()})


@cache
def simplified() -> frozenset[str]:
    """The characters of GB 2312: it lacks the traditional ones (and a few rare ones)."""
    return frozenset(character for character in map(chr, range(0x4E00, 0xA000)) if character.encode("gb2312", "ignore"))


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a file as they stand there; ValueError for a line that is no pair."""
    with opened(path) as lines:
        for number, line in enumerate(lines, start=1):
            parts = line.rstrip("\n").split("\t")
            if len(parts) != 2:
                raise ValueError(f"{path.name}, line {number}: a pair is two texts with a tab between them, got {len(parts)}")
            yield Pair(*(clean(part).strip() for part in parts))


def useful(
    pairs: Iterable[Pair], *, seen: set[bytes] | None = None, kept: Filter | None = None, told: Counter[str] | None = None
) -> Iterator[Pair]:
    """Those of the pairs that pass the filter and were not `seen` before; `told` counts what became of the others."""
    seen = set() if seen is None else seen
    told = Counter() if told is None else told
    kept = kept or Filter()
    for pair in pairs:
        mark = blake2b("\t".join(pair).encode(), digest_size=8).digest()
        why = "double" if mark in seen else kept.refuses(pair)
        told[why or "kept"] += 1
        if why is None:
            seen.add(mark)
            yield pair


def write_pairs(path: Path, pairs: Iterable[Pair]) -> Path:
    """A file of pairs; compressed where its name says so."""
    with lzma.open(path, "wt", encoding="utf-8") if path.suffix == ".xz" else path.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{pair.english}\t{pair.chinese}\n" for pair in pairs)
    return path


class Sentences:
    """Texts as ids, one after the other: text i is `ids[bounds[i] : bounds[i + 1]]`."""

    def __init__(self) -> None:
        self.ids, self.bounds = array("i"), array("q", [0])

    def add(self, ids: Sequence[int]) -> None:
        self.ids.extend(ids)
        self.bounds.append(len(self.ids))

    def frozen(self) -> tuple[np.ndarray, np.ndarray]:
        return np.frombuffer(self.ids, dtype=np.int32), np.frombuffer(self.bounds, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parallel:
    """Tokenised pairs; `weights` says how often each is read in an epoch. Every text ends in the end token."""

    source: tuple[np.ndarray, np.ndarray]
    target: tuple[np.ndarray, np.ndarray]
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)

    def pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Source and target of one pair."""
        return tuple(ids[bounds[index] : bounds[index + 1]] for ids, bounds in (self.source, self.target))


def tokenise(
    tokenizer: SentencePieceTokenizer,
    files: Sequence[tuple[Path, float]],
    *,
    direction: Direction,
    length: int,
    limit: int | None = None,
    kept: Filter | None = None,
    tell: Callable[[str, Counter[str]], None] | None = None,
) -> Parallel:
    """The useful pairs of all files; those of more than `length` tokens on a side are left out. A pair counts where it is met first.

    `limit`: read so many pairs of each file. `tell` hears for each file what became of its pairs. ValueError where nothing is left.
    """
    seen: set[bytes] = set()
    sides = Sentences(), Sentences()
    weights: list[np.ndarray] = []
    for path, weight in files:
        told: Counter[str] = Counter()
        before = len(sides[0].bounds)
        pairs = useful(islice(read_pairs(path), limit), seen=seen, kept=kept, told=told)
        for source, target in encoded(tokenizer, pairs, direction=direction):
            if max(len(source), len(target)) > length:
                told.update({"kept": -1, "too long": 1})
                continue
            sides[0].add(source)
            sides[1].add(target)
        weights.append(np.full(len(sides[0].bounds) - before, weight))
        if tell is not None:
            tell(label(path), told)
    if not sum(map(len, weights)):
        raise ValueError(f"no pair of {', '.join(path.name for path, _ in files)} is left after filtering")
    return Parallel(source=sides[0].frozen(), target=sides[1].frozen(), weights=np.concatenate(weights))


def encoded(tokenizer: SentencePieceTokenizer, pairs: Iterable[Pair], *, direction: Direction) -> Iterator[tuple[list[int], list[int]]]:
    """Each pair as the ids of source and target."""
    chunk: list[Pair] = []

    def done() -> Iterator[tuple[list[int], list[int]]]:
        source, target = (list(side) for side in zip(*(turned(pair, direction) for pair in chunk)))
        yield from zip(tokenizer.encode_all(source), tokenizer.encode_all(target, side="target"))

    for pair in pairs:
        chunk.append(pair)
        if len(chunk) == CHUNK:
            yield from done()
            chunk = []
    if chunk:
        yield from done()


def turned(pair: Pair, direction: Direction) -> tuple[str, str]:
    """Source and target of a pair in the direction of translation."""
    return (pair.english, pair.chinese) if direction == "en-zh" else (pair.chinese, pair.english)
