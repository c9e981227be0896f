"""Reader of GGUF: key-values (configuration and tokenizer), a table of tensors, then the tensors, most of them quantised.

The `gguf` package knows the quantisations. The table itself is read here: the package's own reader makes an array object for every
word of the vocabulary, which takes seconds, and believes the lengths it finds.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import gguf
import torch
from gguf import GGMLQuantizationType as Kind
from torch import Tensor

from models.checkpoints.cursor import Cursor
from models.checkpoints.weights import Weights, broken, unsupported

VERSIONS = (2, 3)
NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}  # GGUF's value types in `struct`'s codes
TEXT, ARRAY = 8, 9
DEEPEST_ARRAY = 4
PLAIN = {Kind.F32: torch.float32, Kind.F16: torch.float16, Kind.BF16: torch.bfloat16}


@dataclass(frozen=True)
class Block:
    kind: Kind
    shape: tuple[int, ...]
    start: int
    size: int


class GGUFFile(Weights):
    """One `.gguf`. `metadata` has plain Python values; shapes are torch's (rows first), the reverse of what the file says."""

    def __init__(self, path: Path):
        cursor = Cursor(path)
        self.file, self.cursor = cursor.file, cursor
        if cursor.take(4) != b"GGUF":
            raise broken(self.file, "not a GGUF file")
        if (version := cursor.number("I")) not in VERSIONS:
            raise unsupported(self.file, f"version {version} of GGUF (2 and 3 are read)")
        tensors = cursor.count(cursor.number("Q"), each=24, what="tensors")
        pairs = cursor.count(cursor.number("Q"), each=13, what="key-value pairs")
        self.metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key = cursor.name(cursor.number("Q"))
            self.metadata[key] = self.value(cursor, cursor.number("I"))
        table = [self.entry(cursor) for _ in range(tensors)]
        if self.metadata.get("split.count", 1) != 1:
            raise unsupported(self.file, "a GGUF model in several files")
        self.blocks = self.place(table, cursor.at)
        self.model_type = f"gguf.{self.metadata.get('general.architecture')}"

    def value(self, cursor: Cursor, kind: int, *, depth: int = 0) -> Any:
        """The next value of the key-value part."""
        if kind in NUMBERS:
            return cursor.number(NUMBERS[kind])
        if kind == TEXT:
            return cursor.text(cursor.number("Q"))
        if kind != ARRAY or depth >= DEEPEST_ARRAY:
            raise broken(self.file, f"a value of type {kind}")
        inner, length = cursor.number("I"), cursor.number("Q")
        if inner in NUMBERS:
            return list(cursor.numbers(NUMBERS[inner], cursor.count(length, each=1, what="values")))
        return [self.value(cursor, inner, depth=depth + 1) for _ in range(cursor.count(length, each=8, what="values"))]

    def entry(self, cursor: Cursor) -> tuple[str, Kind, tuple[int, ...], int]:
        """The next line of the table of tensors: name, type, shape, offset."""
        name = cursor.name(cursor.number("Q"))
        shape = cursor.numbers("Q", cursor.rank(cursor.number("I")))[::-1]
        kind, offset = cursor.number("I"), cursor.number("Q")
        if kind not in gguf.GGML_QUANT_SIZES:
            raise unsupported(self.file, f"{name} is of GGUF's type {kind}")
        return name, Kind(kind), shape, offset

    def place(self, table: list[tuple[str, Kind, tuple[int, ...], int]], end: int) -> dict[str, Block]:
        """Where each tensor stands; two may not share bytes."""
        alignment = self.metadata.get("general.alignment", gguf.GGUF_DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise broken(self.file, f"an alignment of {alignment!r}")
        data = -(-end // alignment) * alignment
        blocks: dict[str, Block] = {}
        for name, kind, shape, offset in table:
            width, size = gguf.GGML_QUANT_SIZES[kind]
            if not shape or shape[-1] % width:
                raise broken(self.file, f"{name} of shape {shape} cannot be stored as {kind.name}")
            block = Block(kind, shape, data + offset, prod(shape) // width * size)
            if block.start + block.size > self.cursor.size:
                raise broken(self.file, f"{name} ends at byte {block.start + block.size}, but the file has {self.cursor.size}")
            if name in blocks:
                raise broken(self.file, f"{name} is there twice")
            blocks[name] = block
        ordered = sorted((block for block in blocks.values() if block.size), key=lambda block: block.start)
        for before, after in zip(ordered, ordered[1:]):
            if before.start + before.size > after.start:
                raise broken(self.file, f"two tensors share byte {after.start}")
        return blocks

    def names(self) -> list[str]:
        return list(self.blocks)

    def shape(self, name: str) -> tuple[int, ...]:
        return self.blocks[name].shape

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        block = self.blocks[name]
        if block.kind in PLAIN:
            return self.cursor.tensor(block.start, block.shape, PLAIN[block.kind]).to(dtype)
        if not block.size:
            return torch.empty(block.shape, dtype=dtype)  # a damaged shape; the library cannot unpack nothing
        width, size = gguf.GGML_QUANT_SIZES[block.kind]
        rows = (*block.shape[:-1], block.shape[-1] // width * size)
        stored = self.cursor.tensor(block.start, rows, torch.uint8).numpy()
        try:
            numbers = gguf.dequantize(stored, block.kind)
        except NotImplementedError as error:
            raise unsupported(self.file, f"{name} is stored as {block.kind.name}") from error
        return torch.from_numpy(numbers).view(block.shape).to(dtype)

    def close(self) -> None:
        """The mapping goes when the last tensor that shares it goes."""
        self.blocks = {}
