"""Reader of Marian's binary format: an array of headers, the names, the shapes, then the data blocks (Marian's `io/binary.cpp`).

intgemm8 is how the translation students are shipped: each matrix is stored as int8 with one number that all of it is divided by.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
import yaml
from torch import Tensor

from models.checkpoints.cursor import Cursor
from models.checkpoints.weights import QuantisedWeights, broken, unsupported

VERSION = 1
FLOAT32, INT8, INTGEMM8 = 0x404, 0x101, 0x4101
CONFIG = "special:model.yml"
EMBEDDING = "Wemb"
# The activations' own scales, which only an engine that multiplies in int8 needs; numbers in fp32 are better without.
ACTIVATION_SCALE = "_QuantMultA"
LONGEST_CONFIG = 65_536


@dataclass(frozen=True)
class Block:
    kind: int
    shape: tuple[int, ...]
    start: int


class MarianFile(QuantisedWeights):
    """One Marian `.bin`. Matrices have the shape of the header, (in, out), which is the transpose of a torch layer's."""

    def __init__(self, path: Path):
        cursor = Cursor(path)
        self.file, self.cursor = cursor.file, cursor
        if (version := cursor.number("Q")) != VERSION:
            raise broken(self.file, f"not a Marian binary file of version {VERSION}: it says {version}")
        count = cursor.count(cursor.number("Q"), each=32, what="tensors")
        headers = [cursor.numbers("Q", 4) for _ in range(count)]
        names = [cursor.name(length) for length, _, _, _ in headers]
        shapes = [cursor.numbers("i", cursor.rank(rank)) for _, _, rank, _ in headers]
        cursor.skip(cursor.number("Q"))
        self.blocks: dict[str, Block] = {}
        for name, shape, (_, kind, _, size) in zip(names, shapes, headers):
            block = Block(kind, shape, cursor.skip(size))
            if kind not in (FLOAT32, INT8, INTGEMM8):
                raise unsupported(self.file, f"{name} is of Marian's type {kind:#x}")
            needed = prod(shape) * (4 if kind == FLOAT32 else 1) + (4 if kind == INTGEMM8 else 0)
            if min(shape, default=0) < 0 or needed > size or (kind == INTGEMM8 and len(shape) != 2):
                raise broken(self.file, f"{name} of shape {shape} does not fit into its {size} bytes")
            if name in self.blocks:
                raise broken(self.file, f"{name} is there twice")
            self.blocks[name] = block
        self.metadata = self.settings()
        recurrent = self.metadata.get("transformer-decoder-autoreg") == "rnn" and self.metadata.get("dec-cell") == "ssru"
        self.model_type = "marian-binary.ssru" if recurrent else "marian-binary"

    def settings(self) -> dict:
        """The training configuration that Marian stores beside the weights."""
        block = self.blocks.get(CONFIG)
        if block is None or block.kind != INT8 or not 0 < prod(block.shape) <= LONGEST_CONFIG:
            raise broken(self.file, f"{CONFIG} is missing or of no sensible size")
        text = bytes(self.cursor.map[block.start : block.start + prod(block.shape)]).rstrip(b"\0")
        try:
            content = yaml.safe_load(text.decode("utf-8"))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise broken(self.file, f"{CONFIG} cannot be read ({str(error).splitlines()[0]})") from error
        if not isinstance(content, dict):
            raise broken(self.file, f"{CONFIG} is not a list of settings")
        return content

    def names(self) -> list[str]:
        return [name for name in self.blocks if name != CONFIG and not name.endswith(ACTIVATION_SCALE)]

    def shape(self, name: str) -> tuple[int, ...]:
        return self.blocks[name].shape

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        block = self.blocks[name]
        if block.kind == FLOAT32:
            return self.cursor.tensor(block.start, block.shape, torch.float32).to(dtype)
        if block.kind == INT8:
            return self.cursor.tensor(block.start, block.shape, torch.int8).to(dtype)
        values, step = self.raw(name)
        full = values.float().mul_(step[:, None]).to(dtype)
        return full if name == EMBEDDING else full.t()

    def raw(self, name: str) -> tuple[Tensor, Tensor] | None:
        """int8 (out, in), which is how intgemm lays out the bytes whatever the header says, and the worth of a step in each row."""
        block = self.blocks[name]
        if block.kind != INTGEMM8:
            return None
        # The embedding is looked up by row as well as multiplied with, so it alone is stored as its header says.
        rows, columns = block.shape if name == EMBEDDING else block.shape[::-1]
        values = self.cursor.tensor(block.start, (rows, columns), torch.int8)
        multiplier = self.cursor.tensor(block.start + rows * columns, (1,), torch.float32)
        if not (torch.isfinite(multiplier).all() and multiplier.item() > 0):
            raise broken(self.file, f"{name} is scaled by {multiplier.item()}")
        return values, (1 / multiplier).expand(rows)

    def close(self) -> None:
        """The mapping goes when the last tensor that shares it goes."""
        self.blocks = {}
