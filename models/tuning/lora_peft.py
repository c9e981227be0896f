"""LoRA in PEFT's names: our fused matrices are several of the hub's, or one of the hub's is several of ours."""

import re
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from models.errors import Problem
from models.model import Model
from models.tuning.peft_names import hub_names, turned

START = "base_model.model."
KEY = re.compile(r"base_model\.model\.(.+)\.lora_(A|B)\.weight")
FUSED = {"qkv": ("q", "k", "v"), "kv": ("k", "v")}
PLAIN = {"use_dora": False, "bias": "none", "modules_to_save": None, "rank_pattern": {}, "alpha_pattern": {}, "lora_bias": False}


class ChangedMatrix(Protocol):
    """What `lora.Changed` is."""

    changes: nn.ModuleDict
    scale: float

    def up(self) -> Tensor: ...


def written(model: Model, changed: dict[str, ChangedMatrix]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Settings and numbers of an adapter. Problem "not_for_peft" where the hub has no such network."""
    if model.config.decoder_mixer != "attention":
        raise Problem("not_for_peft", reason="the hub has no class for this network")
    names = hub_names(model)
    q, kv = model.config.n_heads * model.config.head_width, model.config.kv_heads * model.config.head_width
    numbers: dict[str, Tensor] = {}
    ranks = set()
    for name, module in changed.items():
        for hub, down, up in parts(names[name], name.rpartition(".")[2], module, sizes=[q, kv, kv]):
            numbers[f"{START}{hub}.lora_A.weight"], numbers[f"{START}{hub}.lora_B.weight"] = down.detach(), up.detach()
            ranks.add(len(down))
    if len(ranks) != 1:
        raise Problem("not_for_peft", reason=f"changes of the ranks {sorted(ranks)} at once")
    rank = ranks.pop()
    targets = sorted({KEY.fullmatch(key)[1] for key in numbers})
    settings = {
        "r": rank,
        "lora_alpha": next(iter(changed.values())).scale * rank,
        "lora_dropout": 0.0,
        "target_modules": targets,
        "fan_in_fan_out": turned(model),
        "bias": "none",
    }
    return settings, numbers


def parts(hub: tuple[str, ...], last: str, module: ChangedMatrix, *, sizes: list[int]) -> list[tuple[str, Tensor, Tensor]]:
    """The hub's matrices behind one of ours, each with its A and B."""
    changes = dict(module.changes.items())
    if len(hub) == 1:  # its changes side by side are one change of their ranks' sum
        return [(hub[0], torch.cat([change.a for change in changes.values()]), module.up().t())]
    if "qkv" in changes:  # one A for all three, and its own rows of B for each
        change = changes["qkv"]
        return [(name, change.a, up) for name, up in zip(hub, change.b.split(sizes))]
    places = FUSED[last]
    return [(hub[places.index(target)], change.a, change.b) for target, change in changes.items()]


def adapter(
    model: Model, settings: dict[str, Any], numbers: dict[str, Tensor]
) -> tuple[int, float, tuple[str, ...], tuple[int, ...], dict[str, Tensor]]:
    """Rank, alpha, targets, layers, and the numbers by our names, of what PEFT wrote. Problem "foreign_adapter" where it is more."""
    for name, plain in PLAIN.items():
        if settings.get(name, plain) not in (plain, None):
            raise Problem("foreign_adapter", reason=f"{name} is {settings[name]!r}")
    ours = {}
    for name, hub in hub_names(model).items():
        last = name.rpartition(".")[2]
        for place, module in enumerate(hub):
            ours[module] = (name, FUSED[last][place] if len(hub) > 1 else last)
    values: dict[str, Tensor] = {}
    targets, layers, count = set(), set(), max(model.config.n_encoder_layers, model.config.n_decoder_layers)
    for key, value in numbers.items():
        found = KEY.fullmatch(key)
        name, target = ours.get(found[1], ("", "")) if found else ("", "")
        if not name:
            raise Problem("foreign_adapter", reason=f"it changes {key}")
        values[f"{name}.changes.{target}.{found[2].lower()}"] = value
        targets.add(target)
        layers.add(int(name.split(".")[2]))
    rank = settings["r"]
    alpha = settings["lora_alpha"] * (rank**0.5 if settings.get("use_rslora") else 1.0)
    chosen = () if layers == set(range(count)) else tuple(sorted(layers))
    return rank, float(alpha), tuple(sorted(targets)), chosen, values
