"""Where a word stands: sinusoidal and rotary positions.

Both are constants, kept in a table that grows when a longer text comes; learned positions are an ordinary embedding (see `embeddings.py`).
"""

import math

import torch
from torch import Tensor

from models.config import ModelConfig, Rotary


def sinusoids(length: int, width: int, *, span: str) -> Tensor:
    """Vaswani et al. 2017, section 3.5, in Marian's layout: all sines, then all cosines. -> (length, width) float32

    Wave i of h = width / 2 has frequency 10000^(-i/h) (`span` "half") or 10000^(-i/(h-1)) ("half_minus_one").
    """
    half = width // 2
    steps = half if span == "half" else half - 1
    frequency = torch.exp(torch.arange(half, dtype=torch.float64) * (-math.log(10_000.0) / steps))
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()


def rotary_frequencies(width: int, settings: Rotary) -> Tensor:
    """Turns a position makes in each pair of features, in radians a token. -> (D / 2,)

    "linear" slows all waves down by `factor`; "llama3" only the long ones, with a smooth passage between (Llama 3.1).
    """
    frequency = 1.0 / settings.theta ** (torch.arange(0, width, 2, dtype=torch.int64).float() / width)
    if settings.scaling == "linear":
        return frequency / settings.factor
    if settings.scaling == "none":
        return frequency
    wavelength = 2 * math.pi / frequency
    longest = settings.original_max_positions / settings.low_freq_factor
    shortest = settings.original_max_positions / settings.high_freq_factor
    smooth = (settings.original_max_positions / wavelength - settings.low_freq_factor) / (
        settings.high_freq_factor - settings.low_freq_factor
    )
    between = (1 - smooth) * frequency / settings.factor + smooth * frequency
    slowed = torch.where(wavelength > longest, frequency / settings.factor, frequency)
    return torch.where((wavelength <= longest) & (wavelength >= shortest), between, slowed)


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + D/2) of features by its position's angle (Su et al. 2021, equation 34). x (B, H, S, D)."""
    cos, sin = turn
    half = x.shape[-1] // 2
    swapped = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cos + swapped * sin


class PositionTable:
    """Rows of constants by position, computed once and grown by doubling; not a parameter, so never saved and never on `meta`."""

    def __init__(self, config: ModelConfig):
        self.config = config
        self.rows: Tensor | None = None

    def __call__(self, length: int, *, device: torch.device, dtype: torch.dtype) -> Tensor:
        """At least `length` rows: sinusoids (L, C), or cosines and sines (L, 2, D)."""
        rows = self.rows
        if rows is None or rows.shape[0] < length or rows.device != device or rows.dtype != dtype:
            rows = self.compute(max(64, 1 << (length - 1).bit_length())).to(device=device, dtype=dtype)
            self.rows = rows
        return rows

    def compute(self, length: int) -> Tensor:
        config = self.config
        if config.positions == "sinusoidal":
            return sinusoids(length, config.d_model, span=config.sinusoid_span)
        angle = torch.arange(length).float()[:, None] * rotary_frequencies(config.head_width, config.rotary)
        angle = torch.cat([angle, angle], dim=-1)
        return torch.stack([angle.cos(), angle.sin()], dim=1)

    def turns(self, positions: Tensor, length: int, *, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosines and sines for `rotate`. positions (1 or B, S) -> two of (1 or B, 1, S, D); `length` is the largest position plus one."""
        rows = self(length, device=positions.device, dtype=dtype)[positions]  # (B, S, 2, D)
        return rows[:, None, :, 0], rows[:, None, :, 1]
