"""The entry points for translators, as a reader runs them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState
from training_helpers import pieces_of_pairs, small_translator, translator_tokenizer

from models.loading import load
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training import backtranslate, evaluate, export, translation
from models.training.card import NEEDED
from models.training.export_translator import export_translator
from models.training.journal import read_log
from models.training.parallel import read_pairs
from models.training.pieces import PAD, processor
from models.training.tiny import pair, write_translations
from models.training.translation_flags import options

QUICK = ["--quiet", "--device", "cpu", "--evaluate-pairs", "16", "--translate-pairs", "8"]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    AcceleratorState._reset_state(reset_partial_state=True)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `--tiny` makes."""
    out = tmp_path_factory.mktemp("tiny") / "out"
    AcceleratorState._reset_state(reset_partial_state=True)
    translation.main(["--tiny", "--out", str(out), "--quiet", "--device", "cpu", "--keep", "2"])
    return out


def test_a_tiny_training_learns_to_translate_and_leaves_a_model_that_loads(trained: Path) -> None:
    result = json.loads((trained / "result.json").read_text())
    assert result["metrics"]["bleu"] > 20 and result["metrics"]["valid_accuracy"] > 0.8
    assert {"step", "words_loss", "tokens"} <= set(read_log(trained / "log.jsonl")[0])
    model = load(trained / "model")
    assert model.family == "marian" and model.tasks == {"attend", "translate"}
    assert json.loads((trained / "data.json").read_text())["out/pairs.tsv"]["kept"] == 2000
    assert len((trained / "translations.tsv").read_text().splitlines()) == 64


def test_the_same_command_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    flags = ["--tiny", *QUICK, "--dropout", "0.1", "--decay", "constant", "--warmup", "0", "--width", "16"]
    translation.main([*flags, "--out", str(tmp_path / "whole"), "--steps", "7"])
    for steps in ("3", "7"):
        translation.main([*flags, "--out", str(tmp_path / "parts"), "--steps", steps])
    one, two = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts"))
    assert one["position"] == two["position"] and one["position"]["step"] == 7
    for name, value in one["objective"].items():
        assert torch.equal(value, two["objective"][name]), name
    with pytest.raises(ValueError, match="smoothing was"):
        translation.main([*flags, "--out", str(tmp_path / "parts"), "--steps", "8", "--smoothing", "0"])


def test_a_student_is_trained_and_loads(tmp_path: Path) -> None:
    translation.main(["--tiny", *QUICK, "--start", "student", "--steps", "3", "--out", str(tmp_path)])
    assert load(tmp_path / "model").family == "student"


def test_a_model_of_the_other_direction_is_turned_round_and_can_be_gone_on_with(tmp_path: Path) -> None:
    cutters = [processor(pieces_of_pairs()) for _ in range(2)]
    tokenizer = SentencePieceTokenizer(*cutters, vocabulary=translator_tokenizer().vocabulary, pad=PAD)
    export_translator(small_translator(tokenizer), tokenizer, tmp_path / "zh-en", direction="zh-en")
    flags = ["--tiny", *QUICK, "--lr", "1e-9", "--warmup", "0", "--steps", "1"]
    base = ["--start", "reversed", "--base", f"base={tmp_path / 'zh-en'}", "--keep-layers", "0", "2"]
    translation.main([*flags, *base, "--out", str(tmp_path / "one")])
    before, after = load(tmp_path / "zh-en").network.state_dict(), load(tmp_path / "one" / "model")
    assert (after.config.n_encoder_layers, after.config.n_decoder_layers) == (2, 2)
    name = "decoder.layers.{}.feedforward.up.weight"
    assert torch.equal(after.network.state_dict()[name.format(1)], before[name.format(2)])
    translation.main([*flags, "--start", f"mine={tmp_path / 'one' / 'model'}", "--int8", "--out", str(tmp_path / "two")])
    again = load(tmp_path / "two" / "model")
    assert again.config == after.config
    torch.testing.assert_close(again.network.embeddings.words.weight, after.network.embeddings.words.weight, rtol=0, atol=0.02)


