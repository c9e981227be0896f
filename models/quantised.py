"""Matrices in 8 bits: a quarter of the memory to read for each word, and answers that are close but not the same.

A row of a matrix is kept as whole numbers from -127 to 127 and one scale; the numbers that come in are rounded the same way when they
come, with one scale for the whole batch. So, other than in float32, an answer depends a little on what it is computed together with.
"""

import torch
from torch import Tensor, nn

from models.config import Activation
from models.errors import Problem
from models.linear import Linear, activate
from models.transformer import Transformer

LARGEST = 127


def quantise_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """weight (out, in) -> int8 (out, in) and scales (out,) with weight = int8 * scale, the largest of each row being 127.

    A matrix that came from such a file gives the file's own whole numbers back.
    """
    scale = weight.abs().amax(dim=1).double().clamp(min=1e-12) / LARGEST
    return (weight.double() / scale[:, None]).round().clamp(-LARGEST, LARGEST).to(torch.int8), scale


class Int8Linear(nn.Module):
    """What `Linear` does, in whole numbers. (..., in) -> (..., out)"""

    def __init__(self, linear: Linear):
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        whole, scale = quantise_rows(linear.weight.detach())
        rows = torch._make_per_channel_quantized_tensor(whole, scale, torch.zeros(len(scale), dtype=torch.long), 0)
        bias = None if linear.bias is None else linear.bias.detach()
        self.packed = torch.ops.quantized.linear_prepack(rows, bias)
        self.n_parameters = whole.numel() + (0 if bias is None else bias.numel())  # learnt for this matrix alone
        self.n_bytes = whole.numel() + 8 * len(scale)

    def forward(self, x: Tensor, *, activation: Activation | None = None) -> Tensor:
        if x.numel() == 0:
            return x.new_empty(*x.shape[:-1], self.out_features)
        return activate(torch.ops.quantized.linear_dynamic(x, self.packed), activation)


def quantise(network: Transformer) -> Transformer:
    """Replace every matrix of a float32 network on the CPU, in place; word and position tables and norms stay as they are.

    Raises Problem "int8_not_here" where torch has no 8-bit kernels for this processor.
    """
    kernels = set(torch.backends.quantized.supported_engines) & {"x86", "fbgemm", "onednn", "qnnpack"}
    device = network.embeddings.words.weight.device
    if not kernels or device.type != "cpu":
        raise Problem("int8_not_here", device=device.type)
    tables = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Linear):
                small = Int8Linear(child)
                if id(child.weight) in tables:
                    small.n_parameters = 0
                setattr(module, name, small)
    return network
