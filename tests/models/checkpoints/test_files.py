"""Finding and opening weights: safetensors, torch files, shards, and which reader a file gets."""

import json
import pickle
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.checkpoints.files import find_weights, open_weights
from models.errors import Problem

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}


class Fired(Exception):
    """What a hostile pickle would do if it were run."""


def fire() -> None:
    raise Fired


class Hostile:
    def __reduce__(self) -> tuple:
        return fire, ()


def same(weights: object) -> None:
    assert sorted(weights.names()) == sorted(TENSORS)
    for name, tensor in TENSORS.items():
        assert weights.shape(name) == tuple(tensor.shape)
        assert torch.equal(weights.read(name), tensor.float())
        assert weights.read(name, torch.float16).dtype is torch.float16


def save_shards(folder: Path, *, suffix: str, index: str) -> dict[str, str]:
    """One tensor a file, with the index; returns its weight map."""
    places = {}
    for number, (name, tensor) in enumerate(TENSORS.items()):
        shard = f"part-{number}.{suffix}"
        save_file({name: tensor}, folder / shard) if suffix == "safetensors" else torch.save({name: tensor}, folder / shard)
        places[name] = shard
    (folder / index).write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return places


def test_a_folder_with_safetensors_is_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.safetensors", metadata={"format": "pt"})
    weights = open_weights(tmp_path)
    same(weights)
    assert weights.metadata == {"format": "pt"} and weights.model_type is None
    weights.close()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_both_kinds_of_torch_file_are_read(tmp_path: Path, zipped: bool) -> None:
    torch.save(TENSORS, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    same(open_weights(tmp_path))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_torch_file_that_would_run_code_is_refused(tmp_path: Path, zipped: bool) -> None:
    torch.save({"a": Hostile()}, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(Problem, match="weights_only") as caught:
        open_weights(tmp_path)
    assert caught.value.values["file"] == "pytorch_model.bin"


def test_a_plain_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Hostile(), protocol=2))
    with pytest.raises(Problem, match="broken_weights"):
        open_weights(tmp_path)


@pytest.mark.parametrize("content", [[1, 2], {"a": 3}, {1: torch.zeros(2)}, {"a": torch.zeros(2, 2).to_sparse()}])
def test_a_torch_file_with_anything_but_named_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(Problem, match="instead of named tensors|not an ordinary tensor"):
        open_weights(tmp_path)


@pytest.mark.parametrize(("suffix", "index"), [("safetensors", "model.safetensors.index.json"), ("bin", "pytorch_model.bin.index.json")])
def test_shards_read_as_one(tmp_path: Path, suffix: str, index: str) -> None:
    save_shards(tmp_path, suffix=suffix, index=index)
    weights = open_weights(tmp_path)
    same(weights)
    weights.close()


@pytest.mark.parametrize(
    "shard", ["../part-0.safetensors", "/etc/passwd", "sub/part.safetensors", "..\\part.safetensors", "gone.safetensors"]
)
def test_an_index_may_only_name_files_beside_it(tmp_path: Path, shard: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    save_file(TENSORS, tmp_path / "part-0.safetensors")
    (inner / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a.weight": shard}}))
    with pytest.raises(Problem, match="plain file name|is missing"):
        open_weights(inner)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}', '{"weight_map": {"c": "part-0.safetensors"}}']
)
def test_a_damaged_index_is_refused_by_name(tmp_path: Path, content: str) -> None:
    save_shards(tmp_path, suffix="safetensors", index="model.safetensors.index.json")
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(Problem) as caught:
        open_weights(tmp_path)
    assert caught.value.values["file"] == "model.safetensors.index.json"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 5) + b"{'a'}",
        json.dumps(
            {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}
        ).encode(),
        json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 8]}}).encode(),
        json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 800]}}).encode(),
    ],
    ids=["empty", "huge header", "no json", "overlap", "huge shape", "beyond the end"],
)
def test_a_damaged_safetensors_file_is_refused_by_name(tmp_path: Path, header: bytes) -> None:
    data = struct.pack("<Q", len(header)) + header + bytes(12) if header.startswith(b"{") else header
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(Problem) as caught:
        open_weights(tmp_path)
    assert caught.value.key == "broken_weights" and caught.value.values["file"] == "model.safetensors"


@pytest.mark.parametrize("name", ["model.bin", "pytorch_model.bin", "model.gguf", "model.enpt.bin", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x80", b"PK\x03\x04", bytes(100), b"\x06\0\0\0" + bytes(60), b"\x01" + bytes(99)])
def test_what_is_no_weight_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Problem) as caught:
        open_weights(tmp_path)
    assert caught.value.key == "broken_weights" and caught.value.values["file"] == name


def test_safetensors_are_preferred_to_a_pickle(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "pytorch_model.bin")
    save_file(TENSORS, tmp_path / "model.safetensors")
    assert find_weights(tmp_path).name == "model.safetensors"


def test_a_folder_without_weights_says_what_it_should_hold(tmp_path: Path) -> None:
    (tmp_path / "lex.50.50.enpt.bin").write_bytes(b"not weights")
    with pytest.raises(Problem, match="no_weights") as caught:
        open_weights(tmp_path)
    assert "model.safetensors" in caught.value.values["known"] and caught.value.values["folder"] == tmp_path.name


def test_of_several_files_none_is_taken_by_chance(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    with pytest.raises(Problem, match="many_weights"):
        open_weights(tmp_path)
    with pytest.raises(Problem, match="broken_weights"):
        open_weights(tmp_path / "a.gguf")
