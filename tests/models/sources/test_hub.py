"""Fetching from a model hub: a small one on this machine, and the library's own cache laid out by hand."""

import errno
import os
import threading
from pathlib import Path

import pytest
from httpx2 import ConnectTimeout, Request, Response
from huggingface_hub import constants
from huggingface_hub.errors import DisabledRepoError, GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

from models.card import Card
from models.errors import Problem
from models.sources import Hub, clear, fetch, hub, is_local

REPO = "someone/small-bert"
SHA = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = os.urandom(300_000)
SMALL = {"config.json": b'{"model_type": "bert"}', "tokenizer.json": b"{}", "vocab.txt": b"a\n", "README.md": b"# hello"}
OTHERS = {
    "run.py": b"raise SystemExit",
    "flax_model.msgpack": b"x",
    "onnx/config.json": b"{}",
    "weights.pkl": b"x",
    "training_args.bin": b"x",
}


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's library."""
    folder = tmp_path / "hub-cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return folder


@pytest.fixture
def source(server, cache, hub_cache) -> Hub:
    server.repos[REPO] = SMALL | OTHERS | {"model.safetensors": WEIGHTS, "pytorch_model.bin": b"pickle"}
    return Hub(repo=REPO, endpoint=server.url)


def card(source: Hub) -> Card:
    return Card(name="small-bert", sources=(source,), note={"en": "-", "zh": "-"})


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def refusal(source: Hub, **options: object) -> Problem:
    with pytest.raises(Problem) as caught:
        fetch(card(source), **options)
    return caught.value


