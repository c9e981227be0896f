"""The second copy of a matrix: the same numbers, only as long as the matrix has not changed, and never where gradients are wanted."""

import copy
import pickle

import pytest
import torch

from models import linear as module
from models.linear import Linear, pack, packed_bytes

pytestmark = pytest.mark.skipif(not module.ONEDNN, reason="this torch has no oneDNN")


@pytest.fixture
def packed() -> Linear:
    torch.manual_seed(0)
    layer = Linear(24, 40)
    pack(layer)
    assert layer.packed is not None
    return layer


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each product, whether it was taken from a packed copy."""
    found: list[bool] = []
    kernel = module.kernel

    def watch(x, weight, *rest):
        found.append(weight.is_mkldnn)
        return kernel(x, weight, *rest)

    monkeypatch.setattr(module, "kernel", watch)
    return found


@pytest.mark.parametrize("rows", [(1,), (4,), (64,), (3, 7), (300,)])
@pytest.mark.parametrize("activation", [None, "silu"])
def test_the_numbers_are_the_same(packed: Linear, served: list[bool], rows: tuple[int, ...], activation: str | None) -> None:
    x, own = torch.randn(*rows, 24), torch.randn(40)
    with torch.inference_mode():
        for bias in (None, own):
            plain = module.linear(x, packed.weight, packed.bias if bias is None else bias, activation=activation)
            torch.testing.assert_close(packed(x, activation=activation, bias=bias), plain, rtol=1e-5, atol=1e-5)
    assert served == [False, True] * 2


def test_a_changed_matrix_is_read_itself(packed: Linear, served: list[bool]) -> None:
    x = torch.randn(2, 24)
    with torch.no_grad():
        packed.weight.mul_(2.0)
        torch.testing.assert_close(packed(x), x @ packed.weight.t() + packed.bias, rtol=1e-5, atol=1e-5)
        packed.weight = torch.nn.Parameter(torch.randn(40, 24))
        torch.testing.assert_close(packed(x), x @ packed.weight.t() + packed.bias, rtol=1e-5, atol=1e-5)
    assert served == [False, False]


def test_another_type_of_number_is_read_itself(packed: Linear) -> None:
    x = torch.randn(2, 24)
    with torch.inference_mode():
        wanted = packed(x)
        found = packed.double()(x.double())
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.float(), wanted, rtol=1e-5, atol=1e-5)


def test_gradients_flow_as_without_it(packed: Linear, served: list[bool]) -> None:
    x = torch.randn(2, 24, requires_grad=True)
    packed(x).sum().backward()
    torch.testing.assert_close(x.grad, packed.weight.sum(0).expand(2, 24), rtol=1e-5, atol=1e-5)
    assert packed.weight.grad is not None and not any(served)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))], ids=["deepcopy", "pickle"])
def test_copies_of_a_network_do_not_have_it(packed: Linear, how) -> None:
    other = how(packed)
    assert other.packed is None and torch.equal(other.weight, packed.weight)


def test_it_is_counted_as_memory_but_not_as_a_number_learnt(packed: Linear) -> None:
    assert packed_bytes(packed) == 4 * 24 * 40
    assert packed_bytes(Linear(24, 40)) == 0
    assert sorted(packed.state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize("name", ["grouped decoder", "translator", "student"])
def test_a_packed_network_gives_the_same_scores(networks, tokens, name: str) -> None:
    network = copy.deepcopy(networks[name])
    batch = tokens([5, 3])

    def scores() -> torch.Tensor:
        given = {} if network.encoder is None else {"memory": network.encode(batch), "memory_mask": batch.mask}
        return network.logits(network.decode(batch, **given))[batch.mask]

    with torch.inference_mode():
        plain = scores()
        pack(network.decoder, network.heads["lm"])
        torch.testing.assert_close(scores(), plain, rtol=1e-5, atol=2e-5)
