"""What tunings left, on disk: the last few of each visitor, bounded in number and bytes, each there whole or not at all."""

import hashlib
import json
import logging
import re
import secrets
import shutil
import statistics
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from models.card import Card
from models.errors import Problem
from models.sources import Folder, cache_folder
from models.sources.cache import disk_trouble
from playground.ui.language import LANGUAGES, text

LOG = logging.getLogger(__name__)
FACTS = "kept.json"
MOST = 20  # results of one visitor
MOST_ALL = 200
MOST_BYTES = 2_000_000_000  # of all results together
LONGEST_NAME = 80
HALF_WRITTEN = ".new-"


class Note(NamedTuple):
    """A Problem that did no harm, to be told again."""

    key: str
    values: dict[str, Any]


class Seeded(NamedTuple):
    """How a method did with one seed."""

    seed: int
    dev: float | None
    test: float | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How one method did. Plain data, so that nothing has to be loaded to show it.

    `confusion[true][guessed]` counts test sentences; `wrong` are (line, text, answer, guess). `prompt` is what a soft prompt has learnt:
    "words" (P lists of (word, cosine)), "cosines" (P, P), "drift" (steps). `note` says why PEFT's files are missing, where they are.
    `seeds`: how the method did with each; this result is that of `seed`, the one in the middle by its accuracy on dev, of two the better.
    """

    id: str = ""
    name: str = ""
    visitor: str = ""  # a digest, not the key itself
    created: float = 0.0
    base: str
    method: str
    task: str
    own: bool = False  # somebody's own data
    kind: str = "classify"
    labels: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)  # label: its name in each language
    family: str = ""
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    licence: str = ""
    parameters: int = 0  # of the tuned model
    trainable: int = 0
    steps: int = 0
    seconds: float = 0.0  # of computing
    dev: float | None = None
    test: float | None = None
    n_bytes: int = 0  # of what was learnt, written to a file
    memory: int | None = None  # bytes that learning needed at its highest moment, see `Peak`
    confusion: dict[str, dict[str, int]] = field(default_factory=dict, hash=False)
    wrong: tuple[tuple[int, str, str, str], ...] = field(default=(), hash=False)
    prompt: dict[str, Any] | None = field(default=None, hash=False)
    note: Note | None = field(default=None, hash=False)
    seed: int = 1
    seeds: tuple[Seeded, ...] = field(default=(), hash=False)
    teacher: str = ""  # the kept result that it learnt from, beside the labels

    @property
    def share(self) -> float:
        """Numbers that moved, as a share of the model's."""
        return self.trainable / self.parameters if self.parameters else 0.0

    def over_seeds(self, part: Literal["dev", "test"]) -> tuple[float | None, float | None]:
        """Mean and standard deviation of an accuracy over the seeds; no deviation where there was one seed."""
        values = [value for value in (getattr(one, part) for one in self.seeds) if value is not None]
        if len(values) < 2:
            return getattr(self, part), None
        return statistics.mean(values), statistics.stdev(values)

    def card(self, folder: Path) -> Card:
        """The result as one more model of the page."""
        note = {language: text("tuning.card_note", language, base=self.base, method=self.method, task=self.task) for language in LANGUAGES}
        return Card(
            name=self.name,
            family=self.family,
            tasks=self.tasks,
            languages=self.languages,
            parameters=self.parameters,
            licence=self.licence,
            sources=(Folder(path=folder),),
            note=note,
            tuned_from=self.base,
        )


def kept_folder() -> Path:
    """Where results are kept if nobody says otherwise. Not created here."""
    return cache_folder() / "tuned"


def digest(visitor: str) -> str:
    """What of a visitor's key is written to disk."""
    return hashlib.sha256(visitor.encode()).hexdigest()[:24]


