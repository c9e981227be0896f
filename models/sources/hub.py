"""Weights from the model hub: the config, the tokenizer and one file format of weights, never a pickle other than `pytorch_model.bin`."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi, is_offline_mode, snapshot_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import tqdm

from models.errors import Problem
from models.sources.cache import Progress, cache_folder, disk_trouble, locked
from models.sources.reach import ANSWER_SECONDS, CONNECT_SECONDS, within

FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "source.spm",
    "target.spm",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "chat_template.jinja",
)
WEIGHTS = (  # in order of preference: one file, or an index and its parts
    ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A model repository of the hub; `files` are the names (or patterns) of what is fetched besides the weights.

    Fetched into the hub's own cache with the user's own access rights. `anonymous`, for what a visitor typed: without those rights and into
    this project's cache, so that nobody is shown the operator's private models. `limit_mb` refuses larger downloads.
    """

    repo: str
    revision: str = "main"
    files: tuple[str, ...] = FILES
    limit_mb: int | None = None
    anonymous: bool = False
    endpoint: str | None = None

    @property
    def key(self) -> str:
        """The name of the repository's folder in a hub cache."""
        return "models--" + self.repo.replace("/", "--")

    @property
    def _place(self) -> Path | None:
        return cache_folder() / "hub" if self.anonymous else None

    def ready(self) -> Path | None:
        """The snapshot in the cache, if its files and weights are complete; asks nobody."""
        try:
            found = snapshot_download(
                self.repo, revision=self.revision, cache_dir=self._place, allow_patterns=list(self.files), local_files_only=True
            )
        except (LocalEntryNotFoundError, HFValidationError, OSError):
            return None
        return Path(found) if _complete(Path(found)) else None

    def fetch(self, model: str, *, offline: bool, progress: Progress) -> Path:
        """The snapshot, downloaded where it is not complete yet.

        Raises Problem: offline, no_network, hub_repo_not_found, hub_gated, hub_revision_not_found, hub_not_usable, hub_too_large,
        server_trouble, connection_cut, disk_full, cache_not_writable, disk_trouble.
        """
        if path := self.ready():
            return path
        if offline or is_offline_mode():
            raise Problem("offline", model=model)
        with disk_trouble(self._place or Path(HF_HUB_CACHE)), locked(self.key, progress) if self.anonymous else nullcontext():
            with self._trouble(model, unreachable="no_network"):
                sizes = self._list()
            wanted = self._choose(sizes)
            total = sum(sizes[name] for name in wanted)
            if self.limit_mb is not None and total > self.limit_mb * 1_000_000:
                raise Problem("hub_too_large", repo=self.repo, size_mb=total // 1_000_000, limit_mb=self.limit_mb)
            meter = Meter(total, progress)
            with meter, self._trouble(model, unreachable="connection_cut"):
                found = snapshot_download(
                    self.repo,
                    revision=self.revision,
                    cache_dir=self._place,
                    allow_patterns=wanted,
                    tqdm_class=meter.bar(),
                    token=self._token,
                    endpoint=self.endpoint,
                )
        if not _complete(Path(found)):
            raise Problem("connection_cut", file=self.repo)
        return Path(found)

    @property
    def _token(self) -> bool | None:
        return False if self.anonymous else None

    def _list(self) -> dict[str, int]:
        """Names and sizes (bytes) of the files of the repository."""
        api = HfApi(endpoint=self.endpoint, token=self._token)
        info = within(
            ANSWER_SECONDS, lambda: api.model_info(self.repo, revision=self.revision, files_metadata=True, timeout=CONNECT_SECONDS)
        )
        return {file.rfilename: file.size or 0 for file in info.siblings or ()}

    def _choose(self, names: dict[str, int]) -> list[str]:
        small = [name for name in names if any(fnmatch(name, pattern) for pattern in self.files)]
        for single, index, parts in WEIGHTS:
            weights = [single] if single in names else [name for name in names if name == index or fnmatch(name, parts)]
            if "config.json" in small and (single in weights or index in weights):
                return small + weights
        raise Problem("hub_not_usable", repo=self.repo)

    @contextmanager
    def _trouble(self, model: str, *, unreachable: str) -> Iterator[None]:
        """Turn what the hub's library raises into Problems; the classes overlap, so the order counts."""
        try:
            yield
        except GatedRepoError as error:
            raise Problem("hub_gated", repo=self.repo) from error
        except RevisionNotFoundError as error:
            raise Problem("hub_revision_not_found", repo=self.repo, revision=self.revision) from error
        except (RepositoryNotFoundError, DisabledRepoError, HFValidationError) as error:
            raise Problem("hub_repo_not_found", repo=self.repo) from error
        except OfflineModeIsEnabled as error:
            raise Problem("offline", model=model) from error
        except HfHubHTTPError as error:
            if error.response.status_code == 401:  # how the hub speaks of what is private or does not exist
                raise Problem("hub_repo_not_found", repo=self.repo) from error
            raise Problem("server_trouble", file=self.repo, status=error.response.status_code) from error
        except (HTTPError, TimeoutError, ConnectionError, EntryNotFoundError, json.JSONDecodeError, RuntimeError) as error:
            # a RuntimeError is what the hub's second transport (xet) raises when it is cut; JSON is missing behind a login page
            raise Problem(unreachable, model=model, file=self.repo) from error


class Meter:
    """Adds up the bytes of the files that the hub's library fetches side by side, and ends them all when the caller's `progress` raises."""

    def __init__(self, total: int, progress: Progress):
        self.total, self.progress = total, progress
        self.done = 0
        self.stopped: BaseException | None = None
        self.lock = threading.Lock()

    def add(self, count: float) -> None:
        with self.lock:
            if self.stopped is None:
                self.done += int(count)
                try:
                    self.progress("download", self.done, self.total)
                except BaseException as error:
                    self.stopped = error
            if self.stopped is not None:
                raise self.stopped

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        if self.stopped is not None:  # the library may have wrapped it, or gone on without noticing
            raise self.stopped

    def bar(self) -> type[tqdm]:
        """The class of progress bar that reports here instead of drawing."""
        meter = self

        class Bar(tqdm):
            def __init__(self, *args: object, **kwargs: object):
                self.counts = kwargs.get("name") == "huggingface_hub.snapshot_download"  # bytes; the other bars count files
                super().__init__(*args, **(kwargs | {"disable": True}))

            def update(self, n: float | None = 1) -> None:
                if self.counts:
                    meter.add(n or 0)

        return Bar


def _complete(folder: Path) -> bool:
    """Whether a snapshot has a config and all parts of one format of weights."""
    return (folder / "config.json").is_file() and any(_has_weights(folder, single, index) for single, index, _ in WEIGHTS)


def _has_weights(folder: Path, single: str, index: str) -> bool:
    if (folder / single).is_file():
        return True
    try:
        parts = set(json.loads((folder / index).read_bytes())["weight_map"].values())
    except (OSError, ValueError, KeyError):
        return False
    return all((folder / part).is_file() for part in parts)
