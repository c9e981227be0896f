"""Small networks of every shape the engine can take, with random numbers everywhere."""

from collections.abc import Callable, Sequence
from typing import Literal

import pytest
import torch

from models.config import ModelConfig, Rotary
from models.tokens import Tokens
from models.transformer import Transformer

VOCABULARY = 23
SIZES = dict(vocab_size=VOCABULARY, d_model=16, n_heads=4, d_ff=24, norm_eps=1e-6, max_positions=48)
TRANSLATOR = dict(n_encoder_layers=2, n_decoder_layers=2, end_ids=(0,), never_ids=(22,), lm_head=True, lm_bias=True)
ROTARY = dict(
    positions="rotary", norm="rms", norm_first=True, activation="silu", gated=True, tied_output=False, end_ids=(0, 1), lm_head=True
)
CONFIGS = {
    "encoder": ModelConfig(**SIZES, n_encoder_layers=3, n_segments=2, embedding_norm=True),
    "pre-norm encoder": ModelConfig(**SIZES, n_encoder_layers=1, norm_first=True, positions="sinusoidal", embedding_scale=4.0),
    "decoder": ModelConfig(**SIZES, n_decoder_layers=2, norm_first=True, activation="gelu_tanh", end_ids=(0,), lm_head=True),
    "grouped decoder": ModelConfig(**SIZES, **ROTARY, n_decoder_layers=3, n_kv_heads=2, d_head=6, attention_bias=False),
    "window decoder": ModelConfig(**SIZES, **ROTARY, n_decoder_layers=2, sliding_window=3, rotary=Rotary(scaling="linear", factor=2.0)),
    "translator": ModelConfig(**SIZES, **TRANSLATOR, positions="sinusoidal", embedding_scale=4.0, start_id=22),
    "student": ModelConfig(
        **SIZES, **TRANSLATOR, positions="sinusoidal", sinusoid_span="half_minus_one", decoder_mixer="ssru", start_id=-1, activation="relu"
    ),
}


def make(config: ModelConfig, *, seed: int = 0) -> Transformer:
    torch.manual_seed(seed)
    network = Transformer(config).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        noise = torch.randn_like(parameter)
        parameter.copy_(0.7 * noise if parameter.ndim > 1 else 0.3 * noise + ("norm" in name and name.endswith("weight")))
    return network


@pytest.fixture(scope="session")
def networks() -> dict[str, Transformer]:
    """One network of each kind, by name."""
    return {name: make(config) for name, config in CONFIGS.items()}


@pytest.fixture(scope="session")
def tokens() -> Callable[..., Tokens]:
    """tokens(lengths, side="right", seed=0): padded rows of random words, or the rows themselves in place of lengths."""

    def build(rows: Sequence[int] | Sequence[Sequence[int]], *, side: Literal["left", "right"] = "right", seed: int = 0) -> Tokens:
        generator = torch.Generator().manual_seed(seed)
        if isinstance(rows[0], int):
            rows = [torch.randint(2, VOCABULARY - 1, (length,), generator=generator).tolist() for length in rows]
        width = max(map(len, rows))
        ids, mask = torch.full((len(rows), width), 2), torch.zeros(len(rows), width, dtype=torch.bool)
        for index, row in enumerate(rows):
            place = slice(width - len(row), width) if side == "left" else slice(0, len(row))
            ids[index, place], mask[index, place] = torch.tensor(row), True
        segments = (torch.arange(width) >= width // 2).long().expand_as(ids).contiguous()
        return Tokens(ids=ids, mask=mask, segments=segments, lengths=tuple(map(len, rows)))

    return build
