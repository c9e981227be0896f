"""Reading a binary file from front to back without ever trusting a number in it."""

import mmap
import struct
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from models.checkpoints.weights import broken

LONGEST_NAME = 65_536
HIGHEST_RANK = 8


class Cursor:
    """A position in a file that is mapped into memory; a step over the end is an error, not a crash.

    All numbers are little endian. The mapping is private (copy on write): tensors made from it may be written to, the file never changes.
    """

    def __init__(self, path: Path):
        self.file = path.name
        try:
            with path.open("rb") as stream:
                self.map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
        except ValueError as error:  # an empty file cannot be mapped
            raise broken(self.file, "the file is empty") from error
        self.size = len(self.map)
        self.at = 0

    def skip(self, count: int) -> int:
        """Step over `count` bytes; returns where they start."""
        start = self.at
        if count < 0 or count > self.size - start:
            raise broken(self.file, f"{count} bytes are promised at byte {start}, but the file has {self.size}")
        self.at = start + count
        return start

    def take(self, count: int) -> bytes:
        start = self.skip(count)
        return self.map[start : start + count]

    def number(self, code: str) -> int | float | bool:
        """One number, `code` as in `struct`."""
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def numbers(self, code: str, count: int) -> tuple:
        """`count` numbers of one kind."""
        return struct.unpack(f"<{count}{code}", self.take(count * struct.calcsize("<" + code)))

    def text(self, length: int) -> str:
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise broken(self.file, f"the text at byte {self.at - length} is not UTF-8") from error

    def name(self, length: int) -> str:
        """A name of `length` bytes, with or without a NUL at its end."""
        if not 0 < length <= LONGEST_NAME:
            raise broken(self.file, f"a name of {length} bytes")
        return self.text(length).removesuffix("\0")

    def count(self, value: int, *, each: int, what: str) -> int:
        """Check a promised number of things, `each` at least so many bytes long, before a loop believes it."""
        if value < 0 or value * each > self.size - self.at:
            raise broken(self.file, f"{value} {what} do not fit into {self.size} bytes")
        return value

    def rank(self, value: int) -> int:
        if not 0 <= value <= HIGHEST_RANK:
            raise broken(self.file, f"a tensor of rank {value}")
        return value

    def tensor(self, start: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Bytes from `start` as a tensor. Shares the mapping where the alignment allows it."""
        size = prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or start < 0 or start + size > self.size:
            raise broken(self.file, f"a tensor of shape {shape} at byte {start} reaches beyond the {self.size} bytes of the file")
        if size == 0:
            return torch.empty(shape, dtype=dtype)
        data = torch.frombuffer(self.map, dtype=torch.uint8, count=size, offset=start)
        if start % dtype.itemsize:
            data = data.clone()
        return data.view(dtype).view(shape)
