"""LoRA: a frozen matrix W learns a change of low rank, W + (alpha / r) B A (Hu et al. 2021)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.config import Activation, ModelConfig
from models.errors import Problem
from models.linear import Linear, activate, linear
from models.model import Model
from models.transformer import Transformer
from models.tuning import Method, Peft, Prepared
from models.tuning.layers import chosen, inside
from models.tuning.lora_peft import adapter, written
from models.tuning.task import Task
from models.tuning.tuned import Tuned
from models.tuning.twin import moving, twin

TARGETS = ("q", "k", "v", "qkv", "out", "gate", "up", "down")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`targets`: projections with a change of their own. "qkv" is one change for the fused matrix; "q" is of self- and cross-attention."""

    rank: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = ("q", "v")
    layers: tuple[int, ...] = ()


class Change(nn.Module):
    """B A of some rows of a matrix, at first zero. A (r, in), B (rows, r)"""

    def __init__(self, rank: int, inputs: int, rows: slice, *, chance: torch.Generator):
        super().__init__()
        self.rows = rows
        spread = inputs**-0.5  # as the paper's code and PEFT draw it: uniform with Kaiming's a = sqrt(5)
        self.a = nn.Parameter((torch.rand(rank, inputs, generator=chance) * 2 - 1) * spread)
        self.b = nn.Parameter(torch.zeros(rows.stop - rows.start, rank))


class Changed(nn.Module):
    """A matrix with changes, each of its own rows. It serves as `Linear` does. (..., in) -> (..., out)"""

    def __init__(self, base: Linear, changes: dict[str, Change], *, scale: float):
        super().__init__()
        self.base, self.scale = base, scale
        self.changes = nn.ModuleDict(changes)
        self.ranks = sum(len(change.a) for change in changes.values())
        self.places = self.placed()  # no buffer: a twin, filled from a state dict, would not have it

    def placed(self) -> Tensor:
        """Where each number of each B, rank after rank, is in a matrix (all ranks, out) of zeros."""
        found, before = [], 0
        for change in self.changes.values():
            ranks = before + torch.arange(len(change.a))
            found.append((ranks[:, None] * self.base.out_features + torch.arange(change.rows.start, change.rows.stop)).flatten())
            before += len(change.a)
        return torch.cat(found)

    def forward(
        self, x: Tensor, *, activation: Activation | None = None, bias: Tensor | None = None, rows: slice | Tensor | None = None
    ) -> Tensor:
        flat = x.flatten(0, -2)
        low, up = linear(flat, self.down()), self.up() if rows is None else self.up()[:, rows]
        total = self.base(flat, bias=bias, rows=rows)
        total.addmm_(low.to(total.dtype), up.to(total.dtype), alpha=self.scale)  # in its place, which nobody else reads
        return activate(total, activation).unflatten(0, x.shape[:-1])

    def part(self, rows: slice) -> tuple[Tensor, Tensor | None]:
        """Some rows of the sum and their bias, as `Linear` has them."""
        weight, bias = self.base.part(rows)
        return torch.addmm(weight, self.up()[:, rows].t(), self.down(), alpha=self.scale), bias

    def down(self) -> Tensor:
        """The A of all changes, which read the input at once. -> (all ranks, in)"""
        return torch.cat([change.a for change in self.changes.values()])

    def up(self) -> Tensor:
        """The B of all changes, turned, each on its own ranks and its own rows. -> (all ranks, out)"""
        numbers = torch.cat([change.b.t().flatten() for change in self.changes.values()])
        if self.places.device != numbers.device:
            self.places = self.places.to(numbers.device)
        return numbers.new_zeros(self.ranks * self.base.out_features).index_copy(0, self.places, numbers).view(self.ranks, -1)

    @torch.no_grad()
    def merged(self) -> Linear:
        """The sum as one ordinary matrix, with memory of its own."""
        made = Linear(self.base.in_features, self.base.out_features, bias=self.base.bias is not None, device="meta")
        weight = self.base.weight.detach().clone()
        for change in self.changes.values():
            weight[change.rows] += self.scale * (change.b @ change.a)
        made.weight = nn.Parameter(weight, requires_grad=False)
        if self.base.bias is not None:
            made.bias = nn.Parameter(self.base.bias.detach(), requires_grad=False)
        return made


