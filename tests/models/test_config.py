"""A config refuses numbers that cannot work, and says which."""

from dataclasses import FrozenInstanceError, replace

import pytest

from models.config import ModelConfig

GOOD = ModelConfig(vocab_size=100, d_model=12, n_heads=3, d_ff=20, n_decoder_layers=2, max_positions=10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vocab_size": 0}, "vocab_size must be at least 1, got 0"),
        ({"d_model": -4}, "d_model must be at least 1, got -4"),
        ({"n_heads": 0}, "n_heads must be at least 1, got 0"),
        ({"d_ff": 0}, "d_ff must be at least 1, got 0"),
        ({"n_decoder_layers": 0}, "0 encoder and 0 decoder layers"),
        ({"n_encoder_layers": -1}, "-1 encoder and 2 decoder layers"),
        ({"n_heads": 5}, "d_model 12 is not a multiple of n_heads 5"),
        ({"n_kv_heads": 2}, "n_heads 3 is not a multiple of n_kv_heads 2"),
        ({"max_positions": None}, "learned positions need max_positions"),
        ({"positions": "rotary", "d_head": 5}, "even head width, got 5"),
        ({"positions": "sinusoidal", "d_model": 9}, "even d_model of at least 4, got 9"),
        ({"norm_eps": 0.0}, "norm_eps must be positive, got 0"),
        ({"alignment_heads": ((2, 0),)}, "no head 0 in layer 2: the decoder has 2 layers of 3 heads"),
        ({"alignment_heads": ((1, 3),)}, "no head 3 in layer 1"),
    ],
)
def test_nonsense_is_refused_with_its_number(change: dict, said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        replace(GOOD, **change)
    assert said in str(refusal.value)


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        GOOD.d_model = 24


def test_every_number_has_to_be_named() -> None:
    with pytest.raises(TypeError):
        ModelConfig(100, 12, 3, 20)


@pytest.mark.parametrize(
    ("change", "heads", "width", "architecture"),
    [
        ({}, 3, 4, "decoder"),
        ({"n_kv_heads": 1}, 1, 4, "decoder"),
        ({"d_head": 7}, 3, 7, "decoder"),
        ({"n_encoder_layers": 1}, 3, 4, "encoder_decoder"),
        ({"n_encoder_layers": 1, "n_decoder_layers": 0}, 3, 4, "encoder"),
    ],
)
def test_what_follows_from_the_numbers(change: dict, heads: int, width: int, architecture: str) -> None:
    config = replace(GOOD, **change)
    assert (config.kv_heads, config.head_width, config.architecture) == (heads, width, architecture)
