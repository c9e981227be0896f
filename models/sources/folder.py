"""Weights in a folder that the operator named."""

from dataclasses import dataclass
from pathlib import Path

from models.errors import Problem
from models.sources.cache import Progress


@dataclass(frozen=True)
class Folder:
    """A folder on this machine, such as `save_pretrained` writes."""

    path: Path

    def ready(self) -> Path | None:
        """The folder, if it is there."""
        return self.path if self.path.is_dir() else None

    def fetch(self, model: str, *, offline: bool, progress: Progress) -> Path:
        """The folder; Problem folder_missing where it has gone."""
        if path := self.ready():
            return path
        raise Problem("folder_missing", folder=str(self.path))
