"""Reader of CTranslate2's model.bin, on files written here byte by byte and, for the real converter's layout, by ctranslate2 itself."""

import struct
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.checkpoints.ctranslate2_files import CTranslate2File
from models.errors import Problem

Variable = tuple[int, tuple[int, ...], bytes]


def text(value: str) -> bytes:
    data = value.encode() + b"\0"
    return struct.pack("<H", len(data)) + data


def ctranslate2_bytes(
    variables: dict[str, Variable], aliases: dict[str, str], *, version: int = 6, sizes: dict[str, int] | None = None
) -> bytes:
    out = struct.pack("<I", version) + text("TransformerSpec") + struct.pack("<II", 7, len(variables))
    for name, (kind, shape, data) in variables.items():
        size = (sizes or {}).get(name, len(data))
        out += text(name) + struct.pack("<B", len(shape)) + struct.pack(f"<{len(shape)}I", *shape) + struct.pack("<BI", kind, size) + data
    out += struct.pack("<I", len(aliases))
    return out + b"".join(text(alias) + text(name) for alias, name in aliases.items())


VARIABLES: dict[str, Variable] = {
    "decoder/num_heads": (2, (), struct.pack("<h", 8)),
    "decoder/embeddings/weight": (1, (3, 2), struct.pack("6b", 1, 2, 3, 4, -5, 127)),
    "decoder/embeddings/weight_scale": (0, (3,), struct.pack("<3f", 2.0, 4.0, 10.0)),
    "encoder/linear/weight": (2, (2, 2), struct.pack("<4h", 100, -200, 300, 32767)),
    "encoder/linear/weight_scale": (0, (), struct.pack("<f", 100.0)),
    "encoder/linear/bias": (4, (2,), np.array([0.5, -0.25], dtype=np.float16).tobytes()),
    "encoder/norm/gamma": (0, (2,), struct.pack("<2f", 1.5, -2.5)),
}
ALIASES = {"encoder/embeddings_0/weight": "decoder/embeddings/weight"}


def open_bytes(folder: Path, data: bytes) -> CTranslate2File:
    path = folder / "model.bin"
    path.write_bytes(data)
    return CTranslate2File(path)


def test_settings_and_scales_are_told_apart_from_weights(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, ctranslate2_bytes(VARIABLES, ALIASES))
    assert weights.names() == ["decoder/embeddings/weight", "encoder/linear/weight", "encoder/linear/bias", "encoder/norm/gamma"]
    assert weights.metadata["decoder/num_heads"] == 8 and weights.metadata["revision"] == 7
    assert weights.model_type == "ctranslate2.TransformerSpec"


def test_quantised_numbers_are_divided_by_their_scale(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, ctranslate2_bytes(VARIABLES, ALIASES))
    torch.testing.assert_close(weights.read("decoder/embeddings/weight"), torch.tensor([[0.5, 1.0], [0.75, 1.0], [-0.5, 12.7]]))
    torch.testing.assert_close(weights.read("encoder/linear/weight"), torch.tensor([[1.0, -2.0], [3.0, 327.67]]))
    assert weights.read("encoder/linear/bias").tolist() == [0.5, -0.25]
    assert weights.read("encoder/norm/gamma", torch.float16).dtype is torch.float16


def test_an_alias_reads_the_tensor_that_it_stands_for(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, ctranslate2_bytes(VARIABLES, ALIASES))
    assert torch.equal(weights.read("encoder/embeddings_0/weight"), weights.read("decoder/embeddings/weight"))
    assert weights.shape("encoder/embeddings_0/weight") == (3, 2)


def test_raw_gives_the_stored_integers_and_the_worth_of_a_step(tmp_path: Path) -> None:
    weights = open_bytes(tmp_path, ctranslate2_bytes(VARIABLES, ALIASES))
    values, step = weights.raw("encoder/embeddings_0/weight")
    assert values.tolist() == [[1, 2], [3, 4], [-5, 127]] and step.tolist() == pytest.approx([0.5, 0.25, 0.1])
    assert weights.raw("encoder/linear/weight") is None and weights.raw("encoder/norm/gamma") is None


