"""The entry points, as a reader runs them: on one process and on two."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState

from models.loading import load
from models.training import bert, evaluate, export
from models.training.bert_flags import options
from models.training.card import NEEDED, card
from models.training.journal import read_log

# On CPUs torch's own launcher starts the processes; `accelerate launch` does so for GPUs and machines.
LAUNCH = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--rdzv_backend", "c10d", "--rdzv_endpoint", "127.0.0.1:0"]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    AcceleratorState._reset_state(reset_partial_state=True)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def command(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `--tiny` makes."""
    out = tmp_path_factory.mktemp("tiny") / "out"
    AcceleratorState._reset_state(reset_partial_state=True)
    bert.main(["--tiny", "--out", str(out), "--quiet", "--device", "cpu"])
    return out


def test_a_tiny_training_learns_and_leaves_a_model_that_loads(trained: Path) -> None:
    result = json.loads((trained / "result.json").read_text())
    first = read_log(trained / "log.jsonl")[0]
    assert result["steps"] == 300
    assert result["metrics"]["mlm_loss"] < math.log(300) - 1.5 and result["metrics"]["mlm_top1"] > 0.2
    assert {"step", "seconds", "tokens", "words_loss", "pairs_loss", "follow_share"} <= set(first)
    model = load(trained / "model")
    assert model.tasks == {"attend", "fill_mask", "next_sentence"} and model.n_parameters < 300_000


def test_the_same_command_goes_on_and_fresh_begins_anew(tmp_path: Path) -> None:
    flags = ["--tiny", "--out", str(tmp_path), "--quiet", "--device", "cpu", "--evaluate-pairs", "16"]
    assert bert.main([*flags, "--steps", "4"]).steps == 4
    assert bert.main([*flags, "--steps", "6"]).steps == 6
    steps = [row["step"] for row in read_log(tmp_path / "log.jsonl")]
    assert steps == sorted(steps) and steps[-1] == 6
    bert.main([*flags, "--steps", "2", "--fresh"])
    assert read_log(tmp_path / "log.jsonl")[-1]["step"] == 2


def test_a_trained_model_can_be_trained_on(trained: Path, tmp_path: Path) -> None:
    flags = ["--tiny", "--init", f"mine={trained / 'model'}", "--steps", "3", "--lr", "1e-5", "--warmup", "0"]
    result = bert.main([*flags, "--out", str(tmp_path), "--quiet", "--device", "cpu"])
    before = json.loads((trained / "result.json").read_text())["metrics"]
    assert result.metrics["mlm_loss"] == pytest.approx(before["mlm_loss"], abs=0.05)


def test_two_processes_do_what_one_does(tmp_path: Path) -> None:
    flags = ["-m", "models.training.bert", "--tiny", "--steps", "10", "--batches", "2", "--lr", "1e-3", "--evaluate-pairs", "32", "--quiet"]
    flags += ["--device", "cpu", "--log-seconds", "1e9", "--out"]
    command(*flags, str(tmp_path / "one"))
    command(*LAUNCH, *flags, str(tmp_path / "two"))
    one, two = (read_log(tmp_path / name / "log.jsonl") for name in ("one", "two"))
    assert [row["step"] for row in one] == [row["step"] for row in two]
    assert json.loads((tmp_path / "two" / "result.json").read_text())["processes"] == 2
    for mine, theirs in zip(one, two):
        for name in {"words_loss", "pairs_loss", "mlm_loss", "tokens", "follow_share"} & set(mine):
            assert mine[name] == pytest.approx(theirs[name], rel=1e-4), name
    states = [torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("one", "two")]
    flat = [torch.cat([value.flatten() for value in state["objective"].values()]) for state in states]
    # Adam divides by the size of a gradient, so single weights with a gradient near 0 may differ by more than rounding.
    assert float((flat[0] - flat[1]).norm() / flat[0].norm()) < 1e-3
    assert states[0]["position"] == states[1]["position"]


