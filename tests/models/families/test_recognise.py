"""How a family is found: by the folder's config.json, or by the weight file itself."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from models import families
from models.config import ModelConfig
from models.errors import Problem

FOLDER = Path(families.__file__).parent


def write_config(folder: Path, **settings: object) -> None:
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "model.safetensors").write_bytes(b"")


def test_every_file_of_the_folder_is_a_family() -> None:
    files = {path.stem for path in FOLDER.glob("*.py") if not path.name.startswith("_")}
    assert {family.name for family in families.families()} == files
    assert len(families.families()) >= 5


def test_a_family_answers_to_its_model_types() -> None:
    wanted = {"bert": "bert", "roberta": "roberta", "marian": "marian", "gpt2": "gpt2", "qwen2": "llama", "mistral": "llama"}
    assert {model_type: families.find(model_type).name for model_type in wanted} == wanted


def test_two_families_with_one_model_type_are_an_error() -> None:
    bert = families.find("bert")
    with pytest.raises(ValueError, match="bert and other both answer to 'bert'"):
        families.check_claims((bert, replace(bert, name="other")))


@pytest.mark.parametrize("model_type", ["t5", "", "BERT", "../bert", "x" * 10_000])
def test_an_unknown_kind_is_refused_with_what_is_known(model_type: str, tmp_path: Path) -> None:
    write_config(tmp_path, model_type=model_type)
    with pytest.raises(Problem) as caught:
        families.recognise(tmp_path)
    assert caught.value.key == "unknown_family"
    assert "bert" in caught.value.values["known"] and len(caught.value.values["saw"]) <= 80


def test_the_config_names_the_family_and_the_generation_config_adds_to_it(tmp_path: Path) -> None:
    write_config(tmp_path, model_type="qwen2", eos_token_id=3, hidden_size=8)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [3, 4], "pad_token_id": None, "temperature": 0.5}))
    found = families.recognise(tmp_path)
    assert found.family.name == "llama" and found.weights == tmp_path / "model.safetensors"
    assert found.settings == {"model_type": "qwen2", "eos_token_id": [3, 4], "hidden_size": 8}


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", '"bert"', "\ud800".encode("utf-8", "surrogatepass"), "[" * 100_000])
def test_a_damaged_config_is_refused_by_name(content: str | bytes, tmp_path: Path) -> None:
    write_config(tmp_path, model_type="bert")
    (tmp_path / "config.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Problem) as caught:
        families.recognise(tmp_path)
    assert caught.value.key == "broken_config" and caught.value.values["file"] == "config.json"


def test_a_folder_with_neither_config_nor_known_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no_weights"):
        families.recognise(tmp_path)
    header = json.dumps({}).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(Problem, match="unknown_family.*without a model_type"):
        families.recognise(tmp_path)


def test_a_family_builds_on_meta() -> None:
    config = ModelConfig(vocab_size=9, d_model=8, n_heads=2, d_ff=8, n_decoder_layers=1, positions="rotary", lm_head=True)
    network = families.find("llama").build(config)
    assert all(parameter.is_meta for parameter in network.parameters())
