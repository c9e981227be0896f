"""A stack of layers in which a word sees only what stands before it, and perhaps a source text."""

from collections.abc import Sequence

from torch import Tensor, nn

from models.ablation import Silence
from models.attention import Prefix
from models.cache import Cache
from models.config import ModelConfig
from models.layer import Layer
from models.norms import build_norm
from models.trace import Trace


class Decoder(nn.Module):
    """Embedded words in, a guess at the next word's features out. (B, S, C) -> (B, S, C)"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        cross = config.n_encoder_layers > 0
        self.layers = nn.ModuleList(Layer(config, mixer=config.decoder_mixer, cross=cross) for _ in range(config.n_decoder_layers))
        self.norm = build_norm(config) if config.norm_first else None

    def forward(
        self,
        x: Tensor,
        *,
        allowed: Tensor | None = None,
        causal: bool = True,
        turn: tuple[Tensor, Tensor] | None = None,
        prefix: Sequence[Prefix | None] | None = None,
        cross_prefix: Sequence[Prefix | None] | None = None,
        only: Tensor | None = None,
        memory: Tensor | None = None,
        memory_allowed: Tensor | None = None,
        cache: Cache | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
    ) -> Tensor:
        """`memory` (B, K, C) is the encoder's output; `cache` carries the steps before this one.

        `prefix` stands in front of the words, `cross_prefix` in front of the memory, a pair a layer; `only` as in `Encoder`.
        """
        if trace is not None:
            trace.put("decoder.embeddings", "hidden", x)
        for index, layer in enumerate(self.layers):
            x = layer(
                x,
                site=f"decoder.{index}",
                allowed=allowed,
                causal=causal,
                turn=turn,
                past=cache.own[index] if cache else None,
                prefix=prefix[index] if prefix else None,
                memory=memory,
                memory_allowed=memory_allowed,
                past_cross=cache.cross[index] if cache and cache.cross else None,
                cross_prefix=cross_prefix[index] if cross_prefix else None,
                only=only if index == len(self.layers) - 1 else None,
                trace=trace,
                silence=silence,
            )
        return x if self.norm is None else self.norm(x)
