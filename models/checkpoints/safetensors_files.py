"""Reader of safetensors: the header is checked by the library, tensors are mapped and read when they are asked for.

Where `NAME` is a matrix of int8 (out, in) and `NAME_scale` (out,) stands beside it, the matrix is their product: half the size of 16 bits.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.checkpoints.weights import QuantisedWeights, broken

SCALE = "_scale"


class SafetensorsFile(QuantisedWeights):
    """One `.safetensors` file."""

    model_type = None

    def __init__(self, path: Path):
        self.file = path.name
        try:
            self.handle = safe_open(path, framework="pt", device="cpu")
        except SafetensorError as error:
            raise broken(self.file, str(error)) from error
        self.metadata = dict(self.handle.metadata() or {})
        self.all = list(self.handle.keys())
        names = set(self.all)
        self.eight_bits = {name for name in names if f"{name}{SCALE}" in names and self.is_matrix_of_bytes(name)}

    def is_matrix_of_bytes(self, name: str) -> bool:
        """Int8 (out, in), with a scale for each row."""
        matrix, scale = self.handle.get_slice(name), self.handle.get_slice(f"{name}{SCALE}")
        return matrix.get_dtype() == "I8" and len(matrix.get_shape()) == 2 and scale.get_shape() == matrix.get_shape()[:1]

    def names(self) -> list[str]:
        scales = {f"{name}{SCALE}" for name in self.eight_bits}
        return [name for name in self.all if name not in scales]

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.handle.get_slice(name).get_shape())

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        if (found := self.raw(name)) is not None:
            return found[0].float().mul_(found[1][:, None]).to(dtype)
        return self.handle.get_tensor(name).to(dtype)

    def raw(self, name: str) -> tuple[Tensor, Tensor] | None:
        """An 8-bit matrix as it is stored, and what one step is worth in each of its rows."""
        if name not in self.eight_bits:
            return None
        return self.handle.get_tensor(name), self.handle.get_tensor(f"{name}{SCALE}").float()

    def close(self) -> None:
        self.handle = None
