"""From word numbers to vectors: word, position and token-type embeddings."""

import torch
from torch import Tensor, nn

from models.config import ModelConfig
from models.norms import build_norm
from models.positions import PositionTable
from models.soft_prompt import weave


def table(rows: int, width: int) -> nn.Embedding:
    """A table of vectors; on `meta` without drawing lots, for which torch would first import its compiler (2 s)."""
    numbers = torch.empty(rows, width)
    return nn.Embedding.from_pretrained(numbers if numbers.is_meta else nn.init.normal_(numbers), freeze=False)


class Embeddings(nn.Module):
    """Word vectors (scaled), plus positions, plus token types, then perhaps a norm. (B, S) -> (B, S, C)"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.words = table(config.vocab_size, config.d_model)
        if config.positions == "learned":
            self.positions = table(config.max_positions, config.d_model)
        if config.n_segments:
            self.segments = table(config.n_segments, config.d_model)
        if config.embedding_norm:
            self.norm = build_norm(config)
        self.sinusoids = PositionTable(config) if config.positions == "sinusoidal" else None

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        *,
        length: int,
        segments: Tensor | None = None,
        soft_prompt: Tensor | None = None,
        soft_prompt_at: Tensor | None = None,
    ) -> Tensor:
        """`positions` (1 or B, P + S) are below `length`; an id of -1 is a zero vector.

        `soft_prompt` (P, C) stands in front of the columns `soft_prompt_at` (B,); None: in front of all.
        """
        config = self.config
        if config.start_id == -1:
            x = self.words(ids.clamp(min=0)) * (ids >= 0)[..., None]
        else:
            x = self.words(ids)
        if config.embedding_scale != 1.0:
            x = x * config.embedding_scale
        if soft_prompt is not None:
            x = weave(x, soft_prompt, soft_prompt_at)
        # BERT adds words + token types first, then positions; the order decides the last bits.
        if config.n_segments:
            if segments is None or config.n_segments == 1:
                x = x + self.segments.weight[0]
            else:
                if soft_prompt is not None:
                    segments = weave(segments, segments.new_zeros(soft_prompt.shape[0]), soft_prompt_at)
                x = x + self.segments(segments)
        if config.positions == "learned":
            x = x + self.positions(positions + config.position_offset)
        elif self.sinusoids is not None:
            x = x + self.sinusoids(length, device=x.device, dtype=x.dtype)[positions]
        return self.norm(x) if config.embedding_norm else x
