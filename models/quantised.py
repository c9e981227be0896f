"""Matrices in 8 bits: a quarter of the memory to read for each word, and answers that are close but not the same.

A row of a matrix is kept as whole numbers from -127 to 127 and one scale. The numbers that come in are rounded the same way, each row of
them with its own scale, and multiplied as whole numbers; so what a matrix makes of a row does not depend on the rows beside it.
"""

import warnings

import torch
from torch import Tensor, nn

from models.config import Activation
from models.errors import Problem
from models.linear import Linear, activate
from models.transformer import Transformer

LARGEST = 127
LARGEST_OLD = 63  # of the numbers that come in, on processors whose sums of two products have 16 bits only
TINY = 1e-12


def quantise_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """weight (out, in) -> int8 (out, in) and scales (out,) with weight = int8 * scale, the largest of each row being 127.

    A matrix that came from such a file gives the file's own whole numbers back.
    """
    scale = weight.abs().amax(dim=1).double().clamp(min=TINY) / LARGEST
    return (weight.double() / scale[:, None]).round().clamp(-LARGEST, LARGEST).to(torch.int8), scale


class Int8Linear(nn.Module):
    """What `Linear` does, in whole numbers. (..., in) -> (..., out)"""

    def __init__(self, linear: Linear):
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        whole, scale = quantise_rows(linear.weight.detach())
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message=".*quantized tensor creation functions.*"
            )  # this version of torch has no other way in
            rows = torch._make_per_channel_quantized_tensor(whole, scale, torch.zeros(len(scale), dtype=torch.long), 0)
        self.packed = torch.ops.quantized.linear_prepack(rows, None)
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach(), requires_grad=False)
        self.steps = LARGEST if torch.cpu._is_vnni_supported() else LARGEST_OLD
        self.n_parameters = whole.numel()  # learnt for this matrix alone
        self.n_bytes = whole.numel() + 8 * len(scale)

    def forward(
        self, x: Tensor, *, activation: Activation | None = None, bias: Tensor | None = None, rows: slice | Tensor | None = None
    ) -> Tensor:
        """`bias` takes the place of the matrix's own. `rows` are cut out of the whole product: the kernel's matrix is packed."""
        if rows is not None:
            return self(x, activation=activation, bias=bias)[..., rows]
        if x.numel() == 0:
            return x.new_empty(*x.shape[:-1], self.out_features)
        bias = self.bias if bias is None else bias
        largest = x.abs().amax(-1, keepdim=True).clamp(min=TINY)
        # The kernel knows one scale for all rows: so each row comes to it with its largest number made 1, and is made large again after it.
        y = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(x / largest, 1 / self.steps, self.steps + 1, self.packed)
        return activate(y.mul_(largest) if bias is None else torch.addcmul(bias, y, largest), activation)

    def part(self, rows: slice) -> None:
        """There are no rows to be had: the kernel's matrix is packed."""


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
