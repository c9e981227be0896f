"""How much memory a piece of work needs at its highest moment."""

import threading
from typing import Self

import torch

from playground.service.resident import STATM, give_back, resident

LOOK_SECONDS = 0.02


class Peak:
    """A context: `n_bytes` is how much more memory was in use at the highest moment inside than at the start; None where it cannot be told.

    On a GPU it is what PyTorch had allocated there, at its exact height. On a CPU it is the resident memory of the whole process, looked at
    every 20 ms, so what others do in it at the same time counts too.
    """

    def __init__(self, device: torch.device):
        self.n_bytes: int | None = None
        self._device, self._start, self._highest = device, 0, 0
        self._over, self._watcher = threading.Event(), threading.Thread(target=self._watch, name="peak", daemon=True)

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            self._start = torch.cuda.memory_allocated(self._device)
        elif STATM.exists():
            give_back()
            self._start = self._highest = resident()
            self._watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._device.type == "cuda":
            self._highest = torch.cuda.max_memory_allocated(self._device)
        elif STATM.exists():
            self._over.set()
            self._watcher.join()
        else:
            return
        self.n_bytes = max(self._highest - self._start, 0)

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._highest = max(self._highest, resident())
