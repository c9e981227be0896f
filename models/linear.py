"""Every matrix product with weights goes through here.

On a CPU it is oneDNN's kernel, which without gradients also applies the activation while the result is in the cache. On processors for
which the BLAS inside torch has no AVX-512 path this is two to four times as fast, with the same weights and the same float32 arithmetic.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.config import Activation

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu}
FUSED = {None: ("none", ""), "relu": ("relu", ""), "gelu": ("gelu", "none"), "gelu_tanh": ("gelu", "tanh"), "silu": ("swish", "")}
ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def activate(x: Tensor, name: Activation | None) -> Tensor:
    """ReLU, GELU (Hendrycks & Gimpel 2016; exact or by tanh), or SiLU, also called swish; None leaves x as it is."""
    return x if name is None else ACTIVATIONS[name](x)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: Activation | None = None) -> Tensor:
    """act(x W^T + b). x (..., in), weight (out, in) -> (..., out)"""
    if not suits_onednn(x, weight):
        return activate(F.linear(x, weight, bias), activation)
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)):
        return activate(Product.apply(x, weight, bias), activation)
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

    def forward(self, x: Tensor, *, activation: Activation | None = None) -> Tensor:
        return linear(x, self.weight, self.bias, activation=activation)
