"""Several runs from one start, and the mean of what they learnt."""

from typing import Any

import pytest
import torch
from torch import Tensor
from tuning_helpers import classes

from models.errors import Problem
from models.model import Model
from models.tuning import methods
from models.tuning.loop import Run, Tuning

CASES = [("full", "words"), ("full", "mean"), ("prefix", "words"), ("lora", "linear")]


def tuning(case: tuple[str, str], models: dict[str, Model], **run: Any) -> Tuning:
    method, reading = case
    return Tuning(models["bert"], methods()[method], classes(), run=Run(**{"measure": 0, "rows": 3} | run), reading=reading)


def numbers(found: Tuning) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in found.trainable.items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], value) for name, value in other.items())


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_run_begins_at_the_start_and_the_mean_is_left(case: tuple[str, str], tuning_models: dict[str, Model]) -> None:
    found = tuning(case, tuning_models, steps=9, soup=3)
    start, ends, add = numbers(found), [], found.soup.add

    def watch(steps: int) -> None:
        ends.append(numbers(found))
        add(steps)

    found.soup.add = watch
    while not found.over:
        found.step()
        if found.step_number in (3, 6):
            assert same(numbers(found), start) and not found.optimiser.state
    assert len(ends) == 3 and not same(ends[0], ends[1]) and not same(ends[1], ends[2])
    for name, value in numbers(found).items():
        torch.testing.assert_close(value, torch.stack([end[name] for end in ends]).mean(0), rtol=1e-5, atol=1e-7)
    single = tuning(case, tuning_models, steps=3)
    for _ in single.steps():
        pass
    assert same(numbers(single), ends[0])  # one run of a soup is what it would be without the others


def test_each_run_has_its_own_rise_and_fall_of_the_rate(tuning_models: dict[str, Model]) -> None:
    found = tuning(("lora", "words"), tuning_models, steps=8, soup=2, warmup=0.5, rate=1e-3)
    rates = []
    while not found.over:
        groups = found.optimiser.param_groups
        found.step()
        rates.append(groups[0]["lr"])
    assert rates[:4] == pytest.approx([5e-4, 7.5e-4, 5e-4, 2.5e-4]) and rates[4:] == rates[:4]


@pytest.mark.parametrize("case", CASES, ids="-".join)
@pytest.mark.parametrize("after", [2, 3, 7])
def test_a_soup_can_be_interrupted(case: tuple[str, str], after: int, tuning_models: dict[str, Model]) -> None:
    budget = dict(steps=9, soup=3, dropout=0.1)
    whole, first, second = (tuning(case, tuning_models, **budget) for _ in range(3))
    losses = [step.loss for step in whole.steps()]
    begun = [first.step().loss for _ in range(after)]
    state = first.state()
    first.step()
    second.restore(state)
    assert [*begun, *(step.loss for step in second.steps())] == losses and same(numbers(whole), numbers(second))


def test_a_soup_that_is_broken_off_is_the_mean_of_the_runs_that_ended(tuning_models: dict[str, Model]) -> None:
    found = tuning(("full", "words"), tuning_models, steps=9, soup=3)
    for _ in range(2):
        found.step()
    before = numbers(found)
    found.settle()  # none has ended
    assert same(numbers(found), before)
    for _ in range(6):
        found.step()
    found.settle()
    assert same(numbers(found), found.soup.mean()) and found.soup.done == 2


@pytest.mark.parametrize(("steps", "runs"), [(2, 2), (3, 3), (1, 1)])
def test_more_runs_than_steps_are_fewer_runs(steps: int, runs: int, tuning_models: dict[str, Model]) -> None:
    found = tuning(("full", "words"), tuning_models, steps=steps, soup=5)
    assert len(list(found.steps())) == steps and found.soup.done == runs


def test_where_nothing_moves_there_is_nothing_to_average(tuning_models: dict[str, Model]) -> None:
    assert [step.last for step in tuning(("cloze", "words"), tuning_models, soup=4).steps()] == [True]
    with pytest.raises(Problem, match="bad_budget"):
        Run(soup=0)
