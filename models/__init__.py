"""Our own Transformer, from text to tokens to model to trace.

`models.load(name)` is the way in. It is looked up on first use, so that reading a catalogue does not import torch.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.loading import load

__all__ = ["load"]


def __getattr__(name: str) -> object:
    if name == "load":
        from models.loading import load  # noqa: PLC0415 - torch takes a second to import, and the page opens without it

        return load
    raise AttributeError(f"module 'models' has no attribute {name!r}")
