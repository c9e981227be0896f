"""One file that a training can go on from, complete or not there at all."""

import os
import tempfile
from pathlib import Path
from typing import Any

import torch

FILE = "checkpoint.pt"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Replace FOLDER/checkpoint.pt; when the machine dies in the middle, the old one is still there."""
    handle, name = tempfile.mkstemp(prefix=".checkpoint-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, folder / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def restore(folder: Path) -> dict[str, Any] | None:
    """The state that was saved last, on the CPU, or None. Only plain data is read: a checkpoint cannot run code."""
    path = folder / FILE
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


def same_training(saved: dict[str, Any], now: dict[str, Any]) -> None:
    """ValueError where a checkpoint was made with other data or another model than are given now."""
    different = {name: (saved.get(name), now.get(name)) for name in {*saved, *now} if saved.get(name) != now.get(name)}
    if different:
        told = "; ".join(f"{name} was {old!r} and is {new!r}" for name, (old, new) in sorted(different.items()))
        raise ValueError(f"this folder holds another training ({told}); choose another folder, or start anew with --fresh")
