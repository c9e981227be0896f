"""Where fetched files live, who may write there now, and what a disk can refuse.

One key names one thing to fetch: `models/<key>/` holds it whole, `downloads/<key>.partial` grows, `locks/<key>.lock` says who is at it.
What visitors had fetched from the hub is in `hub/<key>/`, laid out as the hub's library wants it.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from models.errors import Problem

Progress = Callable[[str, int, int], None]  # what is going on ("wait", "download", "unpack"), bytes done, bytes in all (0: not known)
VARIABLE = "TRANSFORMER_PLAYGROUND_CACHE"
WAIT_SECONDS = 0.5  # how often a waiting fetch asks its caller whether to go on
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


def cache_folder() -> Path:
    """The user's cache folder for this project; the environment variable TRANSFORMER_PLAYGROUND_CACHE moves it. Not created here."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("transformer-playground", appauthor=False)


def model_folder(key: str) -> Path:
    """The folder that holds a fetched thing whole, or nothing."""
    return cache_folder() / "models" / key


def partial_file(key: str) -> Path:
    """The file that a download grows in."""
    return cache_folder() / "downloads" / f"{key}.partial"


@contextmanager
def locked(key: str, progress: Progress) -> Iterator[None]:
    """Let one thread of one process at a time fetch `key`; the others wait and tell `progress` so, which may raise to give up."""
    lock = _lock(key)
    while True:
        try:
            lock.acquire(timeout=WAIT_SECONDS)
            break
        except Timeout:
            progress("wait", 0, 0)
    try:
        yield
    finally:
        lock.release()


def _lock(key: str) -> FileLock:
    path = cache_folder() / "locks" / f"{key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


@contextmanager
def disk_trouble(folder: Path) -> Iterator[None]:
    """Turn what the disk under `folder` refuses into a Problem that says what to do about it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in FULL:
            raise Problem("disk_full", folder=str(folder)) from error
        if error.errno in CLOSED:
            raise Problem("cache_not_writable", folder=str(folder), reason=reason) from error
        raise Problem("disk_trouble", folder=str(folder), reason=reason) from error


def clear() -> int:
    """Delete what was fetched and return the bytes freed; what is being fetched right now stays, and so does the hub's own cache."""
    freed = 0
    with disk_trouble(cache_folder()):
        for path in [path for pattern in ("models/*", "downloads/*", "hub/models--*") for path in sorted(cache_folder().glob(pattern))]:
            freed += _delete_unless_busy(path)
    return freed


def _delete_unless_busy(path: Path) -> int:
    key = path.name.removesuffix(".partial").removesuffix(".new")
    lock = _lock(key)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return 0
    try:
        size = sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file() and not file.is_symlink())
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        return size
    finally:
        lock.release()
