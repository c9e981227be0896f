"""Reader of Marian's binary files, on files written here byte by byte."""

import struct
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.checkpoints.marian_files import CONFIG, FLOAT32, INT8, INTGEMM8, MarianFile
from models.errors import Problem

YAML = b"type: transformer\ndec-cell: ssru\ntransformer-decoder-autoreg: rnn\n\0"


def block(kind: int, shape: tuple[int, ...], data: bytes) -> tuple[int, tuple[int, ...], bytes]:
    return kind, shape, data + bytes(-len(data) % 256)


def intgemm(rows: list[list[int]], multiplier: float) -> bytes:
    return b"".join(struct.pack(f"{len(row)}b", *row) for row in rows) + struct.pack("<f", multiplier)


def marian_bytes(blocks: dict[str, tuple[int, tuple[int, ...], bytes]]) -> bytes:
    names = [name.encode() + b"\0" for name in blocks]
    out = struct.pack("<QQ", 1, len(blocks))
    for name, (kind, shape, data) in zip(names, blocks.values()):
        out += struct.pack("<4Q", len(name), kind, len(shape), len(data))
    out += b"".join(names) + b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, shape, _ in blocks.values())
    padding = -(len(out) + 8) % 256
    return out + struct.pack("<Q", padding) + bytes(padding) + b"".join(data for _, _, data in blocks.values())


BLOCKS = {
    "Wemb": block(INTGEMM8, (3, 2), intgemm([[1, 2], [3, 4], [-5, 6]], 2.0)),
    "Wemb_QuantMultA": block(FLOAT32, (1, 1), struct.pack("<f", 9.0)),
    "decoder_l1_rnn_W": block(INTGEMM8, (2, 3), intgemm([[1, 2], [3, 4], [-5, 127]], 4.0)),
    "decoder_l1_rnn_bf": block(FLOAT32, (1, 3), struct.pack("<3f", 0.5, -1.5, 2.0)),
    CONFIG: block(INT8, (len(YAML),), YAML),
}


def open_bytes(folder: Path, data: bytes) -> MarianFile:
    path = folder / "model.bin"
    path.write_bytes(data)
    return MarianFile(path)


def test_names_leave_out_what_is_not_a_weight(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, marian_bytes(BLOCKS))
    assert weights.names() == ["Wemb", "decoder_l1_rnn_W", "decoder_l1_rnn_bf"]
    assert weights.model_type == "marian-binary.ssru"
    assert weights.metadata["type"] == "transformer"


def test_a_matrix_is_read_in_the_shape_of_its_header_though_its_bytes_are_transposed(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, marian_bytes(BLOCKS))
    assert weights.shape("decoder_l1_rnn_W") == (2, 3)
    assert weights.read("decoder_l1_rnn_W").tolist() == [[0.25, 0.75, -1.25], [0.5, 1.0, 31.75]]
    assert weights.read("Wemb").tolist() == [[0.5, 1.0], [1.5, 2.0], [-2.5, 3.0]]
    assert weights.read("decoder_l1_rnn_bf", torch.float16).tolist() == [[0.5, -1.5, 2.0]]


def test_raw_gives_rows_of_the_output_and_the_worth_of_a_step(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, marian_bytes(BLOCKS))
    values, step = weights.raw("decoder_l1_rnn_W")
    assert values.dtype is torch.int8 and values.tolist() == [[1, 2], [3, 4], [-5, 127]]
    assert torch.equal(values * step[:, None], weights.read("decoder_l1_rnn_W").t())
    assert weights.raw("decoder_l1_rnn_bf") is None


def test_what_was_read_outlives_the_file(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, marian_bytes(BLOCKS))
    values, _ = weights.raw("Wemb")
    weights.close()
    (tmp_path / "model.bin").unlink()
    assert values.tolist() == [[1, 2], [3, 4], [-5, 6]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({CONFIG: None}, "special:model.yml is missing"),
        ({CONFIG: block(INT8, (4,), b"\xff\xfe\xfd\xfc")}, "special:model.yml cannot be read"),
        ({CONFIG: block(INT8, (9,), b"a: [b: c\0")}, "special:model.yml cannot be read"),
        ({CONFIG: block(INT8, (6,), b"words\0")}, "not a list of settings"),
        ({"Wemb": block(INTGEMM8, (3_000, 2), b"12")}, "does not fit into its"),
        ({"Wemb": block(FLOAT32, (-3, 2), b"12")}, "does not fit into its"),
        ({"Wemb": block(INTGEMM8, (3,), b"12")}, "does not fit into its"),
        ({"Wemb": block(0x208, (1, 1), b"12345678")}, "type 0x208"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_name(tmp_path: Path, change: dict, reason: str) -> None:
    blocks = {name: block for name, block in (BLOCKS | change).items() if block is not None}
    with pytest.raises(Problem, match=reason) as caught:
        open_bytes(tmp_path, marian_bytes(blocks))
    assert caught.value.values["file"] == "model.bin"


@pytest.mark.parametrize("multiplier", [0.0, -1.0, float("nan"), float("inf")])
def test_a_multiplier_that_is_no_positive_number_is_refused(tmp_path: Path, multiplier: float) -> None:
    weights = open_bytes(tmp_path, marian_bytes(BLOCKS | {"Wemb": block(INTGEMM8, (1, 1), intgemm([[1]], multiplier))}))
    with pytest.raises(Problem, match="Wemb is scaled by"):
        weights.read("Wemb")


def test_every_shortening_of_a_file_is_refused(tmp_path: Path) -> None:
    data = marian_bytes(BLOCKS)
    for length in range(0, len(data), 7):
        with pytest.raises(Problem) as caught:
            open_bytes(tmp_path, data[:length])
        assert caught.value.key == "broken_weights"


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_a_clear_refusal_or_finite_memory(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(marian_bytes(BLOCKS))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 700))
        value = data.draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\0\0\0\x80"])))
        content[at : at + len(value)] = value
    try:
        weights = open_bytes(tmp_path, bytes(content))
        for name in weights.names():
            assert tuple(weights.read(name).shape) == weights.shape(name)
    except Problem as problem:
        assert problem.key in {"broken_weights", "unsupported_weights"} and problem.values["file"] == "model.bin"