def by_hand(hub_cache: Path, files: dict[str, bytes], revision: str = "main") -> Path:
    """A snapshot as the library lays it out: the revision's commit, and the files linked from the folder of blobs."""
    place = hub_cache / "models--someone--small-bert"
    snapshot = place / "snapshots" / SHA
    for folder in (place / "refs", place / "blobs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    (place / "refs" / revision).write_text(SHA)
    for number, (name, body) in enumerate(files.items()):
        (place / "blobs" / str(number)).write_bytes(body)
        (snapshot / name).symlink_to(Path("../../blobs") / str(number))
    return snapshot


def test_the_config_the_tokenizer_and_the_safe_weights_are_fetched_and_nothing_else(server, hub_cache, source) -> None:
    assert not is_local(card(source))
    folder = fetch(card(source))
    assert names(folder) == {"config.json", "tokenizer.json", "vocab.txt", "model.safetensors"}
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub_cache in folder.parents
    asked = len(server.asked)
    assert is_local(card(source)) and fetch(card(source)) == folder and fetch(card(source), offline=True) == folder
    assert len(server.asked) == asked


def test_old_repositories_give_their_pytorch_file(server, source) -> None:
    del server.repos[REPO]["model.safetensors"]
    assert "pytorch_model.bin" in names(fetch(card(source)))
    assert not any(line.endswith(("weights.pkl", "training_args.bin", "run.py")) for line in server.asked)


def test_weights_in_parts_are_fetched_with_their_index(server, source) -> None:
    del server.repos[REPO]["model.safetensors"]
    index = b'{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}'
    parts = {"model-00001-of-00002.safetensors": b"1", "model-00002-of-00002.safetensors": b"2", "model.safetensors.index.json": index}
    server.repos[REPO] |= parts
    folder = fetch(card(source))
    assert set(parts) <= names(folder) and "pytorch_model.bin" not in names(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert not is_local(card(source))


def test_another_revision_is_another_question(server, source) -> None:
    fetch(card(Hub(repo=REPO, revision="v2", endpoint=server.url)))
    assert any(line.startswith(f"GET /api/models/{REPO}/revision/v2") for line in server.asked)
    assert not is_local(card(source))


def test_progress_counts_the_bytes(server, source) -> None:
    told: list[tuple[str, int, int]] = []
    fetch(card(source), progress=lambda *what: told.append(what))
    total = sum(len(server.repos[REPO][name]) for name in ("config.json", "tokenizer.json", "vocab.txt", "model.safetensors"))
    assert told[-1] == ("download", total, total)


class Enough(RuntimeError):
    """The visitor has left."""


def test_a_cancelled_fetch_is_not_taken_for_a_model_and_the_next_one_works(source) -> None:
    def leave(what: str, done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        fetch(card(source), progress=leave)
    assert not is_local(card(source))
    assert (fetch(card(source)) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_snapshot_laid_out_by_hand_is_found_without_a_server(server, hub_cache, source) -> None:
    snapshot = by_hand(hub_cache, {"config.json": b"{}", "model.safetensors": WEIGHTS})
    assert is_local(card(source)) and fetch(card(source), offline=True) == snapshot
    assert server.asked == []


@pytest.mark.parametrize(
    "files",
    [
        {"config.json": b"{}"},
        {"model.safetensors": b"1"},
        {"config.json": b"{}", "model.safetensors.index.json": b'{"weight_map": {"a": "model-00001-of-00002.safetensors"}}'},
        {"config.json": b"{}", "model.safetensors.index.json": b"{"},
        {"config.json": b"{}", "other.bin": b"1"},
    ],
)
def test_a_snapshot_that_is_not_complete_is_not_taken_for_a_model(server, hub_cache, source, files) -> None:
    by_hand(hub_cache, files)
    assert not is_local(card(source))
    assert refusal(source, offline=True).key == "offline"
    assert server.asked == []


def test_a_snapshot_whose_download_was_broken_off_is_completed(server, hub_cache, source) -> None:
    folder = fetch(card(source))
    (folder / "tokenizer.json").unlink()
    assert not is_local(card(source)) and refusal(source, offline=True).key == "offline"
    assert "tokenizer.json" in names(fetch(card(source)))


def test_offline_asks_nobody(server, source, monkeypatch) -> None:
    assert refusal(source, offline=True).key == "offline"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal(source).key == "offline"
    assert server.asked == []


def test_what_a_visitor_typed_is_fetched_without_the_operators_rights_into_our_own_cache(
    cache, hub_cache, server, source, monkeypatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    by_hand(hub_cache, {"config.json": b"{}", "model.safetensors": b"private"})
    seen: list[object] = []
    original = hub.HfApi
    monkeypatch.setattr(hub, "HfApi", lambda **options: seen.append(options["token"]) or original(**options))
    folder = fetch(card(Hub(repo=REPO, endpoint=server.url, anonymous=True)))
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert cache in folder.parents and seen == [False]
    assert len(WEIGHTS) <= clear() < 2 * len(WEIGHTS) and not folder.exists()


def test_a_repository_larger_than_the_limit_is_refused_before_the_download(server, source) -> None:
    server.repos[REPO]["model.safetensors"] = b"x" * 2_000_001
    problem = refusal(Hub(repo=REPO, endpoint=server.url, limit_mb=2))
    assert (problem.key, problem.values) == ("hub_too_large", {"repo": REPO, "size_mb": 2, "limit_mb": 2})
    assert not any("resolve" in line for line in server.asked)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_repository_without_config_or_weights_is_refused(server, source, missing) -> None:
    del server.repos[REPO]["pytorch_model.bin"]
    del server.repos[REPO][missing]
    assert refusal(source).key == "hub_not_usable"


@pytest.mark.parametrize(
    "status, headers, key",
    [
        (404, {"X-Error-Code": "RepoNotFound"}, "hub_repo_not_found"),
        (401, {}, "hub_repo_not_found"),
        (403, {"X-Error-Code": "GatedRepo"}, "hub_gated"),
        (403, {"X-Error-Message": "Access to this resource is disabled."}, "hub_repo_not_found"),
        (404, {"X-Error-Code": "RevisionNotFound"}, "hub_revision_not_found"),
        (500, {}, "server_trouble"),
        (200, {"Content-Type": "text/html"}, "no_network"),
    ],
)
def test_what_the_hub_refuses_is_said_and_the_next_try_works(server, source, status, headers, key) -> None:
    server.status["/api/"] = (status, headers)
    assert refusal(source).key == key
    server.status.clear()
    assert (fetch(card(source)) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_repository_that_the_hub_does_not_have_is_said(server, source) -> None:
    assert refusal(Hub(repo="someone/else", endpoint=server.url)).key == "hub_repo_not_found"
    assert refusal(Hub(repo="not--valid", endpoint=server.url)).key == "hub_repo_not_found"


def test_a_hub_that_is_not_there_is_said(source) -> None:
    assert refusal(Hub(repo=REPO, endpoint="http://127.0.0.1:9")).key == "no_network"


def test_a_hub_that_never_answers_is_given_up_after_seconds(server, source, monkeypatch) -> None:
    server.hold["/api/"] = threading.Event()
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.3)
    assert refusal(source).key == "no_network"


def response(status: int) -> Response:
    return Response(status, request=Request("GET", "http://hub.invalid/"))


@pytest.mark.parametrize(
    "error, key",
    [
        (GatedRepoError("", response=response(403)), "hub_gated"),
        (RepositoryNotFoundError("", response=response(404)), "hub_repo_not_found"),
        (DisabledRepoError("", response=response(403)), "hub_repo_not_found"),
        (HfHubHTTPError("", response=response(502)), "server_trouble"),
        (OfflineModeIsEnabled(), "offline"),
        (ConnectTimeout(""), "connection_cut"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "connection_cut"),
        (RuntimeError("CAS client: request failed"), "connection_cut"),
        (OSError(errno.ENOSPC, "full"), "disk_full"),
        (PermissionError(errno.EACCES, "denied"), "cache_not_writable"),
        (OSError(errno.EIO, "broken"), "disk_trouble"),
    ],
)
def test_what_goes_wrong_in_the_download_is_said(source, monkeypatch, error, key) -> None:
    def broken(*_: object, local_files_only: bool = False, **__: object) -> str:
        raise FileNotFoundError if local_files_only else error

    monkeypatch.setattr(hub, "snapshot_download", broken)
    assert refusal(source).key == key


def test_a_download_that_misses_its_weights_is_not_taken_for_a_model(source, monkeypatch, tmp_path) -> None:
    def empty(*_: object, local_files_only: bool = False, **__: object) -> str:
        return str(tmp_path)

    monkeypatch.setattr(hub, "snapshot_download", empty)
    assert refusal(source).key == "connection_cut"