def test_a_translator_is_measured(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--model", f"mine={trained / 'model'}", "--parallel", str(trained / "pairs.valid.tsv"), "--device", "cpu"]
    found = evaluate.main([*flags, "--direction", "en-zh", "--sentences", "64", "--write", str(tmp_path)])
    text, short = found["texts"]
    assert short["name"] == "assets/short_pairs_en_zh.tsv" and short["sentences"] == 50
    result = json.loads((trained / "result.json").read_text())["metrics"]
    assert text["bleu"] == pytest.approx(result["bleu"], abs=3) and text["sentences"] == 64
    assert found["command"].endswith("--model mine --parallel out/pairs.valid.tsv --direction en-zh --sentences 64")
    assert "BLEU" in capsys.readouterr().out and json.loads((tmp_path / "metrics.json").read_text()) == found
    facts = {name: "x" for name in NEEDED if name not in ("steps", "tokens", "minutes")} | {
        "languages": ["en", "zh"],
        "task": "translation",
    }
    (tmp_path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    export.main(["--model", str(trained / "model"), "--log", str(trained / "log.jsonl"), "--card", str(tmp_path / "facts.json"),
                 "--to", str(tmp_path / "ships")])  # fmt: skip
    evaluate.main([*flags, "--direction", "en-zh", "--sentences", "8", "--write", str(tmp_path / "ships")])
    card = (tmp_path / "ships" / "README.md").read_text()
    assert "pipeline_tag: translation" in card and "| BLEU |" in card and "180 steps" in card
    assert load(tmp_path / "ships").family == "marian"
    with pytest.raises(ValueError, match="--direction"):
        evaluate.main(flags)
    alone = evaluate.main([*flags[:2], "--direction", "en-zh"])
    assert alone["texts"] == [short] and alone["command"].endswith("--model mine --direction en-zh")


def test_text_is_translated_back_and_a_second_run_goes_on(tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chinese = [line.split("\t")[1] for line in write_translations(tmp_path / "x.tsv", count=40, seed=9).read_text().splitlines()]
    documents = ["".join(chinese[start : start + 4]) for start in range(0, 40, 4)]
    (tmp_path / "zh.txt").write_text("\n\n".join([*documents, chinese[0]]), encoding="utf-8")
    asked: list[str] = []

    def backwards(network: Any, tokenizer: Any, texts: list[str], **options: Any) -> list[str]:
        asked.extend(texts)
        return ["" if text == chinese[3] else f"These are {len(text)} characters, {len(asked)} so far." for text in texts]

    monkeypatch.setattr(backtranslate, "translate", backwards)
    flags = ["--model", f"mine={trained / 'model'}", "--text", str(tmp_path / "zh.txt"), "--quiet", "--device", "cpu", "--block", "8"]
    for out, limits in (("one.tsv.xz", [40]), ("two.tsv.xz", [12, 40])):
        asked.clear()
        for most in limits:
            told = backtranslate.main([*flags, "--out", str(tmp_path / out), "--sentences", str(most)])
            with (tmp_path / f"{out}.part").open("a") as file:
                file.write("在厨房里安娜\tcut off in the mid")  # as a killed run leaves it
        assert asked == list(dict.fromkeys(chinese)) and told == {"kept": 39, "empty": 1}
        found = list(read_pairs(tmp_path / out))
        assert [one.chinese for one in found] == [text for text in chinese if text != chinese[3]]
        assert found[0].english == f"These are {len(chinese[0])} characters, {8} so far."
    with pytest.raises(ValueError, match="another text or model"):
        backtranslate.main([*flags, "--direction", "en-zh", "--out", str(tmp_path / "one.tsv.xz")])


def test_back_translation_with_a_real_network(tmp_path: Path, trained: Path) -> None:
    english = list(dict.fromkeys(line.split("\t")[0] for line in (trained / "pairs.valid.tsv").read_text().splitlines()))[:6]
    (tmp_path / "en.txt").write_text("\n\n".join(english), encoding="utf-8")
    flags = ["--model", f"mine={trained / 'model'}", "--direction", "en-zh", "--text", str(tmp_path / "en.txt"), "--quiet"]
    told = backtranslate.main([*flags, "--device", "cpu", "--out", str(tmp_path / "pairs.tsv")])
    assert told["kept"] == len(list(read_pairs(tmp_path / "pairs.tsv"))) > 3


@pytest.mark.parametrize("module", ["translation", "backtranslate"])
def test_every_flag_is_explained(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = {"translation": translation, "backtranslate": backtranslate}[module].main
    with pytest.raises(SystemExit):
        entry(["--help"])
    blocks = capsys.readouterr().out.split("\n  -")[1:]
    assert len(blocks) >= 8
    for block in blocks:
        assert len(block.split()) > 3, f"{module}: no help for -{block}"


def test_the_shape_depends_on_the_start_and_on_what_is_given() -> None:
    given = ["--train", "a.tsv", "--out", "x", "--minutes", "1"]
    assert options("", [*given, "--start", "fresh"]).inner == 2048 and options("", [*given, "--start", "student"]).width == 256
    asked = options("", [*given, "--start", "student", "--layers", "3"])
    assert (asked.layers, asked.decoder_layers, asked.inner) == (3, 2, 1536)
    assert options("", ["--tiny", "--out", "x"]).inner == 256 and options("", ["--tiny", "--out", "x", "--width", "32"]).inner == 128


def test_the_made_up_language_is_the_same_from_the_same_seed(tmp_path: Path) -> None:
    assert pair(random.Random(1)) == pair(random.Random(1))
    one, two = (write_translations(tmp_path / name, count=50, seed=4).read_text() for name in ("a", "b"))
    assert one == two and len(set(one.splitlines())) == 50
