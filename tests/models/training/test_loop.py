"""The loop: stops when it should, goes on where it stopped, and counts a step the same however it is cut."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState
from torch import nn
from training_helpers import small_network, small_source, small_tokenizer

from models.training import checkpoint
from models.training.average import Average
from models.training.dropout import add_dropout, dropout
from models.training.journal import read_log
from models.training.loop import Result, Settings, Trainer, accelerator, parameter_groups
from models.training.pair_batches import PairSource
from models.training.pretraining import Pretraining
from models.training.schedule import rate
from models.training.stream import Stream


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> PairSource:
    return small_source(tmp_path_factory.mktemp("loop"), count=150)


def trained(
    source: PairSource, folder: Path, *, tokens: int = 400, batches: int = 1, dropout: float = 0.0, precision: Any = "fp32", **changes: Any
) -> tuple[Trainer, Result]:
    folder.mkdir(exist_ok=True)
    AcceleratorState._reset_state(reset_partial_state=True)  # the library knows one precision a process
    network = small_network(small_tokenizer())
    add_dropout(network, dropout)
    trainer = Trainer(
        Pretraining(network),
        Stream(source, tokens=tokens, batches=batches, seed=1),
        Settings(**{"steps": 12, "warmup": 2, "lr": 3e-3, "bar": False, "log_seconds": 1e9} | changes),
        folder=folder,
        accelerator=accelerator(device="cpu", precision=precision),
        identity={"tokens": tokens, "batches": batches},
    )
    return trainer, trainer.run()


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.objective.state_dict().items()}


def test_the_loss_falls(source: PairSource, tmp_path: Path) -> None:
    trained(source, tmp_path, steps=60, log_seconds=0.0)
    rows = [row for row in read_log(tmp_path / "log.jsonl") if "words_loss" in row]
    assert len(rows) == 60 and rows[-1]["step"] == 60
    assert rows[0]["words_loss"] == pytest.approx(math.log(250), abs=0.3)  # nothing is known yet: one of about 250 words
    assert sum(row["words_loss"] for row in rows[-5:]) / 5 < rows[0]["words_loss"] - 1
    assert rows[-1]["tokens"] == pytest.approx(60 * 360, rel=0.1)  # of 400, the rest is padding
    assert 0.2 < sum(row["follow_share"] for row in rows) / 60 < 0.55


@pytest.mark.parametrize("options", [{}, {"dropout": 0.2}, {"average": 0.9}, {"batches": 2}])
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(source: PairSource, tmp_path: Path, options: dict[str, Any]) -> None:
    whole, result = trained(source, tmp_path / "whole", **options)
    # The first part stops after 5 steps of a schedule for 12, as a killed run does.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "progress", lambda self: 1.0 if self.step == 5 else self.step / 12)
        trained(source, tmp_path / "parts", **options)
    again, continued = trained(source, tmp_path / "parts", **options)
    assert (continued.steps, continued.tokens) == (result.steps, result.tokens)
    for (name, one), other in zip(weights(whole).items(), weights(again).values()):
        assert torch.equal(one, other), name
    if whole.average:
        assert all(torch.equal(one, other) for one, other in zip(whole.average.mean, again.average.mean))


def test_a_training_that_is_over_is_not_trained_again(source: PairSource, tmp_path: Path) -> None:
    first, _ = trained(source, tmp_path)
    second, result = trained(source, tmp_path)
    assert result.steps == 12
    assert all(torch.equal(one, other) for one, other in zip(weights(first).values(), weights(second).values()))


def test_one_large_batch_and_several_small_ones_are_the_same_step(source: PairSource, tmp_path: Path) -> None:
    network = small_network(small_tokenizer())
    objective = Pretraining(network)
    parts = next(Stream(source, tokens=400, batches=3, seed=1).steps())[0]
    settings = Settings(steps=1, bar=False, clip=1e9)
    trainer = Trainer(objective, Stream(source, tokens=400), settings, folder=tmp_path, accelerator=accelerator(device="cpu"), identity={})
    trainer.optimiser.step = lambda: None
    gradients: dict[str, torch.Tensor] = {}
    trainer.optimiser.zero_grad = lambda: gradients.update({name: p.grad.clone() for name, p in objective.named_parameters()})
    trainer.learn(parts)

    objective.zero_grad()
    words = sum(objective(batch)["words"] for batch in parts) / sum(batch.counts["words"] for batch in parts)
    pairs = sum(objective(batch)["pairs"] for batch in parts) / sum(batch.counts["pairs"] for batch in parts)
    (words + pairs).backward()
    for name, parameter in objective.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-6)


def test_only_hidden_words_go_through_the_product_with_the_vocabulary(source: PairSource) -> None:
    network = small_network(small_tokenizer())
    shapes = []
    network.heads["mlm"].output.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output.shape)))
    batch = next(iter(Stream(source, tokens=400).once()))
    losses = Pretraining(network)(batch)
    assert shapes == [(batch.counts["words"], network.config.vocab_size)]
    hidden = network.encode(batch.tokens)
    everywhere = network.heads["mlm"](hidden).flatten(0, 1)
    asked = torch.zeros(everywhere.shape[0], dtype=torch.bool)
    asked[batch.places] = True
    by_hand = nn.functional.cross_entropy(everywhere[asked], batch.words, reduction="sum")
    torch.testing.assert_close(losses["words"], by_hand, rtol=1e-5, atol=1e-4)


def test_the_time_is_up_when_it_is(source: PairSource, tmp_path: Path) -> None:
    _, result = trained(source, tmp_path, steps=None, minutes=0.02)
    assert 1.2 <= result.seconds < 60 and result.steps >= 1
    saved = checkpoint.restore(tmp_path)
    assert saved["step"] == result.steps and saved["seconds"] >= 1.2


def test_bfloat16_computes_in_less_precision_with_the_same_weights(source: PairSource, tmp_path: Path) -> None:
    exact, _ = trained(source, tmp_path / "fp32", steps=3)
    rough, _ = trained(source, tmp_path / "bf16", steps=3, precision="bf16")
    for one, other in zip(weights(exact).values(), weights(rough).values()):
        assert other.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=0, atol=0.02)
    assert any(not torch.equal(one, other) for one, other in zip(weights(exact).values(), weights(rough).values()))


def test_a_loss_that_is_no_number_ends_the_training_with_advice(source: PairSource, tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match="lower --lr"):
        trained(source, tmp_path, lr=1e30, clip=1e30, steps=8, log_seconds=0.0)


def test_another_training_in_the_same_folder_is_refused(source: PairSource, tmp_path: Path) -> None:
    trained(source, tmp_path, steps=2)
    with pytest.raises(ValueError, match="tokens was 400 and is 300"):
        trained(source, tmp_path, steps=2, tokens=300)


def test_a_training_needs_an_end() -> None:
    with pytest.raises(ValueError, match="steps or minutes"):
        Settings()


def test_a_checkpoint_is_complete_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoint.restore(tmp_path) is None
    checkpoint.save(tmp_path, {"step": 1})

    def fails(state: dict[str, Any], stream: Any) -> None:
        stream.write(b"half of it")
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", fails)
        with pytest.raises(OSError, match="full"):
            checkpoint.save(tmp_path, {"step": 2})
    assert checkpoint.restore(tmp_path) == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE]


def test_the_rate_rises_and_falls() -> None:
    assert [rate(step, 0.0, warmup=4) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert rate(100, 0.5, warmup=4) == 0.5 and rate(100, 1.0, warmup=4) == 0.02
    assert rate(100, 0.5, warmup=0, decay="cosine") == pytest.approx(0.5) and rate(100, 0.25, warmup=0, decay="cosine") > 0.75
    assert rate(100, 0.9, warmup=0, decay="constant") == 1.0


def test_the_mean_of_the_weights_by_hand() -> None:
    weight = nn.Parameter(torch.tensor([0.0]))
    mean = Average([weight], decay=0.9)
    for value in (11.0, 22.0):
        weight.data.fill_(value)
        mean.update()
    first = 11 * (1 - 2 / 11)  # after one update 2/11 of the start is kept
    assert float(mean.mean[0]) == pytest.approx(first * 3 / 12 + 22 * 9 / 12)
    with mean.in_place():
        assert float(weight.detach()) == pytest.approx(first * 3 / 12 + 22 * 9 / 12)
    assert float(weight.detach()) == 22
    with pytest.raises(ValueError, match="got 1"):
        Average([weight], decay=1.0)


def test_biases_and_norms_do_not_shrink_and_heads_learn_faster() -> None:
    objective = Pretraining(small_network(small_tokenizer()))
    groups = parameter_groups(objective, Settings(steps=1, lr=1.0, new_lr=3.0, weight_decay=0.5))
    names = {id(parameter): name for name, parameter in objective.named_parameters()}
    assert sum(len(group["params"]) for group in groups) == len(names)
    for group in groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.5 if parameter.dim() > 1 else 0.0)
            assert group["highest"] == (3.0 if "heads." in names[id(parameter)] else 1.0)


def test_dropout_is_there_in_training_only() -> None:
    network = small_network(small_tokenizer())
    add_dropout(network, 0.5)
    x = torch.ones(1, 4, 32)
    feedforward = network.encoder.layers[0].feedforward
    network.eval()
    with torch.no_grad():
        assert torch.equal(feedforward(x), feedforward(x))
        plain = feedforward(x)
        network.train()
        noisy = feedforward(x)
    assert 0.2 < (noisy == 0).float().mean() < 0.8
    torch.testing.assert_close(noisy[noisy != 0], 2 * plain[noisy != 0])
    with pytest.raises(ValueError, match="got 1"):
        add_dropout(network, 1.0)


@pytest.mark.parametrize(("share", "kept"), [(0.1, 230 / 256), (0.5, 0.5), (0.999, 1 / 256), (0.001, 1.0)])
def test_dropout_zeroes_a_share_rounded_to_bytes_and_keeps_the_mean(share: float, kept: float) -> None:
    x = torch.ones(201, 1003, requires_grad=True)
    torch.manual_seed(1)
    found = dropout(x, share)
    torch.manual_seed(1)
    assert torch.equal(dropout(x, share), found), "the same chance, the same features"
    said = found[found != 0]
    torch.testing.assert_close(said, torch.full_like(said, 1 / kept))
    assert len(said) / x.numel() == pytest.approx(kept, abs=5e-3)
    found.sum().backward()
    torch.testing.assert_close(x.grad, found.detach())
    assert dropout(x.bfloat16(), share).dtype == torch.bfloat16
