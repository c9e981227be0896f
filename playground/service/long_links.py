"""Views that are too long for a link, kept as files: bounded in number and bytes, each there whole or not at all.

A file is called by the digest of what it holds, so the same view is kept once, and a name cannot be guessed.
"""

import hashlib
import os
import re
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from models.errors import Problem
from models.sources.cache import disk_trouble

MOST = 2_000  # files
MOST_BYTES = 50_000_000  # of all files together
NAME = re.compile(r"[0-9a-f]{32}")


class LongLinks:
    """The views that one server keeps. Every method may be called from any thread, and several servers may share a folder."""

    def __init__(self, folder: Path, *, most: int = MOST, most_bytes: int = MOST_BYTES):
        self.folder, self._most, self._most_bytes = folder, most, most_bytes
        self._lock = threading.Lock()

    def keep(self, link: str) -> str:
        """Keep a link's data and give its name; what nobody kept or opened for the longest time goes. Problem: those of the disk."""
        name = digest(link)
        with disk_trouble(self.folder), self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = self.folder / f".new-{secrets.token_hex(8)}"
            try:
                unfinished.write_text(link, encoding="ascii")
                unfinished.replace(self.folder / name)
            finally:
                unfinished.unlink(missing_ok=True)
            self._make_room(name)
        return name

    def get(self, name: str) -> str:
        """What was kept under `name`; Problem link_lost where there is nothing, or something else by now."""
        if not NAME.fullmatch(name):
            raise Problem("link_bad")
        file = self.folder / name
        try:
            link = file.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise Problem("link_lost") from error
        if digest(link) != name:
            raise Problem("link_lost")
        with suppress(OSError):  # in a folder that may only be read the file is merely older than it might be
            os.utime(file)
        return link

    def _make_room(self, newest: str) -> None:
        """Delete the oldest until the rest fits. The caller holds the lock."""
        found = []
        for file in self.folder.glob("[0-9a-f]*"):
            try:
                found.append((file.name == newest, file.stat().st_mtime_ns, file.stat().st_size, file))
            except OSError:
                continue  # another server was faster
        found.sort()
        total = sum(size for *_, size, _ in found)
        while len(found) > 1 and (len(found) > self._most or total > self._most_bytes):
            *_, size, file = found.pop(0)
            file.unlink(missing_ok=True)
            total -= size


def digest(link: str) -> str:
    """The name of what is kept."""
    return hashlib.sha256(link.encode()).hexdigest()[:32]