@pytest.mark.parametrize("quantization", [None, "int8", "int16", "float16", "bfloat16"])
def test_what_ctranslate2_itself_writes_is_read(tmp_path: Path, quantization: str | None) -> None:
    spec = ctranslate2.specs.TransformerSpec.from_config(num_layers=(2, 1), num_heads=2, pre_norm=False)
    generator = np.random.default_rng(0)
    model = {}

    def give(layer: object, shape: tuple[int, ...], prefix: str) -> None:
        layer.weight = generator.normal(size=shape).astype(np.float32)
        model[prefix + "/weight"] = layer.weight.copy()
        if not prefix.endswith("embeddings"):
            layer.bias = generator.normal(size=shape[0]).astype(np.float32)
            model[prefix + "/bias"] = layer.bias.copy()

    def norm(layer: object, prefix: str) -> None:
        layer.gamma, layer.beta = (generator.normal(size=8).astype(np.float32) for _ in range(2))
        model[prefix + "/gamma"], model[prefix + "/beta"] = layer.gamma.copy(), layer.beta.copy()

    def stack(name: str, part: object, cross: bool) -> None:
        for index, layer in enumerate(part.layer):
            at = f"{name}/layer_{index}"
            give(layer.self_attention.linear[0], (24, 8), f"{at}/self_attention/linear_0")
            give(layer.self_attention.linear[1], (8, 8), f"{at}/self_attention/linear_1")
            norm(layer.self_attention.layer_norm, f"{at}/self_attention/layer_norm")
            if cross:
                for place, shape in enumerate([(8, 8), (16, 8), (8, 8)]):
                    give(layer.attention.linear[place], shape, f"{at}/attention/linear_{place}")
                norm(layer.attention.layer_norm, f"{at}/attention/layer_norm")
            give(layer.ffn.linear_0, (16, 8), f"{at}/ffn/linear_0")
            give(layer.ffn.linear_1, (8, 16), f"{at}/ffn/linear_1")
            norm(layer.ffn.layer_norm, f"{at}/ffn/layer_norm")

    stack("encoder", spec.encoder, False)
    stack("decoder", spec.decoder, True)
    give(spec.encoder.embeddings[0], (11, 8), "encoder/embeddings_0/embeddings")
    spec.decoder.embeddings.weight = spec.encoder.embeddings[0].weight
    spec.decoder.projection.weight = spec.encoder.embeddings[0].weight
    words = model.pop("encoder/embeddings_0/embeddings/weight")
    spec.register_source_vocabulary([f"w{i}" for i in range(11)])
    spec.register_target_vocabulary([f"w{i}" for i in range(11)])
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(tmp_path))

    weights = CTranslate2File(tmp_path / "model.bin")
    # half a step of the coarsest kind: int8 keeps 127 steps up to the largest number of a row, int16 here 1023 of a matrix
    tolerance = {None: 0.0, "int8": 0.5 * 4 / 127, "int16": 0.5 * 4 / 1023, "float16": 2e-3, "bfloat16": 2e-2}[quantization]
    assert weights.metadata["decoder/num_heads"] == 2
    assert set(weights.names()) == model.keys() | {"decoder/embeddings/weight"}
    for name, wanted in {**model, "decoder/projection/weight": words, "encoder/embeddings_0/weight": words}.items():
        torch.testing.assert_close(weights.read(name), torch.from_numpy(wanted), rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("variables", "aliases", "reason"),
    [
        ({"x/weight": (7, (2,), b"12345678")}, {}, "type 7"),
        ({"x/weight": (0, (3,), b"12345678")}, {}, "does not fit into its 8 bytes"),
        ({"x/weight": (1, (2, 2), b"1234")}, {}, "no scale that fits"),
        ({"x/weight": (1, (2, 2), b"1234"), "x/weight_scale": (0, (3,), bytes(12))}, {}, "no scale that fits"),
        ({}, {"a": "b"}, "a stands for b"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_name(tmp_path: Path, variables: dict, aliases: dict, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as caught:
        open_bytes(tmp_path, ctranslate2_bytes(variables, aliases))
    assert caught.value.values["file"] == "model.bin"


def test_another_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="version 5"):
        open_bytes(tmp_path, ctranslate2_bytes(VARIABLES, ALIASES, version=5))


def test_a_scale_of_zero_is_refused(tmp_path: Path) -> None:
    zero = {"decoder/embeddings/weight_scale": (0, (3,), struct.pack("<3f", 2.0, 0.0, 1.0))}
    with pytest.raises(Problem, match="not a positive number"):
        open_bytes(tmp_path, ctranslate2_bytes(VARIABLES | zero, ALIASES)).read("decoder/embeddings/weight")


def test_every_shortening_of_a_file_is_refused(tmp_path: Path) -> None:
    data = ctranslate2_bytes(VARIABLES, ALIASES)
    for length in range(len(data)):
        with pytest.raises(Problem):
            open_bytes(tmp_path, data[:length])


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_a_clear_refusal_or_finite_memory(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(ctranslate2_bytes(VARIABLES, ALIASES))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        value = data.draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 4, b"\0" * 4])))
        content[at : at + len(value)] = value
    try:
        weights = open_bytes(tmp_path, bytes(content))
        for name in weights.names():
            assert tuple(weights.read(name).shape) == weights.shape(name)
    except Problem as problem:
        assert problem.key in {"broken_weights", "unsupported_weights"} and problem.values["file"] == "model.bin"
