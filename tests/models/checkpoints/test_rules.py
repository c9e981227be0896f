"""The weight map: what a table can say, and that nothing slips through it."""

import pytest
import torch
from torch import Tensor, nn

from models.checkpoints.load import fill
from models.checkpoints.rules import Rule, flatten, transpose
from models.checkpoints.weights import StateDict
from models.errors import Problem


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(4, 12)
        self.left, self.right = nn.Linear(4, 2, bias=False), nn.Linear(4, 3, bias=False)


class Network(nn.Module):
    """Two layers, a word table, and an output matrix that is the word table."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.layers = nn.ModuleList(Layer() for _ in range(2))
        self.output = nn.Linear(4, 7, bias=False)
        self.output.weight = self.words.weight


RULES = [
    Rule("embed.weight", "output.weight", alias=("decoder.weight",)),
    Rule(("l{}.q", "l{}.k", "l{}.v"), "layers.{}.qkv.weight", transpose, first=1),
    Rule("l{}.bias", "layers.{}.qkv.bias", flatten, first=1),
    Rule("l{}.both", ("layers.{}.left.weight", "layers.{}.right.weight"), first=1),
    Rule("position_ids", None, optional=True),
    Rule("masks.{}", (), optional=True),
]


def checkpoint() -> dict[str, Tensor]:
    torch.manual_seed(0)
    tensors = {"embed.weight": torch.randn(7, 4)}
    for layer in (1, 2):
        tensors |= {f"l{layer}.{part}": torch.randn(4, 4) for part in "qkv"}
        tensors |= {f"l{layer}.bias": torch.randn(1, 12), f"l{layer}.both": torch.randn(5, 4)}
    return tensors


def empty() -> Network:
    with torch.device("meta"):
        return Network()


def filled(tensors: dict[str, Tensor], rules: list[Rule] = RULES, dtype: torch.dtype = torch.float32) -> Network:
    network = empty()
    fill(network, StateDict(tensors, file="some.bin"), rules, dtype=dtype)
    return network


def refusal(tensors: dict[str, Tensor], rules: list[Rule] = RULES) -> str:
    with pytest.raises(ValueError) as caught:
        filled(tensors, rules)
    assert isinstance(caught.value, Problem)
    assert caught.value.key == "weights_do_not_fit" and caught.value.values["file"] == "some.bin"
    return caught.value.values["what"]


def test_a_complete_table_fills_everything() -> None:
    tensors = checkpoint()
    network = filled(tensors | {"position_ids": torch.arange(3), "masks.4": torch.ones(1)})
    for ours, theirs in ((0, 1), (1, 2)):
        layer = network.layers[ours]
        assert torch.equal(layer.qkv.weight, torch.cat([tensors[f"l{theirs}.{part}"].t() for part in "qkv"]))
        assert torch.equal(layer.qkv.bias, tensors[f"l{theirs}.bias"][0])
        assert torch.equal(torch.cat([layer.left.weight, layer.right.weight]), tensors[f"l{theirs}.both"])
    assert torch.equal(network.words.weight, tensors["embed.weight"])
    assert not any(parameter.is_meta for parameter in network.parameters())


def test_tied_parameters_stay_one_parameter() -> None:
    network = filled(checkpoint())
    assert network.output.weight is network.words.weight
    assert len(list(network.parameters())) == 1 + 2 * 4


def test_the_network_does_not_share_memory_with_the_checkpoint() -> None:
    tensors = checkpoint()
    network = filled(tensors)
    before = network.words.weight.clone()
    tensors["embed.weight"].zero_()
    assert torch.equal(network.words.weight, before)


def test_numbers_come_in_the_type_that_was_asked_for() -> None:
    assert {parameter.dtype for parameter in filled(checkpoint(), dtype=torch.bfloat16).parameters()} == {torch.bfloat16}


def test_frozen_stays_frozen_and_trainable_trainable() -> None:
    network = empty()
    network.words.weight.requires_grad_(False)
    fill(network, StateDict(checkpoint()), RULES, dtype=torch.float32)
    assert not network.words.weight.requires_grad and network.layers[0].qkv.weight.requires_grad


def test_an_alias_may_stand_alone_or_beside_its_twin() -> None:
    tensors = checkpoint()
    tensors["decoder.weight"] = tensors["embed.weight"].clone()
    assert torch.equal(filled(tensors).words.weight, tensors["embed.weight"])
    del tensors["embed.weight"]
    assert torch.equal(filled(tensors).words.weight, tensors["decoder.weight"])


def test_twins_that_differ_are_refused() -> None:
    tensors = checkpoint()
    tensors["decoder.weight"] = tensors["embed.weight"] + 1
    assert "embed.weight and decoder.weight should be one tensor" in refusal(tensors)
    tensors["decoder.weight"] = torch.zeros(3, 4)
    assert "wrong shape" in refusal(tensors)


def test_a_swapped_weight_changes_the_network() -> None:
    tensors = checkpoint()
    right = filled(tensors)
    tensors["l1.q"], tensors["l1.k"] = tensors["l1.k"], tensors["l1.q"]
    assert not torch.equal(filled(tensors).layers[0].qkv.weight, right.layers[0].qkv.weight)


def test_an_unknown_name_is_refused() -> None:
    assert "unknown names (1): l1.extra" in refusal(checkpoint() | {"l1.extra": torch.zeros(1)})


def test_the_first_three_of_each_kind_are_named() -> None:
    tensors = checkpoint() | {f"extra{i}": torch.zeros(1) for i in range(5)}
    del tensors["embed.weight"]
    what = refusal(tensors)
    assert "unknown names (5): extra0, extra1, extra2, ..." in what and "extra3" not in what
    assert "idle rules (1): embed.weight" in what
    assert "never filled (1): words.weight" in what


def test_a_missing_part_of_a_fused_matrix_is_refused() -> None:
    tensors = checkpoint()
    del tensors["l2.k"]
    what = refusal(tensors)
    assert "missing (1): l2.k" in what and "never filled (1): layers.1.qkv.weight" in what


def test_a_missing_layer_is_refused() -> None:
    what = refusal({name: tensor for name, tensor in checkpoint().items() if not name.startswith("l2")})
    assert "never filled (4): layers.1.qkv.weight, layers.1.qkv.bias, layers.1.left.weight, ..." in what


def test_a_layer_too_many_is_refused() -> None:
    tensors = checkpoint()
    what = refusal(tensors | {name.replace("l2", "l3"): tensor for name, tensor in tensors.items() if name.startswith("l2")})
    assert "not in this network (4): layers.2.qkv.weight" in what


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("embed.weight", (7, 5)),
        ("l1.q", (4, 5)),
        ("l1.q", (4,)),
        ("l2.both", (6, 4)),
        ("l2.both", (5, 3)),
        ("l2.both", ()),
        ("l1.bias", (13,)),
    ],
)
def test_a_wrong_shape_is_refused_before_anything_is_read(name: str, shape: tuple[int, ...]) -> None:
    class Unread(StateDict):
        def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
            raise AssertionError("read too early")

    with pytest.raises(Problem, match="wrong shape") as caught:
        fill(empty(), Unread(checkpoint() | {name: torch.zeros(shape)}), RULES, dtype=torch.float32)
    assert name in caught.value.values["what"]


def test_a_parameter_filled_twice_is_refused() -> None:
    rules = [*RULES, Rule("again", "words.weight")]
    assert "filled twice (1): words.weight" in refusal(checkpoint() | {"again": torch.zeros(7, 4)}, rules)


def test_a_name_that_two_rules_claim_is_refused() -> None:
    assert "claimed by two rules (2): l1.q, l2.q" in refusal(checkpoint(), [*RULES, Rule("l{}.q", None)])


def test_the_same_layer_under_two_spellings_is_refused() -> None:
    tensors = checkpoint()
    assert "filled twice" in refusal(tensors | {"l01.both": tensors["l1.both"]})


def test_names_made_to_hurt_are_only_unknown() -> None:
    what = refusal(checkpoint() | {"l" + "9" * 6_000 + ".both": torch.zeros(5, 4), "x" * 100_000: torch.zeros(1)})
    assert "unknown names (2)" in what and len(what) < 500


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rule("a.{}", "b"),
        lambda: Rule(("a", "b"), ("c", "d")),
        lambda: Rule(("a", "b"), "c", alias=("d",)),
        lambda: Rule(("a", "b"), "c", (transpose, None, None)),
    ],
)
def test_a_table_that_says_nothing_clear_is_our_own_mistake(make: object) -> None:
    with pytest.raises(AssertionError):
        make()


def test_each_source_may_have_its_own_transform() -> None:
    network = nn.Linear(2, 4, bias=False, device="meta")
    a, b = torch.arange(4.0).reshape(2, 2), torch.arange(4.0, 8.0).reshape(2, 2)
    fill(network, StateDict({"a": a, "b": b}), [Rule(("a", "b"), "weight", (transpose, None))], dtype=torch.float32)
    assert torch.equal(network.weight, torch.cat([a.t(), b]))


def test_a_buffer_on_meta_is_our_own_mistake() -> None:
    network = nn.Module()
    network.register_buffer("table", torch.empty(3, device="meta"), persistent=False)
    with pytest.raises(AssertionError, match="table is on meta"):
        fill(network, StateDict({}), [], dtype=torch.float32)
