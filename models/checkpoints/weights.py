"""What every weight file offers, whatever its format."""

from collections.abc import Mapping
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from models.errors import Problem


class Weights(Protocol):
    """Named tensors that are read one at a time, so that a model is never in memory twice.

    `file` is the name to put in messages; `metadata` is what the file says about itself; `model_type` is its kind in the words of
    `Family.speaks`, or None where a config.json beside the file has to say it.
    """

    file: str
    metadata: Mapping[str, Any]
    model_type: str | None

    def names(self) -> list[str]:
        """The tensors of the network, without the format's own bookkeeping."""
        ...

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape that `read` will give, without reading."""
        ...

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        """One tensor on the CPU, quantised ones turned back into numbers."""
        ...

    def close(self) -> None:
        """Let go of the file; tensors that were read stay valid."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class QuantisedWeights(Weights, Protocol):
    """A file that stores 8-bit matrices."""

    def raw(self, name: str) -> tuple[Tensor, Tensor] | None:
        """The matrix as stored, int8 (out, in), and what one step is worth in each row, float32 (out): w = int8 * step.

        None where the tensor is not stored like that.
        """
        ...


class StateDict(Weights):
    """Weights that are in memory already."""

    model_type = None

    def __init__(self, tensors: Mapping[str, Tensor], *, file: str = "memory"):
        self.file = file
        self.metadata: dict[str, Any] = {}
        self.tensors = dict(tensors)
        for name, tensor in self.tensors.items():
            if not isinstance(name, str) or not isinstance(tensor, Tensor) or tensor.layout is not torch.strided or tensor.is_quantized:
                raise broken(file, f"{name!r} is not an ordinary tensor")

    def names(self) -> list[str]:
        return list(self.tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.tensors[name].shape)

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        return self.tensors[name].detach().to(dtype)

    def close(self) -> None:
        self.tensors = {}


def broken(file: str, reason: str) -> Problem:
    """The refusal of a file that is damaged or not what its name says."""
    return Problem("broken_weights", file=file, reason=reason)


def unsupported(file: str, what: str) -> Problem:
    """The refusal of a sound file that uses something this project does not read."""
    return Problem("unsupported_weights", file=file, what=what)
