"""Where models compute and in which precision: decided once, in one place.

torch takes seconds to import. Nothing of it is needed to show the page, so this module asks for it when the first model does.
"""

import math
import os
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from models.errors import Problem

if TYPE_CHECKING:
    import torch

KINDS = ("auto", "cpu", "cuda", "mps")
DTYPES = {"float32": ("cpu", "cuda", "mps"), "bfloat16": ("cuda",), "int8": ("cpu",)}  # numbers of the weights: where they can be had
BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}
SHARE = 0.6  # of the memory, for the weights of models; the rest is for activations, caches and everybody else
CGROUP = Path("/sys/fs/cgroup")


class Device:
    """The processor that models run on. Problem at once where the operator wishes for one that is not there.

    `wish`: "auto" takes CUDA, else MPS, else the CPU. `dtype`: "float32" (also the default), on CUDA also "bfloat16", on the CPU "int8".
    """

    def __init__(self, wish: str = "auto", dtype: str | None = None):
        if wish not in KINDS:
            raise ValueError(f"device must be one of {KINDS}, got {wish!r}")
        if dtype not in (None, *DTYPES):
            raise ValueError(f"dtype must be one of {tuple(DTYPES)}, got {dtype!r}")
        self.wish = wish
        self.dtype = dtype or "float32"
        if wish in ("cuda", "mps"):
            self._refuse_absent()
        if self.dtype != "float32" and self.kind not in DTYPES[self.dtype]:
            raise Problem("dtype_not_here", dtype=self.dtype, device=self.kind)

    @cached_property
    def kind(self) -> str:
        """ "cpu", "cuda" or "mps"."""
        if self.wish != "auto":
            return self.wish
        torch = _torch()
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    @cached_property
    def device(self) -> "torch.device":
        """The torch device, with torch set up for it."""
        torch = _torch()
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(min(torch.get_num_threads(), cores()))
        return torch.device(self.kind)

    @property
    def bytes_per_weight(self) -> int:
        """Size of one number of a model, as far as that can be said of all of them."""
        return BYTES[self.dtype]

    @cached_property
    def budget_bytes(self) -> int:
        """Memory that the weights of all models together may take."""
        total = _torch().cuda.get_device_properties(0).total_memory if self.kind == "cuda" else memory_bytes()
        return int(total * SHARE)

    def inference(self) -> AbstractContextManager:
        """No gradients within; to be held around one call, never across a `yield`, which may resume on another thread."""
        return _torch().inference_mode()

    def tidy(self) -> None:
        """Give memory that torch keeps for later back to the device."""
        if self.kind == "cuda":
            _torch().cuda.empty_cache()
        elif self.kind == "mps":
            _torch().mps.empty_cache()

    def _refuse_absent(self) -> None:
        torch = _torch()
        there = torch.cuda.is_available() if self.wish == "cuda" else torch.backends.mps.is_available()
        if not there:
            raise Problem("no_such_device", device=self.wish)


def cores(cgroup: Path = CGROUP) -> int:
    """Processors that this process may really use: torch counts those of the machine, also where a container is given few."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _words(cgroup / "cpu.max") or [*_words(cgroup / "cpu" / "cpu.cfs_quota_us"), *_words(cgroup / "cpu" / "cpu.cfs_period_us")]
    if len(quota) == 2 and quota[0].isdecimal():  # else "max" or -1: no quota
        count = min(count, math.ceil(int(quota[0]) / int(quota[1])))
    return max(count, 1)


def memory_bytes(cgroup: Path = CGROUP) -> int:
    """Main memory of this machine, or of the container that this process runs in."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        total = 8 << 30
    limit = _words(cgroup / "memory.max") or _words(cgroup / "memory" / "memory.limit_in_bytes")
    return min(total, int(limit[0])) if limit and limit[0].isdecimal() else total


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _torch() -> ModuleType:
    import torch  # noqa: PLC0415 - takes seconds, and the page is shown before the first model is asked for

    return torch
