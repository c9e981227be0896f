"""Every matrix product with weights goes through here.

On a CPU it is oneDNN's kernel, which without gradients also applies the activation while the result is in the cache. On processors with
AVX-512 for which the BLAS inside torch has no such path (MKL on AMD's) this is two to four times as fast, with the same weights and the
same float32 arithmetic. On others the two are equally fast forwards, and the BLAS is faster backwards; there it does what is learnt from.
"""

import platform
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.config import Activation

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu}
FUSED = {None: ("none", ""), "relu": ("relu", ""), "gelu": ("gelu", "none"), "gelu_tanh": ("gelu", "tanh"), "silu": ("swish", "")}
ROWS = 64  # the number of rows for which matrices are packed; other numbers are served as well
CPUINFO = Path("/proc/cpuinfo")
ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def wider_than_blas() -> bool:
    """Whether oneDNN computes with AVX-512 where the BLAS does not: MKL does so on Intel's processors alone."""
    if "AVX512" not in torch.backends.cpu.get_cpu_capability() or not torch.backends.mkl.is_available():
        return False
    if not CPUINFO.exists():
        return "GenuineIntel" not in platform.processor()
    with CPUINFO.open() as lines:  # the first processor stands for all: on a large machine the whole file takes long
        return "GenuineIntel" not in lines.read(200)


WIDE = wider_than_blas()


def activate(x: Tensor, name: Activation | None) -> Tensor:
    """ReLU, GELU (Hendrycks & Gimpel 2016; exact or by tanh), or SiLU, also called swish; None leaves x as it is."""
    return x if name is None else ACTIVATIONS[name](x)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: Activation | None = None) -> Tensor:
    """act(x W^T + b). x (..., in), weight (out, in) -> (..., out)"""
    if not suits_onednn(x, weight):
        return activate(F.linear(x, weight, bias), activation)
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)):
        product = Product.apply if WIDE else F.linear
        return activate(product(x, weight, bias), activation)
    return kernel(x, weight, bias, activation)


def suits_onednn(x: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN computes exactly what `F.linear` would; under autocast `F.linear` knows which type to use."""
    plain = x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32 and x.numel() > 0  # the kernel refuses sums over nothing
    return ONEDNN and plain and not torch.is_autocast_enabled("cpu")


def kernel(x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation | None = None) -> Tensor:
    """The kernel itself; it has no gradient of its own."""
    name, algorithm = FUSED[activation]
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, name, [], algorithm)


class Product(torch.autograd.Function):
    """x W^T + b with a gradient: dx = dy W and dW = dy^T x are two more products of the same kind, so gradients of gradients work too."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return kernel(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor | None], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        rows = slope.reshape(-1, slope.shape[-1])
        return (
            linear(slope, weight.t()) if for_x else None,
            linear(rows.t(), x.reshape(-1, x.shape[-1]).t()) if for_weight else None,
            rows.sum(0) if for_bias else None,
        )


class Linear(nn.Linear):
    """A matrix and perhaps a bias, and perhaps an activation after it. (..., in) -> (..., out)"""

    packed: "Packed | None" = None
    sparse = False  # as in `nn.Embedding`: whether the gradient of single rows is a sparse matrix

    def forward(
        self, x: Tensor, *, activation: Activation | None = None, bias: Tensor | None = None, rows: slice | Tensor | None = None
    ) -> Tensor:
        """`bias` takes the place of the matrix's own; `rows` of the matrix are computed alone where the other outputs are not read."""
        bias = self.bias if bias is None else bias
        if rows is not None:
            matrix = self.weight[rows] if isinstance(rows, slice) else F.embedding(rows, self.weight, sparse=self.sparse)
            return linear(x, matrix, None if bias is None else bias[rows], activation=activation)
        if self.packed is not None and self.packed.serves(x, self.weight):
            return kernel(x, self.packed.matrix, bias, activation)
        return linear(x, self.weight, bias, activation=activation)

    def part(self, rows: slice) -> tuple[Tensor, Tensor | None]:
        """Some rows of the matrix and their bias."""
        return self.weight[rows], None if self.bias is None else self.bias[rows]


class Packed:
    """A second copy of a matrix, in the order in which the kernel reads it: for the few rows of a decoding step up to 1.6 times as fast.

    It serves reading only, and only as long as the matrix itself has not changed. Copies of a network do not have it.
    """

    def __init__(self, weight: Tensor):
        self.of = weight.detach()  # keeps the numbers' place in memory from being given to others
        self.version = weight._version
        self.matrix = torch.ops.mkldnn._reorder_linear_weight(self.of, ROWS)

    def serves(self, x: Tensor, weight: Tensor) -> bool:
        """Whether the product may be taken from here."""
        same = weight.data_ptr() == self.of.data_ptr() and weight._version == self.version
        return same and not torch.is_grad_enabled() and suits_onednn(x, weight)

    def __reduce__(self) -> tuple[type, tuple]:
        return type(None), ()


def pack(*modules: nn.Module) -> None:
    """Give every matrix in `modules` a packed copy, where this processor has the kernel for it: twice the memory for more speed."""
    for matrix in (part for module in modules for part in module.modules() if isinstance(part, Linear)):
        weight = matrix.weight
        if ONEDNN and weight.device.type == "cpu" and weight.dtype == torch.float32 and not weight.is_inference():
            matrix.packed = Packed(weight)


def packed_bytes(module: nn.Module) -> int:
    """Memory of the packed copies, in bytes."""
    packed = [part.packed.of for part in module.modules() if isinstance(part, Linear) and part.packed is not None]
    return sum(weight.numel() * weight.element_size() for weight in packed)
