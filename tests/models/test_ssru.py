"""The SSRU against its formula, a number at a time."""

import math

import torch

from models.cache import Memory
from models.ssru import SSRU


def test_two_steps_by_hand(networks) -> None:
    ssru = SSRU(networks["student"].config)
    with torch.no_grad():
        for parameter in ssru.parameters():
            parameter.zero_()
        ssru.input.weight[0, 0] = 2.0  # only the first feature is alive
        ssru.forget.weight[0, 0] = 1.0
        ssru.forget.bias[0] = 0.5
        x = torch.zeros(1, 3, 16)
        x[0, :, 0] = torch.tensor([1.0, -2.0, 0.5])
        found = ssru(x)[0, :, 0].tolist()
    state, wanted = 0.0, []
    for value in (1.0, -2.0, 0.5):
        forget = 1 / (1 + math.exp(-(value + 0.5)))
        state = forget * state + (1 - forget) * 2 * value
        wanted.append(max(state, 0.0))
    torch.testing.assert_close(torch.tensor(found), torch.tensor(wanted))
    assert wanted[0] > 0 and wanted[1:] == [0.0, 0.0]  # a negative state is hidden but not forgotten: the third step is still below zero


def test_step_by_step_equals_all_at_once_and_rows_can_be_chosen(networks) -> None:
    ssru = networks["student"].decoder.layers[0].ssru
    x = torch.randn(3, 6, 16, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole, past = ssru(x), Memory()
        start = ssru(x[:, :4], past=past)
        past.select(torch.tensor([2, 0, 0]))
        rest = [ssru(x[[2, 0, 0], step : step + 1], past=past) for step in (4, 5)]
    torch.testing.assert_close(start, whole[:, :4])
    torch.testing.assert_close(torch.cat(rest, dim=1), whole[[2, 0, 0], 4:])
