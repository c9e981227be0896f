"""A download that goes on where it stopped, and that counts only once its hash is right."""

import hashlib
from pathlib import Path

import requests
import urllib3

from models.errors import Problem
from models.sources.cache import Progress
from models.sources.reach import CONNECT_SECONDS, SILENCE_SECONDS

CHUNK = 1 << 18  # bytes
LIMIT = 1 << 31  # bytes; no file that the catalogue names comes near it
ATTEMPTS = 5  # connections for one download, as long as each brings something
CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, urllib3.exceptions.HTTPError)


def download(session: requests.Session, url: str, partial: Path, *, sha256: str, name: str, progress: Progress, limit: int = LIMIT) -> None:
    """Fill `partial` from `url` until it holds the file whose SHA-256 is `sha256` (hex); `name` is for errors.

    Only a broken connection leaves something behind: the part that came, which the next call continues (or drops, if its hash is wrong).
    Raises Problem: connection_cut, server_trouble, wrong_hash, archive_too_large; OSErrors of the disk and what `progress` raises pass.
    """
    partial.parent.mkdir(parents=True, exist_ok=True)
    continued = _size(partial) > 0
    try:
        _receive(session, url, partial, name=name, progress=progress, limit=limit)
        if continued and _hash(partial) != sha256:
            partial.unlink()
            _receive(session, url, partial, name=name, progress=progress, limit=limit)
        if _hash(partial) != sha256:
            raise Problem("wrong_hash", file=name)
    except requests.HTTPError as error:
        partial.unlink(missing_ok=True)
        raise Problem("server_trouble", file=name, status=error.response.status_code) from error
    except CUT as error:
        raise Problem("connection_cut", file=name) from error
    except requests.RequestException as error:
        partial.unlink(missing_ok=True)
        raise Problem("server_trouble", file=name, status=type(error).__name__) from error
    except Exception:
        partial.unlink(missing_ok=True)
        raise


def _receive(session: requests.Session, url: str, partial: Path, *, name: str, progress: Progress, limit: int) -> None:
    """Connect until the file is complete; give up where a connection brings nothing new."""
    for attempt in range(ATTEMPTS):
        before = _size(partial)
        try:
            return _connect(session, url, partial, name=name, progress=progress, limit=limit)
        except CUT:
            if attempt == ATTEMPTS - 1 or _size(partial) <= before:
                raise


def _connect(session: requests.Session, url: str, partial: Path, *, name: str, progress: Progress, limit: int) -> None:
    start = _size(partial)
    headers = {"Accept-Encoding": "identity"}  # a range counts the bytes of the file, not of a compressed answer
    if start:
        headers["Range"] = f"bytes={start}-"
    with session.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, SILENCE_SECONDS)) as response:
        if start and response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is missing, or the part is of another file: the hash will tell
        response.raise_for_status()
        if not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            start = 0
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else 0
        done = start
        with partial.open("ab" if start else "wb") as file:
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                done += len(chunk)
                if max(done, total) > limit:
                    raise Problem("archive_too_large", file=name, limit_mb=limit // 1_000_000)
                file.write(chunk)
                progress("download", done, total)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
