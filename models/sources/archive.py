"""Takes the named files out of a zip or tar archive, and nothing else; what an archive says about itself is never trusted.

A member is named by its path; "outer.zip!inner/file" is a file in an archive in the archive. Links, devices and folders are no files.
"""

import gzip
import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from models.errors import Problem
from models.sources.cache import Progress

CHUNK = 1 << 20  # bytes
LIMIT = 1 << 31  # bytes unpacked from one archive, those inside it included
BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


def safe_name(name: str) -> bool:
    """Whether a relative path with forward slashes stays inside the folder that it is put into, on every system."""
    return all(part not in ("", ".", "..") for part in name.split("/")) and not any(sign in name for sign in "\\:\0")


def unpack(archive: Path, members: Mapping[str, str], folder: Path, *, name: str, progress: Progress, limit: int = LIMIT) -> None:
    """Write each of `members` (name to write: member path) under `folder`: one pass, at most `limit` bytes; `name` is for errors.

    Raises Problem: archive_broken (not an archive, or a member is missing or no file), archive_too_large; lets through OSError of the disk.
    """
    Unpacking(name, progress=progress, limit=limit).take(archive, members, folder)


class Unpacking:
    """One archive being unpacked: counts the bytes of it and of the archives inside it together."""

    def __init__(self, name: str, *, progress: Progress, limit: int):
        self.name, self.progress, self.limit = name, progress, limit
        self.done = 0

    def take(self, archive: Path, members: Mapping[str, str], folder: Path) -> None:
        direct = {member: name for name, member in members.items() if "!" not in member}
        inner: dict[str, dict[str, str]] = {}
        for name, member in members.items():
            if "!" in member:
                outer, _, rest = member.partition("!")
                inner.setdefault(outer, {})[name] = rest
        missing = {*direct, *inner}
        with closing(self._files(archive, frozenset(missing))) as files:
            for member, stream in files:
                if member in missing:
                    missing.discard(member)
                    self._put(stream, direct.get(member), inner.get(member), folder)
        if missing:
            raise Problem("archive_broken", file=self.name, member=min(missing))

    def _put(self, stream: BinaryIO, name: str | None, inner: Mapping[str, str] | None, folder: Path) -> None:
        if name is not None:
            assert safe_name(name), name
            target = folder.joinpath(*name.split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            self._copy(stream, target)
        else:
            with tempfile.TemporaryDirectory(dir=folder) as room:
                archive = Path(room, "archive")
                self._copy(stream, archive)
                self.take(archive, inner, folder)

    def _copy(self, stream: BinaryIO, target: Path) -> None:
        with target.open("xb") as file:
            for chunk in self._chunks(stream):
                file.write(chunk)
                self.progress("unpack", self.done, 0)
            file.flush()
            os.fsync(file.fileno())  # the folder's name will promise that its files are whole, also after a power cut

    def _chunks(self, stream: BinaryIO) -> Iterator[bytes]:
        """What is left of a stream, counted."""
        while chunk := self._read(stream):
            self.done += len(chunk)
            if self.done > self.limit:
                raise Problem("archive_too_large", file=self.name, limit_mb=self.limit // 1_000_000)
            yield chunk

    def _read(self, stream: BinaryIO) -> bytes:
        try:
            return stream.read(CHUNK)
        except BROKEN as error:
            raise Problem("archive_broken", file=self.name, member=str(error)) from error

    def _files(self, archive: Path, wanted: Collection[str]) -> Iterator[tuple[str, BinaryIO]]:
        """The wanted members that are ordinary files, each with a stream to read it from."""
        try:
            with archive.open("rb") as file:
                zipped = file.read(4) == b"PK\x03\x04"  # a plain tar that ends in a zip would pass for one with zipfile.is_zipfile
            yield from _zipped(archive, wanted) if zipped else self._tarred(archive, wanted)
        except BROKEN as error:
            raise Problem("archive_broken", file=self.name, member=str(error)) from error

    def _tarred(self, archive: Path, wanted: Collection[str]) -> Iterator[tuple[str, BinaryIO]]:
        with tarfile.open(archive, "r:*") as box:
            for info in box:
                if info.name in wanted and info.isreg():
                    with box.extractfile(info) as stream:
                        yield info.name, stream
            for _ in self._chunks(box.fileobj):  # what is compressed has its checksum at the very end, which nobody reads otherwise
                pass


def _zipped(archive: Path, wanted: Collection[str]) -> Iterator[tuple[str, BinaryIO]]:
    with zipfile.ZipFile(archive) as box:
        for info in box.infolist():
            if info.filename in wanted and not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16):
                with box.open(info) as stream:
                    yield info.filename, stream
