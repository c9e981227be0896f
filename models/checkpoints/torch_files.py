"""Reader of `pytorch_model.bin`, a pickle: read with `weights_only=True`, which builds tensors and runs nothing, or not at all."""

import zipfile
from pathlib import Path

import torch

from models.checkpoints.weights import StateDict, broken


def open_torch(path: Path) -> StateDict:
    """The tensors of a file that `torch.save` wrote; new files are mapped, the older kind is read whole."""
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # a hostile pickle can raise anything, and none of it may reach the caller as it is
        raise broken(
            path.name, f"torch.load(weights_only=True) refuses it: {str(error).strip().splitlines()[0] if str(error) else error!r}"
        ) from error
    if not isinstance(tensors, dict):
        raise broken(path.name, f"it holds a {type(tensors).__name__} instead of named tensors")
    return StateDict(tensors, file=path.name)
