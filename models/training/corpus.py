"""Running text as token ids on disk: read once as a stream, then looked up wherever it is needed.

A file of text is never in memory as a whole, whatever its length; the ids lie in a folder that is mapped, so that all processes of a
machine share one copy. Text files have documents between blank lines, a `= Title =` line first, then one paragraph a line.
"""

import hashlib
import itertools
import json
import lzma
import os
import random
import shutil
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from models.decode.sentences import split

Encode = Callable[[list[str]], list[list[int]]]

FORMAT = 1  # to be raised when the same text would give other ids or another layout
CHUNK = 4096  # sentences that are tokenised together
SHORTEST = 4  # tokens; what is shorter is a heading, a list mark or a hole in the text


def opened(path: Path) -> TextIO:
    """A text file, compressed or not, for reading."""
    return lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8")


def read_documents(path: Path) -> Iterator[list[str]]:
    """The paragraphs of each document, without its title."""
    with opened(path) as lines:
        paragraphs: list[str] = []
        for line in map(str.strip, itertools.chain(lines, [""])):
            if not line and paragraphs:
                yield paragraphs
                paragraphs = []
            elif line and not (line.startswith("= ") and line.endswith(" =")):
                paragraphs.append(line)


@dataclass(frozen=True, slots=True)
class Document:
    """Sentence i is `ids[bounds[i] : bounds[i + 1]]`; a stretch of sentences is one slice."""

    ids: np.ndarray
    bounds: np.ndarray

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def stretch(self, start: int, end: int) -> np.ndarray:
        """The tokens of sentences `start` to `end`."""
        return self.ids[self.bounds[start] : self.bounds[end]]

    def reach(self, start: int, tokens: int, *, at_least: int = 1) -> int:
        """Where a stretch from `start` ends that has as many tokens and sentences, or all that are left."""
        full = int(np.searchsorted(self.bounds, self.bounds[start] + tokens))
        return min(len(self), max(full, start + at_least))


class Store:
    """The documents of one text file: `ids` of all sentences in a row, where sentences start, and with which sentence documents start."""

    def __init__(self, folder: Path):
        self.folder = folder
        (file,) = folder.glob("ids.*")
        self.ids = np.memmap(file, dtype=file.suffix[1:], mode="r")
        self.starts = np.load(folder / "sentences.npy", mmap_mode="r")
        self.documents = np.load(folder / "documents.npy", mmap_mode="r")

    def __reduce__(self) -> tuple[type["Store"], tuple[Path]]:
        return Store, (self.folder,)  # another process maps the same files instead of receiving their contents

    def __len__(self) -> int:
        return len(self.documents) - 1

    def document(self, index: int) -> Document:
        bounds = np.asarray(self.starts[self.documents[index] : self.documents[index + 1] + 1])
        return Document(ids=np.asarray(self.ids[bounds[0] : bounds[-1]]), bounds=bounds - bounds[0])


def prepare(path: Path, encode: Encode, *, vocab_size: int, folder: Path, identity: str = "", limit: int | None = None) -> Store:
    """Tokenise a text file into a folder under `folder`, unless that was done before.

    `identity` tells tokenizers apart. With `limit`, only so many documents are read. Raises ValueError for a text without two sentences.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, identity, vocab_size, limit]).encode())
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    name = path.name.split(".")[0]
    ready = folder / f"{name}-{digest.hexdigest()[:16]}"
    if ready.is_dir():
        return Store(ready)
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".work-", dir=folder))
    try:
        write(
            itertools.islice(read_documents(path), limit), encode, np.uint16 if vocab_size <= 1 << 16 else np.int32, work, source=path.name
        )
        try:
            os.rename(work, ready)
        except OSError:
            if not ready.is_dir():  # otherwise another process was quicker, with the same result
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Store(ready)


def write(documents: Iterable[list[str]], encode: Encode, dtype: type, folder: Path, *, source: str) -> None:
    """The files of a `Store`; only where sentences begin is held in memory."""
    starts, begins = array("q", [0]), array("q", [0])
    with (folder / f"ids.{np.dtype(dtype).name}").open("wb") as stream:
        for ids, last in encoded(documents, encode):
            if len(ids) >= SHORTEST:
                stream.write(np.asarray(ids, dtype=dtype).tobytes())
                starts.append(starts[-1] + len(ids))
            if last and len(starts) - 1 > begins[-1]:
                begins.append(len(starts) - 1)
    if len(starts) < 3:
        raise ValueError(f"{source} holds {len(starts) - 1} sentences of {SHORTEST} tokens or more; training needs more")
    np.save(folder / "sentences.npy", np.frombuffer(starts, dtype=np.int64))
    np.save(folder / "documents.npy", np.frombuffer(begins, dtype=np.int64))


def encoded(documents: Iterable[list[str]], encode: Encode) -> Iterator[tuple[list[int], bool]]:
    """Each sentence as ids, and whether it is the last of its document."""

    def sentences() -> Iterator[tuple[str, bool]]:
        for paragraphs in documents:
            parts = [sentence for paragraph in paragraphs for sentence in split(paragraph).sentences]
            yield from ((sentence, index == len(parts) - 1) for index, sentence in enumerate(parts))

    stream = sentences()
    while chunk := list(itertools.islice(stream, CHUNK)):
        yield from zip(encode([sentence for sentence, _ in chunk]), (last for _, last in chunk))


class Corpus:
    """Several stores as one; `weights` says how often a store is read in an epoch, which may be a fraction."""

    def __init__(self, stores: Sequence[Store], weights: Sequence[float] | None = None):
        self.stores = list(stores)
        per_store = [1.0] * len(self.stores) if weights is None else list(weights)
        if min(per_store) < 0:
            raise ValueError(f"a text cannot be read {min(per_store)} times")
        self.first = np.cumsum([0, *map(len, self.stores)])
        self.weights = np.repeat(per_store, [len(store) for store in self.stores])
        self.sizes = np.concatenate([np.diff(store.starts[store.documents]) for store in self.stores])  # tokens of each document
        chances = self.weights * self.sizes
        if (chances > 0).sum() < 2:
            raise ValueError("a corpus needs at least two documents, so that a sentence can come from another one")
        self.reached = np.cumsum(chances)

    def document(self, index: int) -> Document:
        """The sentences of one document."""
        store = int(np.searchsorted(self.first, index, side="right")) - 1
        return self.stores[store].document(index - int(self.first[store]))

    def frequencies(self, vocab_size: int, *, sample: int = 2_000_000) -> np.ndarray:
        """How often each id comes, in the first `sample` tokens of each store, weighted as the stores are."""
        counts = np.zeros(vocab_size)
        for store, start in zip(self.stores, self.first):
            seen = np.bincount(np.asarray(store.ids[:sample], dtype=np.int64), minlength=vocab_size)
            counts += seen * (self.weights[start] * len(store.ids) / max(1, seen.sum()))
        return counts

    def another(self, document: int, rng: random.Random) -> int:
        """A random other document, with the chance that its length and weight give it."""
        while (found := int(np.searchsorted(self.reached, rng.random() * self.reached[-1], side="right"))) == document:
            pass
        return found
