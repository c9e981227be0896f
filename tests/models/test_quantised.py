"""Eight-bit matrices: how close they are, and what they cost."""

from copy import deepcopy

import torch

from models.config import ModelConfig
from models.decode.greedy import greedy
from models.decode.steps import collect
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


def test_a_row_gets_the_same_numbers_in_any_company() -> None:
    torch.manual_seed(1)
    matrix = Int8Linear(Linear(64, 48))
    x = torch.randn(9, 64) * torch.tensor([0.01, 1.0, 100.0]).repeat(3)[:, None]
    with torch.inference_mode():
        together = matrix(x)
        for row in range(9):
            assert torch.equal(matrix(x[row : row + 1])[0], together[row])


def test_the_kernel_computes_what_the_description_says() -> None:
    torch.manual_seed(1)
    linear = Linear(40, 30)
    matrix, x, bias = Int8Linear(linear), torch.randn(5, 40), torch.randn(30)
    whole, scale = quantise_rows(linear.weight.detach())
    largest = x.abs().amax(1, keepdim=True)
    rounded = (x / largest * matrix.steps).round()
    wanted = (rounded @ whole.float().t()) * scale.float() * largest / matrix.steps
    with torch.inference_mode():
        torch.testing.assert_close(matrix(x), wanted + linear.bias, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(matrix(x, bias=bias), wanted + bias, rtol=1e-5, atol=1e-5)


def test_rows_of_zeros_and_no_rows_are_fine() -> None:
    torch.manual_seed(1)
    linear = Linear(8, 6)
    matrix = Int8Linear(linear)
    with torch.inference_mode():
        torch.testing.assert_close(matrix(torch.zeros(2, 3, 8)), linear.bias.expand(2, 3, 6))
        assert matrix(torch.zeros(0, 8)).shape == (0, 6)


def test_a_translator_writes_alike_and_the_same_in_any_company(networks, tokens) -> None:
    network = quantise(deepcopy(networks["translator"]))
    rows = [[5, 3, 8, 6], [11, 12], [4, 9, 7]]

    def write(chosen: list[int]) -> list[tuple[int, ...]]:
        steps = greedy(network, tokens([rows[row] for row in chosen]), max_new_tokens=8)
        return [text.ids for text in collect(steps, rows=len(chosen), end_ids=(0,))]

    together = write([0, 1, 2])
    assert [write([row])[0] for row in range(3)] == together
    assert any(together)
