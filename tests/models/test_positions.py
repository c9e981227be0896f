"""Positions: the published formulas, and what they promise."""

import math
from dataclasses import replace

import pytest
import torch

from models.config import Rotary
from models.positions import PositionTable, rotary_frequencies, rotate, sinusoids


@pytest.mark.parametrize(("span", "steps"), [("half", 4), ("half_minus_one", 3)])
def test_all_sines_come_before_all_cosines(span: str, steps: int) -> None:
    table = sinusoids(9, 8, span=span)
    for position in range(9):
        for wave in range(4):
            angle = position * 10_000 ** (-wave / steps)
            assert table[position, wave].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[position, 4 + wave].item() == pytest.approx(math.cos(angle), abs=1e-6)


def turned(x: torch.Tensor, positions: torch.Tensor, settings: Rotary) -> torch.Tensor:
    angle = positions.float()[:, None] * rotary_frequencies(x.shape[-1], settings)
    angle = torch.cat([angle, angle], dim=-1)
    return rotate(x, (angle.cos(), angle.sin()))


def test_a_turn_keeps_lengths_and_turns_pairs_that_stand_half_the_width_apart() -> None:
    x = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    found = turned(x, torch.tensor([1]), Rotary(theta=100.0))[0, 0, 0]
    wanted = []
    for pair, frequency in enumerate((1.0, 0.1)):
        one, two = x[0, 0, 0, pair].item(), x[0, 0, 0, pair + 2].item()
        wanted.append((one * math.cos(frequency) - two * math.sin(frequency), two * math.cos(frequency) + one * math.sin(frequency)))
    torch.testing.assert_close(found, torch.tensor([wanted[0][0], wanted[1][0], wanted[0][1], wanted[1][1]]))
    torch.testing.assert_close(found.norm(), x.norm())


@pytest.mark.parametrize(
    "settings",
    [Rotary(), Rotary(scaling="linear", factor=4.0), Rotary(scaling="llama3", factor=8.0, original_max_positions=16)],
    ids=["none", "linear", "llama3"],
)
def test_a_query_meets_a_key_by_their_distance_alone(settings: Rotary) -> None:
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 8, generator=generator)
    products = [
        (turned(query, torch.tensor([7 + shift]), settings) * turned(key, torch.tensor([2 + shift]), settings)).sum()
        for shift in (0, 1, 30)
    ]
    torch.testing.assert_close(torch.stack(products), products[0].expand(3), rtol=1e-4, atol=1e-4)
    farther = (turned(query, torch.tensor([8]), settings) * turned(key, torch.tensor([2]), settings)).sum()
    assert (farther - products[0]).abs() > 1e-3


def test_linear_scaling_makes_a_position_count_for_less() -> None:
    plain, slow = rotary_frequencies(12, Rotary()), rotary_frequencies(12, Rotary(scaling="linear", factor=4.0))
    torch.testing.assert_close(slow, plain / 4)


def test_llama3_scaling_slows_long_waves_only_with_a_smooth_passage() -> None:
    settings = Rotary(theta=10_000.0, scaling="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_positions=256)
    plain, scaled = rotary_frequencies(64, Rotary()), rotary_frequencies(64, settings)
    waves, ratio = 2 * math.pi / plain, plain / scaled
    short, long = waves < 256 / 4, waves > 256 / 1
    assert short.any() and long.any() and not (short | long).all()
    torch.testing.assert_close(ratio[short], torch.ones(int(short.sum())))
    torch.testing.assert_close(ratio[long], torch.full((int(long.sum()),), 8.0))
    between = ratio[~short & ~long]
    assert ((between > 1) & (between < 8)).all() and (between.diff() > 0).all()


@pytest.mark.parametrize("name", ["translator", "grouped decoder"])
def test_a_table_grows_and_keeps_its_rows(networks, name: str) -> None:
    table = PositionTable(networks[name].config)
    short = table(3, device=torch.device("cpu"), dtype=torch.float32)
    assert table(5, device=torch.device("cpu"), dtype=torch.float32) is short  # room for many was made at once
    long = table(len(short) + 1, device=torch.device("cpu"), dtype=torch.float32)
    assert len(long) > len(short)
    torch.testing.assert_close(long[: len(short)], short)
    assert table(3, device=torch.device("cpu"), dtype=torch.bfloat16).dtype == torch.bfloat16


def test_positions_past_the_padding_are_the_same_as_without_it(networks, tokens) -> None:
    network, rows = networks["decoder"], [[5, 3, 8], [11, 12, 4, 6, 7]]
    with torch.inference_mode():
        batch = tokens(rows, side="left")
        found, alone = network.decode(batch), network.decode(tokens(rows[:1]))
    torch.testing.assert_close(found[0, 2:], alone[0], rtol=1e-5, atol=2e-5)


def test_an_offset_moves_the_rows_of_a_learned_table(networks, tokens) -> None:
    network = networks["encoder"]
    embeddings = network.embeddings
    moved = type(embeddings)(replace(network.config, position_offset=2))
    moved.load_state_dict(embeddings.state_dict())
    ids = torch.tensor([[4, 5, 6]])
    with torch.inference_mode():
        found = moved(ids, torch.tensor([[0, 1, 2]]), length=3)
        wanted = embeddings(ids, torch.tensor([[2, 3, 4]]), length=5)
    torch.testing.assert_close(found, wanted)
