"""Weights that ship with the project, in `assets/`."""

from dataclasses import dataclass
from pathlib import Path

from models.errors import Problem
from models.sources.cache import Progress

ROOT = Path(__file__).resolve().parents[2] / "assets"


@dataclass(frozen=True)
class Assets:
    """A folder under `assets/`, named relative to it."""

    folder: str

    def ready(self) -> Path | None:
        """The folder, if it is there and not empty."""
        path = ROOT / self.folder
        return path if path.is_dir() and any(path.iterdir()) else None

    def fetch(self, model: str, *, offline: bool, progress: Progress) -> Path:
        """The folder; Problem assets_missing where the checkout lacks it."""
        if path := self.ready():
            return path
        raise Problem("assets_missing", model=model)
