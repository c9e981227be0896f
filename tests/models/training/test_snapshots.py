"""The mean of the last checkpoints, by hand, and when a training ends with it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState
from torch import nn
from training_helpers import pairs_as_ids, small_translator, translator_tokenizer

from models.training import snapshots
from models.training.journal import read_log
from models.training.loop import Result, Settings, Trainer, accelerator
from models.training.sequence import Translating
from models.training.sequence_batches import SequenceSource
from models.training.stream import Stream


def linear(value: float) -> nn.Module:
    module = nn.Linear(2, 1)
    snapshots.put(module, {"weight": torch.full((1, 2), value), "bias": torch.full((1,), -value)})
    return module


def test_the_mean_by_hand(tmp_path: Path) -> None:
    assert snapshots.mean(tmp_path) == {}
    for step, value in enumerate((100.0, 1.0, 2.0, 6.0)):
        snapshots.keep(tmp_path, linear(value), step=step, most=3)
    assert [path.name for path in snapshots.files(tmp_path)] == [f"step-00000000{step}.safetensors" for step in (1, 2, 3)]
    assert snapshots.mean(tmp_path)["weight"].tolist() == [[3.0, 3.0]] and snapshots.mean(tmp_path)["bias"].tolist() == [-3.0]
    module = linear(0.0)
    snapshots.put(module, snapshots.mean(tmp_path))
    assert float(module(torch.ones(1, 2)).detach()) == 3.0
    snapshots.clear(tmp_path)
    assert snapshots.files(tmp_path) == []


def test_tied_weights_are_kept_once(tmp_path: Path) -> None:
    network = small_translator(translator_tokenizer())
    snapshots.keep(tmp_path, network, step=1, most=1)
    other = small_translator(translator_tokenizer())
    with torch.no_grad():
        other.embeddings.words.weight.zero_()
    snapshots.put(other, snapshots.mean(tmp_path))
    assert other.heads["lm"].output.weight is other.embeddings.words.weight
    assert torch.equal(other.embeddings.words.weight, network.embeddings.words.weight)


def trained(folder: Path, scores: list[float]) -> tuple[Trainer, Result]:
    """A training of 3 steps, each a checkpoint, whose measurements are written down."""
    AcceleratorState._reset_state(reset_partial_state=True)
    tokenizer = translator_tokenizer()
    source = SequenceSource(pairs=pairs_as_ids(tokenizer, folder), start_id=tokenizer.pad_id, pad_id=tokenizer.pad_id)
    trainer = Trainer(
        Translating(small_translator(tokenizer)),
        Stream(source, tokens=100),
        Settings(steps=3, keep=2, save_minutes=0.0, lr=0.1, warmup=0, bar=False, log_seconds=1e9, evaluate_minutes=1e9),
        folder=folder,
        accelerator=accelerator(device="cpu", precision="fp32"),
        identity={},
        evaluate=lambda: {"valid_loss": scores.pop(0)},
        judge="valid_loss",
    )
    return trainer, trainer.run()


@pytest.mark.parametrize("mean", [0.5, 1.5])
def test_the_mean_is_taken_where_it_measures_better(tmp_path: Path, mean: float) -> None:
    trainer, result = trained(tmp_path, [1.0, mean])
    kept = snapshots.mean(tmp_path)
    last = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["objective"]
    wanted: dict[str, Any] = kept if mean < 1 else last
    for name, parameter in trainer.objective.named_parameters():
        assert torch.equal(parameter, wanted[name]), name
        assert not torch.equal(kept[name], last[name]), name
    assert result.metrics == ({"valid_loss": 0.5, "averaged": 2} if mean < 1 else {"valid_loss": 1.0})
    assert [row["valid_loss"] for row in read_log(tmp_path / "log.jsonl") if "valid_loss" in row] == [1.0, mean]
    assert len(snapshots.files(tmp_path)) == 2
