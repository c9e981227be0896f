"""Matrices of int8 with a scale a row, in safetensors."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from models.checkpoints.safetensors_files import SafetensorsFile


def test_a_matrix_of_bytes_with_scales_is_read_as_numbers(tmp_path: Path) -> None:
    whole = torch.tensor([[1, -2, 127], [0, 64, -127]], dtype=torch.int8)
    save_file({"a.weight": whole, "a.weight_scale": torch.tensor([0.5, 2.0]), "a.bias": torch.ones(2).half()}, tmp_path / "x.safetensors")
    with SafetensorsFile(tmp_path / "x.safetensors") as weights:
        assert sorted(weights.names()) == ["a.bias", "a.weight"] and weights.shape("a.weight") == (2, 3)
        assert weights.read("a.weight").tolist() == [[0.5, -1.0, 63.5], [0.0, 128.0, -254.0]]
        values, step = weights.raw("a.weight")
        assert torch.equal(values, whole) and step.tolist() == [0.5, 2.0]
        assert weights.raw("a.bias") is None


def test_names_that_only_look_like_scales_stay_names(tmp_path: Path) -> None:
    tensors = {
        "w": torch.ones(2, 3), "w_scale": torch.ones(2), "i": torch.ones(2, 3, dtype=torch.int8), "i_scale": torch.ones(3),
        "ln_scale": torch.ones(2),
    }  # fmt: skip
    save_file(tensors, tmp_path / "x.safetensors")
    with SafetensorsFile(tmp_path / "x.safetensors") as weights:
        assert sorted(weights.names()) == sorted(tensors) and all(weights.raw(name) is None for name in tensors)
        assert weights.read("i").tolist() == torch.ones(2, 3).tolist()
