"""Matrix products: the fast kernel gives what `F.linear` gives, forwards and backwards."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models import linear as module
from models.linear import Linear, activate, linear
from models.quantised import Int8Linear


def tensors(*, rows: tuple[int, ...] = (3, 5), inner: int = 24, outer: int = 40, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    torch.manual_seed(1)
    shapes = [(*rows, inner), (outer, inner), (outer,)]
    return [torch.randn(shape, dtype=dtype).requires_grad_() for shape in shapes]


def slopes(output: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad((output * torch.linspace(-1, 1, output.shape[-1], dtype=output.dtype)).sum(), inputs))


@pytest.mark.parametrize(
    ("capability", "mkl", "maker", "wide"),
    [("AVX512", True, "AuthenticAMD", True), ("AVX512", True, "GenuineIntel", False), ("AVX512", False, "AuthenticAMD", False),
     ("AVX2", True, "AuthenticAMD", False)],
)  # fmt: skip
def test_learning_goes_through_onednn_where_mkl_leaves_avx_512_unused(
    capability: str, mkl: bool, maker: str, wide: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nvendor_id\t: {maker}\n")
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: mkl)
    assert module.wider_than_blas() is wide
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr(module.platform, "processor", lambda: maker)
    assert module.wider_than_blas() is wide, "other systems say it elsewhere"


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("activation", [None, "relu", "gelu", "gelu_tanh", "silu"])
@pytest.mark.parametrize("rows", [(1,), (7,), (3, 5), (2, 3, 4)])
def test_gradients_equal_those_of_the_plain_product(
    activation: str | None, rows: tuple[int, ...], wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WIDE", wide)
    x, weight, bias = tensors(rows=rows)
    ours = linear(x, weight, bias, activation=activation)
    plain = activate(F.linear(x, weight, bias), activation)
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-5)
    for mine, theirs in zip(slopes(ours, [x, weight, bias]), slopes(plain, [x, weight, bias])):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("wide", [True, False])
def test_the_fast_kernel_runs_with_and_without_gradients(wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not module.ONEDNN:
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(module, "WIDE", wide)
    calls = []
    kernel = module.kernel
    monkeypatch.setattr(module, "kernel", lambda *given: calls.append(given[0].shape) or kernel(*given))
    x, weight, bias = tensors(rows=(6,))
    linear(x, weight, bias).sum().backward()
    assert [tuple(shape) for shape in calls] == [(6, 24), (6, 40), (40, 6)] * wide  # y, dx, dW; without AVX-512 the BLAS learns faster
    calls.clear()
    linear(x.detach(), weight.detach(), bias.detach(), activation="gelu")
    assert len(calls) == 1


def test_a_frozen_matrix_passes_gradients_on_and_gets_none() -> None:
    x, weight, bias = tensors()
    frozen = weight.detach()
    linear(x, frozen, bias.detach()).sum().backward()
    torch.testing.assert_close(x.grad, frozen.sum(0).expand_as(x), rtol=1e-5, atol=1e-5)
    assert frozen.grad is None


def test_an_input_of_no_rows_or_of_odd_strides_is_fine() -> None:
    x, weight, bias = tensors()
    empty = linear(x[:0], weight, bias)
    assert empty.shape == (0, 5, 40)
    assert slopes(empty, [weight])[0].abs().sum() == 0
    for odd in (x.transpose(0, 1), x[..., ::1][:, ::2], x[:1].expand(4, 5, 24)):
        ours, plain = linear(odd, weight, bias), F.linear(odd, weight, bias)
        torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-5)
        for mine, theirs in zip(slopes(ours, [x, weight, bias]), slopes(plain, [x, weight, bias])):
            torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_gradients_of_gradients_exist() -> None:
    x, weight, bias = tensors()
    for product in (linear, F.linear):
        (first,) = torch.autograd.grad(product(x, weight, bias).tanh().sum(), x, create_graph=True)
        second = torch.autograd.grad(first.square().sum(), [x, weight])
        if product is linear:
            ours = second
    for mine, theirs in zip(ours, second):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_the_formula_of_the_gradient_is_right_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    # In float64 differences are exact enough to be compared; the kernel is float32 only, so the plain product stands in for it.
    monkeypatch.setattr(module, "kernel", lambda x, weight, bias, activation=None: activate(F.linear(x, weight, bias), activation))
    x, weight, bias = tensors(rows=(2, 3), inner=4, outer=5, dtype=torch.float64)
    assert torch.autograd.gradcheck(module.Product.apply, (x, weight, bias))
    assert torch.autograd.gradgradcheck(module.Product.apply, (x, weight, bias))


def test_other_types_and_autocast_go_the_plain_way() -> None:
    x, weight, bias = tensors(dtype=torch.float64)
    assert linear(x, weight, bias).dtype == torch.float64
    layer = Linear(8, 4)
    with torch.autocast("cpu", torch.bfloat16):
        result = layer(torch.randn(2, 8))
    assert result.dtype == torch.bfloat16
    result.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("rows", [slice(4, 30), torch.tensor([7, 0, 39, 7])], ids=["slice", "numbers"])
def test_some_outputs_alone_are_those_of_the_whole(rows: slice | Tensor) -> None:
    x, weight, bias = tensors()
    matrix = Linear(24, 40)
    matrix.weight, matrix.bias = torch.nn.Parameter(weight.detach()), torch.nn.Parameter(bias.detach())
    some, whole = matrix(x, activation="gelu", rows=rows), matrix(x, activation="gelu")[..., rows]
    torch.testing.assert_close(some, whole, rtol=1e-5, atol=1e-5)
    for mine, theirs in zip(slopes(some, list(matrix.parameters())), slopes(whole, list(matrix.parameters()))):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        small = Int8Linear(matrix)
        torch.testing.assert_close(small(x, rows=rows), small(x)[..., rows])