def prepare(model: Model, settings: Settings, task: Task, seed: int) -> Prepared:
    if not 1 <= settings.rank <= min(model.config.d_model, model.config.d_ff):
        raise Problem("bad_rank", rank=settings.rank, most=min(model.config.d_model, model.config.d_ff))
    if not settings.targets or set(settings.targets) - set(TARGETS) or ("qkv" in settings.targets and set(settings.targets) & set("qkv")):
        raise Problem("bad_lora_targets", targets=list(settings.targets), known=list(TARGETS))
    base = twin(model.network)
    layers = chosen(model.config, settings.layers)
    chance = torch.Generator().manual_seed(seed)
    for name, module in list(base.named_modules()):
        if isinstance(module, Linear) and inside(f"{name}.", layers):
            parts = {target: rows for target, rows in projections(model.config, name, module).items() if target in settings.targets}
            if parts:
                changes = {target: Change(settings.rank, module.in_features, rows, chance=chance) for target, rows in parts.items()}
                owner, _, attribute = name.rpartition(".")
                setattr(base.get_submodule(owner), attribute, Changed(module, changes, scale=settings.alpha / settings.rank))
    network = Tuned(base.to(model.device))
    trainable = moving(network)
    if not trainable:
        raise Problem("bad_lora_targets", targets=list(settings.targets), known=list(TARGETS))
    return Prepared(network=network, trainable=trainable, settings=settings)


def projections(config: ModelConfig, name: str, module: Linear) -> dict[str, slice]:
    """The projections that a matrix of ours holds, and their rows."""
    owner, _, last = name.rpartition(".")
    q, kv = config.n_heads * config.head_width, config.kv_heads * config.head_width
    whole = slice(0, module.out_features)
    if last == "qkv":
        return {"q": slice(0, q), "k": slice(q, q + kv), "v": slice(q + kv, q + 2 * kv), "qkv": whole}
    if last == "kv":
        return {"k": slice(0, kv), "v": slice(kv, 2 * kv)}
    return {last: whole} if owner.endswith(("attention", "feedforward")) else {}


def changed(prepared: Prepared) -> dict[str, Changed]:
    """The changed matrices by the names of ours."""
    return {name: module for name, module in prepared.network.network.named_modules() if isinstance(module, Changed)}


def merge(network: Transformer) -> Transformer:
    """Put the sums in the places of the changed matrices, in this twin; it is then a network like any other."""
    for name, module in list(network.named_modules()):
        if isinstance(module, Changed):
            owner, _, attribute = name.rpartition(".")
            setattr(network.get_submodule(owner), attribute, module.merged())
    return network


def write_peft(model: Model, prepared: Prepared) -> tuple[dict[str, Any], dict[str, Tensor]]:
    return written(model, changed(prepared))


def read_peft(model: Model, settings: dict[str, Any], numbers: dict[str, Tensor], task: Task) -> Prepared:
    rank, alpha, targets, layers, values = adapter(model, settings, numbers)
    prepared = prepare(model, Settings(rank=rank, alpha=alpha, targets=targets, layers=layers), task, 1)
    names = {f"network.{name}" for name in values}
    if names != set(prepared.trainable):
        raise Problem("foreign_adapter", reason="its changes are not of the same projections in all layers")
    with torch.no_grad():
        for name, value in values.items():
            prepared.trainable[f"network.{name}"].copy_(value)
    return prepared


METHOD = Method(
    name="lora",
    settings=Settings,
    rate=2e-3,
    prepare=prepare,
    order=4,
    moves=("attention",),
    peft=Peft(kind="LORA", write=write_peft, read=read_peft),
)