def test_measuring_gives_the_same_numbers_each_time_and_writes_the_card(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {name: "x" for name in NEEDED} | {
        "languages": ["en"],
        "data": ["stories"],
        "limits": ["all"],
        "minutes": 1,
        "steps": 300,
        "tokens": 9,
    }
    folder = trained / "model"
    (folder / "card.json").write_text(json.dumps(facts))
    flags = ["--model", f"mine={folder}", "--text", str(trained / "stories.valid.txt"), "--tiny", "--device", "cpu"]
    one = evaluate.main([*flags, "--write", str(folder)])
    two = evaluate.main([*flags, "--cache", str(tmp_path)])
    assert one == two
    names = [text["name"] for text in one["texts"]]
    assert names == ["out/stories.valid.txt", "assets/short_texts_en.txt"]
    stories = one["texts"][0]
    assert stories["mlm_top1"] > 0.2 and stories["pairs"] >= 64 and 0 <= stories["nsp_same_document"] <= 1
    assert len(one["clozes"]["each"]) == 50 and [len(each["guesses"]) for each in one["obvious"]] == [5] * 4
    written = json.loads((folder / "metrics.json").read_text())
    assert written["command"] == "python -m models.training.evaluate --model mine --text out/stories.valid.txt"
    text = (folder / "README.md").read_text()
    assert f"{stories['mlm_top1']:.1%}" in text and written["command"] in text
    assert f"| The capital of France is [MASK]. | paris | {', '.join(one['obvious'][0]['guesses'])} | no |" in text
    assert "hidden word is the first guess" in capsys.readouterr().out


def test_a_checkpoint_becomes_a_folder_that_ships(trained: Path, tmp_path: Path) -> None:
    facts = {name: "x" for name in NEEDED if name not in ("steps", "tokens", "minutes")} | {"languages": ["en"], "data": ["stories"]}
    (tmp_path / "facts.json").write_text(json.dumps(facts | {"limits": ["it is tiny"]}))
    weights = tmp_path / "elsewhere.safetensors"
    shutil.copy(trained / "model" / "model.safetensors", weights)
    flags = ["--model", str(trained / "model"), "--weights", str(weights), "--log", str(trained / "log.jsonl")]
    export.main([*flags, "--card", str(tmp_path / "facts.json"), "--to", str(tmp_path / "ships")])
    before, after = load(trained / "model"), load(tmp_path / "ships")
    for name, value in before.network.state_dict().items():
        assert torch.equal(after.network.state_dict()[name], value)
    text = (tmp_path / "ships" / "README.md").read_text()
    assert "300 steps" in text and "Not measured yet" in text and "it is tiny" in text
    assert read_log(tmp_path / "ships" / "log.jsonl") == read_log(trained / "log.jsonl")


def test_a_model_without_heads_cannot_be_measured(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="tiny-gpt2 has no heads"):
        evaluate.main(["--model", f"tiny-gpt2={tiny_models['tiny-gpt2']}", "--tiny", "--device", "cpu"])


def test_a_card_in_two_languages_is_written_in_english() -> None:
    facts = {name: "x" for name in NEEDED} | {"languages": ["en"], "minutes": 1, "steps": 2, "tokens": 3, "limits": ["none"]}
    facts |= {"summary": {"en": "Small.", "zh": "小。"}, "data": {"en": ["one", "two"], "zh": ["一"]}}
    text = card(facts)
    assert "Small." in text and "- one\n- two" in text and "小" not in text and "一" not in text


def test_a_card_that_lacks_facts_is_refused() -> None:
    with pytest.raises(ValueError, match="hardware, minutes"):
        card({name: "x" for name in NEEDED if name not in ("hardware", "minutes")})


@pytest.mark.parametrize("module", ["bert", "evaluate", "export"])
def test_every_flag_is_explained(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = __import__(f"models.training.{module}", fromlist=["main"]).main
    with pytest.raises(SystemExit):
        entry(["--help"])
    told = capsys.readouterr().out
    blocks = told.split("\n  -")[1:]
    assert len(blocks) >= 5
    for block in blocks:
        assert len(block.split()) > 3, f"{module}: no help for -{block}"


def test_flags_that_make_no_sense_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for flags, said in (
        (["--out", "x", "--steps", "5"], "--train is needed"),
        (["--out", "x", "--train", "a.txt"], "--steps or --minutes"),
    ):
        with pytest.raises(SystemExit):
            options("", flags)
        assert said in capsys.readouterr().err


def test_what_is_given_goes_before_what_tiny_sets() -> None:
    asked = options("", ["--tiny", "--out", "x", "--steps", "7"])
    assert (asked.steps, asked.layers, asked.minutes) == (7, 2, None)
