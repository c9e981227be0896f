"""Eight-bit matrices: how close they are, and what they cost."""

import torch

from models.config import ModelConfig
from models.linear import Linear
from models.quantised import Int8Linear, quantise, quantise_rows
from models.tokens import Tokens
from models.transformer import Transformer


def test_a_matrix_made_of_whole_numbers_comes_back_exactly() -> None:
    generator = torch.Generator().manual_seed(1)
    whole = torch.randint(-127, 128, (30, 50), generator=generator)
    whole[:, 0] = 127
    scale = torch.rand(30, generator=generator) + 0.1
    found, found_scale = quantise_rows(whole * scale[:, None])
    assert torch.equal(found, whole.to(torch.int8))
    torch.testing.assert_close(found_scale.float(), scale)


def test_a_row_of_zeros_stays_zero() -> None:
    whole, scale = quantise_rows(torch.zeros(2, 3))
    assert not whole.any() and scale.isfinite().all()


def test_a_product_is_within_two_percent_of_float32() -> None:
    torch.manual_seed(1)
    linear = Linear(64, 48)
    x = torch.randn(3, 5, 64)
    with torch.inference_mode():
        expected = linear(x, activation="relu")
        found = Int8Linear(linear)(x, activation="relu")
    assert found.shape == expected.shape
    assert (found - expected).norm() < 0.02 * expected.norm()
    assert not torch.equal(found, expected)


def test_a_network_keeps_its_answers_and_loses_its_matrices() -> None:
    config = ModelConfig(
        vocab_size=60, d_model=32, n_heads=4, d_ff=64, n_decoder_layers=2, max_positions=32, lm_head=True, norm_first=True, norm_eps=1e-5
    )
    torch.manual_seed(2)
    network = Transformer(config).eval()
    ids = torch.arange(12)[None]
    tokens = Tokens(ids=ids, mask=ids >= 0, segments=torch.zeros_like(ids), lengths=(12,))
    with torch.inference_mode():
        expected = network.logits(network.decode(tokens))
        found = quantise(network).logits(network.decode(tokens))
    assert (found - expected).norm() < 0.05 * expected.norm()
    assert not any(isinstance(module, torch.nn.Linear) for module in network.modules())
    assert network.heads["lm"].output.n_bytes < 60 * 32 * 2