class Shelf:
    """The results of one server. Every method may be called from any thread. `dropped(name)` is told of each that had to go."""

    def __init__(self, folder: Path, *, most: int = MOST, most_all: int = MOST_ALL, most_bytes: int = MOST_BYTES):
        self.folder, self._most, self._most_all, self._most_bytes = folder, most, most_all, most_bytes
        self.dropped: Callable[[str], None] = lambda name: None
        self._lock = threading.RLock()
        self._kept: dict[str, Kept] = {kept.name: kept for kept in sorted(self._read(), key=lambda kept: kept.created)}
        self._cards = {name: kept.card(self.place(kept)) for name, kept in self._kept.items()}
        self._used = set(self._kept)  # a name is never given twice: answers of the model that had it may still be remembered

    def all(self) -> list[Kept]:
        """Every result, the newest first."""
        with self._lock:
            return list(reversed(self._kept.values()))

    def of(self, visitor: str) -> list[Kept]:
        """Those of one visitor, the newest first."""
        return [kept for kept in self.all() if kept.visitor == digest(visitor)]

    def find(self, name: str) -> Kept | None:
        with self._lock:
            return self._kept.get(name)

    def get(self, name: str) -> Kept:
        """The result called `name`; Problem unknown_result where there is none (any more)."""
        if (kept := self.find(name)) is None:
            raise Problem("unknown_result", name=str(name)[:80])
        return kept

    def cards(self) -> list[Card]:
        """All of them as models, the newest first."""
        with self._lock:
            return list(reversed(self._cards.values()))

    def place(self, kept: Kept) -> Path:
        """The folder that holds a result."""
        return self.folder / kept.id

    def title(self, base: str, method: str, task: str) -> str:
        """A name that no result has had: "mini-bert-en + prefix, reviews_en", and a number behind it from the second on."""
        about = re.sub(r"[^\w.+\- ]", " ", f"{method}, {task}".replace(",", ""))[:40].rstrip()
        about = about.replace(method, f"{method},", 1)
        with self._lock:
            for number in range(1, 10_000):
                tail = f" + {about}" + (f" {number}" if number > 1 else "")
                name = base[: LONGEST_NAME - len(tail)] + tail
                if name not in self._used:
                    self._used.add(name)
                    return name
        raise Problem("too_many_results")

    def keep(self, kept: Kept, visitor: str, write: Callable[[Path], dict[str, Any] | None]) -> Kept:
        """Put a result on the shelf: `write(folder)` writes its files, and may give facts about them. The oldest go to make room for it.

        Of somebody's own data no text goes to the disk.

        Raises Problem: result_too_large, and those of the disk.
        """
        made = replace(kept, id=f"{time.time_ns():x}-{secrets.token_hex(4)}", visitor=digest(visitor), created=time.time())
        with disk_trouble(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = self.folder / (HALF_WRITTEN + made.id)
            unfinished.mkdir()
            try:
                made = replace(made, **(write(unfinished) or {}))
                facts = asdict(replace(made, wrong=()) if made.own else made)
                (unfinished / FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
                if bytes_in(unfinished) > self._most_bytes:
                    raise Problem("result_too_large", megabytes=round(bytes_in(unfinished) / 1e6), most=round(self._most_bytes / 1e6))
                unfinished.rename(self.place(made))
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
        with self._lock:
            self._kept[made.name], self._cards[made.name] = made, made.card(self.place(made))
            leaving = self._too_many(made.visitor)
            for old in leaving:
                del self._kept[old.name], self._cards[old.name]
        for old in leaving:
            shutil.rmtree(self.place(old), ignore_errors=True)
            self.dropped(old.name)
        return made

    def remove(self, name: str, visitor: str) -> None:
        """Let a visitor's own result go, files and all. Problem unknown_result where there is none, or it is somebody else's."""
        with self._lock:
            kept = self.get(name)
            if kept.visitor != digest(visitor):
                raise Problem("unknown_result", name=name[:80])
            del self._kept[name], self._cards[name]
        shutil.rmtree(self.place(kept), ignore_errors=True)
        self.dropped(name)

    def pack(self, name: str, file: Path) -> Path:
        """All files of a result in one zip archive, written to `file`."""
        kept = self.get(name)
        unfinished = file.with_name(f".{secrets.token_hex(4)}-{file.name}")
        with disk_trouble(file.parent):
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(self.place(kept).iterdir()):
                    if path.name != FACTS:
                        archive.write(path, path.name)
            unfinished.replace(file)
        return file

    def _too_many(self, visitor: str) -> list[Kept]:
        """Those that have to go, the oldest first. The caller holds the lock."""
        ours = [kept for kept in self._kept.values() if kept.visitor == visitor]
        leaving = ours[: -self._most]
        rest = [kept for kept in self._kept.values() if kept not in leaving]
        sizes = [bytes_in(self.place(kept)) for kept in rest]
        while len(rest) > 1 and (len(rest) > self._most_all or sum(sizes) > self._most_bytes):
            leaving.append(rest.pop(0))
            sizes.pop(0)
        return leaving

    def _read(self) -> list[Kept]:
        """What lies there. What another version wrote, or what is damaged, is left alone."""
        found = []
        for file in self.folder.glob(f"*/{FACTS}"):
            if file.parent.name.startswith(HALF_WRITTEN):
                continue
            try:
                found.append(from_json(json.loads(file.read_text(encoding="utf-8"))))
                found[-1].card(file.parent)
            except (OSError, ValueError, TypeError, KeyError) as error:
                LOG.warning("%s cannot be read: %s", file, str(error))
                found = [kept for kept in found if kept.id != file.parent.name]
        return found


def from_json(told: dict[str, Any]) -> Kept:
    """A result from plain data; TypeError where it is that of another version."""
    lists = {name: tuple(told[name]) for name in ("tasks", "languages")}
    note = told["note"] and Note(*told["note"])
    seeds = tuple(Seeded(*one) for one in told.get("seeds", ()))
    return Kept(**told | lists | {"wrong": tuple(tuple(row) for row in told["wrong"]), "note": note, "seeds": seeds})


def bytes_in(folder: Path) -> int:
    """The size of the files in a folder, 0 where it has gone."""
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0
