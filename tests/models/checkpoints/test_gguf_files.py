"""Reader of GGUF, on files that the gguf package writes."""

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.checkpoints.gguf_files import GGUFFile
from models.errors import Problem

EXACT = (Kind.F32, Kind.F16, Kind.BF16)
QUANTISED = (Kind.Q8_0, Kind.Q4_0, Kind.Q4_1, Kind.Q5_0, Kind.Q5_1)


def write(path: Path, *, alignment: int | None = None) -> dict[str, np.ndarray]:
    """A file with every kind of value and a tensor of every kind of numbers; returns the numbers as the gguf package reads them back."""
    generator = np.random.default_rng(0)
    writer = gguf.GGUFWriter(str(path), "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_uint32("llama.block_count", 3)
    writer.add_int32("minus", -3)
    writer.add_float32("llama.rope.freq_base", 100000.0)
    writer.add_float64("precise", 0.1)
    writer.add_bool("yes", True)
    writer.add_uint64("large", 2**40)
    writer.add_string("tokenizer.chat_template", "{% 你好 %}")
    writer.add_array("tokenizer.ggml.tokens", ["a", "▁b", "", "é"])
    writer.add_array("tokenizer.ggml.scores", [0.5, -1.0])
    writer.add_array("nested", [[1, 2], [3]])
    expected = {}
    for index, kind in enumerate((*EXACT, *QUANTISED)):
        shape = (64,) if index == 0 else (3 + index, 64)
        numbers = generator.normal(size=shape).astype(np.float32)
        stored = gguf.quantize(numbers, kind)
        writer.add_tensor(f"{kind.name}.weight", stored, raw_dtype=kind)
        expected[f"{kind.name}.weight"] = gguf.dequantize(stored, kind).reshape(shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, np.ndarray]]:
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    expected = write(path)
    return path.read_bytes(), expected


def open_bytes(folder: Path, data: bytes) -> GGUFFile:
    path = folder / "model.gguf"
    path.write_bytes(data)
    return GGUFFile(path)


def test_every_kind_of_value_comes_as_plain_python(tmp_path: Path, sound: tuple) -> None:
    weights = open_bytes(tmp_path, sound[0])
    assert weights.model_type == "gguf.llama"
    wanted = {
        "general.architecture": "llama",
        "llama.block_count": 3,
        "minus": -3,
        "llama.rope.freq_base": 100000.0,
        "precise": 0.1,
        "yes": True,
        "large": 2**40,
        "tokenizer.chat_template": "{% 你好 %}",
        "tokenizer.ggml.tokens": ["a", "▁b", "", "é"],
        "tokenizer.ggml.scores": [0.5, -1.0],
        "nested": [[1, 2], [3]],
    }
    assert weights.metadata == wanted


@pytest.mark.parametrize("kind", [*EXACT, *QUANTISED], ids=lambda kind: kind.name)
def test_every_quantisation_is_read_as_the_gguf_package_reads_it(tmp_path: Path, sound: tuple, kind: Kind) -> None:
    data, expected = sound
    weights = open_bytes(tmp_path, data)
    name = f"{kind.name}.weight"
    assert weights.shape(name) == expected[name].shape
    assert torch.equal(weights.read(name), torch.from_numpy(expected[name]))


def test_the_files_own_alignment_is_kept(tmp_path: Path) -> None:
    expected = write(tmp_path / "wide.gguf", alignment=512)
    weights = GGUFFile(tmp_path / "wide.gguf")
    for name, numbers in expected.items():
        assert torch.equal(weights.read(name), torch.from_numpy(numbers))


def test_reading_does_not_change_what_another_reader_sees(tmp_path: Path, sound: tuple) -> None:
    first = open_bytes(tmp_path, sound[0])
    first.read("F32.weight").zero_()
    assert (tmp_path / "model.gguf").read_bytes() == sound[0]


def test_another_version_and_another_format_are_named(tmp_path: Path, sound: tuple) -> None:
    data = bytearray(sound[0])
    data[4] = 1
    with pytest.raises(Problem, match="version 1"):
        open_bytes(tmp_path, bytes(data))
    with pytest.raises(Problem, match="not a GGUF file"):
        open_bytes(tmp_path, b"GGML" + bytes(64))


def test_one_part_of_a_split_model_is_refused(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(str(tmp_path / "part.gguf"), "llama")
    writer.add_uint16("split.count", 2)
    writer.add_tensor("a", np.zeros(32, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(Problem, match="several files"):
        GGUFFile(tmp_path / "part.gguf")


def test_two_tensors_may_not_share_bytes(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(str(tmp_path / "model.gguf"), "llama")
    for name in ("first", "other"):
        writer.add_tensor(name, np.ones(32, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    data = bytearray((tmp_path / "model.gguf").read_bytes())
    offset = data.index(b"other") + len("other") + 4 + 8 + 4  # rank, one dimension, type
    assert data[offset] == 128
    data[offset] = 64
    with pytest.raises(Problem, match="share byte"):
        open_bytes(tmp_path, bytes(data))


def test_every_shortening_of_a_file_is_refused(tmp_path: Path, sound: tuple) -> None:
    data = sound[0]
    last = len(data) - 32  # the end is padding
    for length in range(0, last, 11):
        with pytest.raises(Problem) as caught:
            open_bytes(tmp_path, data[:length])
        assert caught.value.values["file"] == "model.gguf"


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_a_clear_refusal_or_finite_memory(tmp_path: Path, sound: tuple, data: st.DataObject) -> None:
    content = bytearray(sound[0])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 1100))
        value = data.draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\0\0\0\0\0\0\0\x80"])))
        content[at : at + len(value)] = value
    try:
        weights = open_bytes(tmp_path, bytes(content))
        for name in weights.names():
            assert tuple(weights.read(name).shape) == weights.shape(name)
    except Problem as problem:
        assert problem.key in {"broken_weights", "unsupported_weights"} and problem.values["file"] == "model.gguf"


def test_a_tensor_of_no_numbers_is_empty_however_it_is_stored(tmp_path: Path, sound: tuple) -> None:
    weights = open_bytes(tmp_path, sound[0])
    for name in ("F32.weight", "Q8_0.weight", "Q4_0.weight"):
        weights.blocks[name] = replace(weights.blocks[name], shape=(0, 64), size=0)
        assert tuple(weights.read(name).shape) == (0, 64)
