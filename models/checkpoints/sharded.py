"""A model in several files with an index, as the hub stores large ones."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from models.checkpoints.weights import Weights, broken


class Sharded(Weights):
    """Many files that read as one."""

    model_type = None

    def __init__(self, index: Path, opener: Callable[[Path], Weights]):
        self.file = index.name
        try:
            content = json.loads(index.read_text(encoding="utf-8"))
            self.metadata = dict(content.get("metadata") or {})
            places: dict[str, str] = dict(content["weight_map"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise broken(self.file, f"not an index of weight files ({error})") from error
        self.home: dict[str, Weights] = {}  # tensor name -> the file it is in
        self.opened: list[Weights] = []
        for shard in sorted(set(map(str, places.values()))):
            # An index may only name its neighbours: a path in it could point anywhere on the machine.
            if Path(shard).name != shard or "\\" in shard:
                raise broken(self.file, f"{shard!r} is not a plain file name")
            if not (index.parent / shard).is_file():
                raise broken(self.file, f"{shard} is missing")
            weights = opener(index.parent / shard)
            self.opened.append(weights)
            self.home |= dict.fromkeys(weights.names(), weights)
        if missing := places.keys() - self.home.keys():
            raise broken(self.file, f"{min(missing)} is in none of the files")

    def names(self) -> list[str]:
        return list(self.home)

    def shape(self, name: str) -> tuple[int, ...]:
        return self.home[name].shape(name)

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        return self.home[name].read(name, dtype)

    def close(self) -> None:
        for shard in self.opened:
            shard.close()
