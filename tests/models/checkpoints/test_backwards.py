"""The weight map read backwards gives a checkpoint that the same map reads forwards."""

from collections.abc import Callable

import pytest
import torch

from models.checkpoints.backwards import backwards
from models.checkpoints.load import fill
from models.checkpoints.rules import Rule
from models.checkpoints.weights import StateDict
from models.config import ModelConfig
from models.families import marian, student
from models.transformer import Transformer

SHAPE = dict(
    vocab_size=11, d_model=8, n_heads=2, d_ff=12, n_encoder_layers=2, n_decoder_layers=3, max_positions=32, positions="sinusoidal",
    lm_head=True, lm_bias=True, start_id=-1,
)  # fmt: skip


@pytest.mark.parametrize(
    "config, rules",
    [
        (ModelConfig(**SHAPE), marian.hub_rules),
        (ModelConfig(**SHAPE, share_embeddings=False), marian.hub_rules),
        (ModelConfig(**SHAPE, decoder_mixer="ssru"), lambda config: student.file_rules()),
    ],
    ids=["marian", "two tables", "student"],
)
def test_there_and_back(config: ModelConfig, rules: Callable[[ModelConfig], list[Rule]]) -> None:
    torch.manual_seed(1)
    network = Transformer(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    other = Transformer.build(config)
    fill(other, StateDict(dict(backwards(rules(config), dict(network.named_parameters())))), rules(config), dtype=torch.float32)
    for name, value in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_a_parameter_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="heads.nsp.output.weight has no place"):
        list(backwards([Rule("a.{}", "layers.{}.weight")], {"layers.0.weight": torch.ones(1), "heads.nsp.output.weight": torch.ones(1)}))
