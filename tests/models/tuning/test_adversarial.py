"""Adversarial training: each batch once as it is, once with its word vectors pushed against what is learnt."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from tuning_helpers import classes, rewritten

from models.errors import Problem
from models.model import Model
from models.tuning import methods
from models.tuning.adversarial import Adversary
from models.tuning.loop import Run, Tuning

CASES = [
    ("bert", "full", "words"),
    ("bert", "full", "mean"),
    ("bert", "ffn_only", "linear"),
    ("bert", "lora", "words"),
    ("bert", "prefix", "mean"),
    ("bert", "prompt", "words"),
    ("gpt2", "prompt", "words"),
    ("gpt2", "full", "words"),
    ("marian", "prefix", "text"),
    ("marian", "full", "text"),
]
PUSH = 0.3


def tuning(case: tuple[str, str, str], models: dict[str, Model], **run: Any) -> Tuning:
    base, method, reading = case
    examples = rewritten() if reading == "text" else classes()
    found = Tuning(models[base], methods()[method], examples, run=Run(**{"measure": 0, "rows": 3} | run), reading=reading)
    with torch.no_grad():  # a layer that starts at zero would have nothing to push
        for parameter in found.reading.trainable.values():
            parameter.copy_(torch.linspace(-1, 1, parameter.numel()).view_as(parameter))
    return found


def loss_of(found: Tuning) -> Callable[[], Tensor]:
    batch = [found.items[index] for index in found.batches[0]]
    return lambda: found.reading.loss(found.prepared.network, batch)


def gradients(found: Tuning) -> dict[str, Tensor]:
    given = {name: parameter.grad for name, parameter in found.trainable.items() if parameter.grad is not None}
    return {name: gradient.to_dense() if gradient.is_sparse else gradient for name, gradient in given.items()}


def cleared(found: Tuning) -> None:
    for parameter in found.trainable.values():
        parameter.grad = None


def with_vectors(found: Tuning, change: Callable[[int, Tensor], Tensor]) -> Tensor:
    """The loss where the n-th batch of vectors that the table gives is changed."""
    table, count = found.prepared.network.embeddings.words, []

    def changed(module: torch.nn.Module, given: Any, vectors: Tensor) -> Tensor:
        count.append(1)
        return change(len(count) - 1, vectors)

    hook = table.register_forward_hook(changed)
    try:
        return loss_of(found)()
    finally:
        hook.remove()


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_gradient_is_the_mean_of_two(case: tuple[str, str, str], tuning_models: dict[str, Model]) -> None:
    found = tuning(case, tuning_models)
    kept: list[Tensor] = []

    def keep(call: int, vectors: Tensor) -> Tensor:
        kept.append(vectors.detach().clone().requires_grad_())
        return kept[-1]

    slopes = torch.autograd.grad(with_vectors(found, keep), kept)
    mean = float(found.base.network.embeddings.words.weight.detach().norm(dim=1).mean())
    pushes = [PUSH * mean * slope / slope.flatten(1).norm(dim=1)[:, None, None] for slope in slopes]
    with torch.enable_grad():
        plain, pushed = loss_of(found)(), with_vectors(found, lambda call, vectors: vectors + pushes[call])
    assert float(pushed.detach()) > float(plain.detach()) > 0
    ((plain + pushed) / 2).backward()
    wanted = gradients(found)
    cleared(found)
    value = Adversary(found.prepared.network.embeddings.words, PUSH).backward(loss_of(found))
    assert float(value) == pytest.approx(float(plain.detach()), rel=1e-5) and not value.requires_grad
    got = gradients(found)
    assert got.keys() == wanted.keys()
    for name, gradient in got.items():
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-4, atol=1e-6)
    moves = any(parameter is found.prepared.network.embeddings.words.weight for parameter in found.trainable.values())
    assert moves or found.prepared.network.embeddings.words.weight.grad is None


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_without_a_push_nothing_is_different(case: tuple[str, str, str], tuning_models: dict[str, Model]) -> None:
    found = tuning(case, tuning_models)
    value = loss_of(found)()
    value.backward()
    wanted = gradients(found)
    cleared(found)
    assert float(Adversary(found.prepared.network.embeddings.words, 0).backward(loss_of(found))) == float(value.detach())
    assert all(torch.equal(gradient, wanted[name]) for name, gradient in gradients(found).items())


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_run_learns_can_be_interrupted_and_leaves_the_base_alone(case: tuple[str, str, str], tuning_models: dict[str, Model]) -> None:
    before = {name: value.clone() for name, value in tuning_models[case[0]].network.state_dict().items()}
    run = dict(steps=6, adversarial=PUSH, dropout=0.1)
    whole, first, second = (tuning(case, tuning_models, **run) for _ in range(3))
    losses = [step.loss for step in whole.steps()]
    begun = [first.step().loss for _ in range(2)]
    second.restore(first.state())
    assert [*begun, *(step.loss for step in second.steps())] == losses
    assert all(torch.equal(value, before[name]) for name, value in tuning_models[case[0]].network.state_dict().items())
    assert not whole.prepared.network.embeddings.words._forward_hooks


def test_a_layer_at_zero_has_nothing_to_push_and_begins_all_the_same(tuning_models: dict[str, Model]) -> None:
    run = Run(measure=0, steps=12, adversarial=PUSH)
    found = Tuning(tuning_models["bert"], methods()["full"], classes(), run=run, reading="mean")
    losses = [step.loss for step in found.steps()]
    assert losses[0] == pytest.approx(0.6931, abs=1e-3) and losses[-1] < 0.66


def test_what_goes_wrong_leaves_no_hook(tuning_models: dict[str, Model]) -> None:
    found = tuning(("bert", "full", "words"), tuning_models)

    def broken() -> Tensor:
        raise MemoryError

    with pytest.raises(MemoryError):
        Adversary(found.prepared.network.embeddings.words, PUSH).backward(broken)
    assert not found.prepared.network.embeddings.words._forward_hooks
    for push in (-0.1, 1.5, float("nan")):
        with pytest.raises(Problem, match="bad_budget"):
            Run(adversarial=push)
