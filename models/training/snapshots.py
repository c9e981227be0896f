"""The weights at the last few checkpoints, and their mean: near the end of a training each is a little off, and not to the same side
(Junczys-Dowmunt et al. 2016, section 4, for translation; Izmailov et al. 2018 say why)."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

FOLDER = "snapshots"


def files(folder: Path) -> list[Path]:
    """What is kept in FOLDER/snapshots, oldest first."""
    return sorted((folder / FOLDER).glob("step-*.safetensors"))


def keep(folder: Path, module: nn.Module, *, step: int, most: int) -> None:
    """Write down the weights as they are now, and let go of all but the last `most`."""
    (folder / FOLDER).mkdir(exist_ok=True)
    path = folder / FOLDER / f"step-{step:09}.safetensors"
    work = path.with_suffix(".part")
    save_file(weights(module), work)
    os.replace(work, path)
    for old in files(folder)[:-most]:
        old.unlink()


def clear(folder: Path) -> None:
    """Forget them all."""
    for path in files(folder):
        path.unlink()


def mean(folder: Path) -> dict[str, Tensor]:
    """The mean of all that is kept, float32; nothing where nothing is."""
    paths = files(folder)
    total: dict[str, Tensor] = {}
    for path in paths:
        for name, value in load_file(path).items():
            total[name] = total[name] + value.float() if name in total else value.float()
    return {name: value / len(paths) for name, value in total.items()}


def weights(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights on the CPU, tied ones once."""
    return {name: parameter.detach().cpu().clone() for name, parameter in module.named_parameters()}


@torch.no_grad()
def put(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Give a module these weights."""
    for name, parameter in module.named_parameters():
        parameter.copy_(values[name])
