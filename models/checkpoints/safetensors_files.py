"""Reader of safetensors: the header is checked by the library, tensors are mapped and read when they are asked for."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.checkpoints.weights import Weights, broken


class SafetensorsFile(Weights):
    """One `.safetensors` file."""

    model_type = None

    def __init__(self, path: Path):
        self.file = path.name
        try:
            self.handle = safe_open(path, framework="pt", device="cpu")
        except SafetensorError as error:
            raise broken(self.file, str(error)) from error
        self.metadata = dict(self.handle.metadata() or {})

    def names(self) -> list[str]:
        return list(self.handle.keys())

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.handle.get_slice(name).get_shape())

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        return self.handle.get_tensor(name).to(dtype)

    def close(self) -> None:
        self.handle = None
