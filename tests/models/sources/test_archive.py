"""Taking named files out of archives that were made to do harm."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from models.errors import Problem
from models.sources.archive import safe_name, unpack


def quiet(what: str, done: int, total: int) -> None:
    """Nobody listens."""


def take(archive: Path, members: dict[str, str], folder: Path, **options: int) -> set[str]:
    """Unpack into `folder`, and which files there are anywhere beside the archive afterwards."""
    folder.mkdir()
    unpack(archive, members, folder, name="some file", progress=quiet, **options)
    return {os.path.relpath(path, folder) for path in folder.parent.rglob("*") if path.is_file() and path != archive}


def tarred(path: Path, *entries: tarfile.TarInfo, body: bytes = b"body", mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as box:
        for entry in entries:
            entry.size = len(body) if entry.isreg() else 0
            box.addfile(entry, io.BytesIO(body))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_members_whose_names_leave_the_folder_are_never_written(tmp_path: Path) -> None:
    evil = [entry("../evil"), entry("/tmp/evil"), entry("pkg/../../evil"), entry("pkg/file")]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as box:
        for info in evil:
            box.writestr(info.name, b"body")
    for archive in (tarred(tmp_path / "a.tar.gz", *evil), tmp_path / "a.zip"):
        place = tmp_path / archive.suffix
        place.mkdir()
        assert take(archive, {"kept": "pkg/file"}, place / "room") == {"kept"}
        assert not (tmp_path / "evil").exists() and not Path("/tmp/evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_only_ordinary_files_count_as_members_of_a_tar(tmp_path: Path, kind: bytes) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    archive = tarred(tmp_path / "a.tar", entry("pkg/file", kind, link=str(secret)), mode="w")
    with pytest.raises(Problem, match="archive_broken"):
        take(archive, {"file": "pkg/file"}, tmp_path / "room")
    assert list((tmp_path / "room").iterdir()) == []


def test_a_link_is_no_member_of_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("pkg/file")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as box:
        box.writestr(info, "/etc/passwd")
    with pytest.raises(Problem, match="archive_broken"):
        take(tmp_path / "a.zip", {"file": "pkg/file"}, tmp_path / "room")


def test_an_archive_that_unpacks_to_more_than_the_limit_is_stopped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("pkg/file", b"\0" * 50_000_000)
    assert (tmp_path / "a.zip").stat().st_size < 100_000
    with pytest.raises(Problem, match="archive_too_large"):
        take(tmp_path / "a.zip", {"file": "pkg/file"}, tmp_path / "room", limit=5_000_000)
    assert sum(path.stat().st_size for path in (tmp_path / "room").iterdir()) <= 5_000_000


def test_the_limit_counts_the_archive_in_the_archive_too(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as box:
        box.writestr("inner", os.urandom(600_000))
    archive = tarred(tmp_path / "a.tar.gz", entry("outer.zip"), body=stream.getvalue())
    members = {"file": "outer.zip!inner"}
    assert take(archive, members, tmp_path / "enough", limit=1_300_000) == {"file"}
    with pytest.raises(Problem, match="archive_too_large"):
        take(archive, members, tmp_path / "too-little", limit=1_100_000)


def test_a_plain_tar_that_ends_in_a_zip_is_read_as_a_tar(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as box:
        box.writestr("pkg/file", b"from the zip")
    archive = tarred(tmp_path / "a.tar", entry("outer.zip"), body=stream.getvalue(), mode="w")
    assert zipfile.is_zipfile(archive)
    take(archive, {"outer": "outer.zip"}, tmp_path / "room")
    assert (tmp_path / "room" / "outer").read_bytes() == stream.getvalue()


def flipped(content: bytes, place: int) -> bytes:
    """The same with one bit changed."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_what_stands_behind_the_end_of_a_tar_is_read_up_to_the_limit(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    plain = tarred(archive, entry("pkg/file"), mode="w").read_bytes()
    archive.write_bytes(gzip.compress(plain + b"\0" * 3_000_000))
    assert take(archive, {"kept": "pkg/file"}, tmp_path / "enough") == {"kept"}
    with pytest.raises(Problem, match="archive_too_large"):
        take(archive, {"kept": "pkg/file"}, tmp_path / "too-little", limit=1_000_000)


def test_every_damage_to_an_archive_is_one_problem(tmp_path: Path) -> None:
    body = os.urandom(200_000)
    whole = tarred(tmp_path / "a.tar.gz", entry("pkg/file"), body=body).read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("pkg/file", body)
    boxed = (tmp_path / "a.zip").read_bytes()
    damaged = [
        b"",
        b"no archive",
        whole[:100_000],
        whole[:50] + b"\xff" * 50 + whole[100:],
        flipped(whole, 150_000),
        boxed[:100_000],
        flipped(boxed, 150_000),
    ]
    for number, content in enumerate(damaged):
        (tmp_path / "damaged").write_bytes(content)
        with pytest.raises(Problem, match="archive_broken"):
            take(tmp_path / "damaged", {"file": "pkg/file"}, tmp_path / f"room-{number}")


def test_what_progress_raises_is_not_taken_for_a_broken_archive(tmp_path: Path) -> None:
    def leave(what: str, done: int, total: int) -> None:
        raise RuntimeError("the visitor has left")

    archive = tarred(tmp_path / "a.tar.gz", entry("pkg/file"))
    with pytest.raises(RuntimeError, match="has left"):
        unpack(archive, {"file": "pkg/file"}, tmp_path, name="some file", progress=leave)


@pytest.mark.parametrize("name, safe", [("a", True), ("a/b.c", True), ("..a/b", True), ("a/..", False), ("~/a", True), ("a/\0b", False)])
def test_which_names_stay_inside_a_folder(name: str, safe: bool) -> None:
    assert safe_name(name) is safe
