"""A stack of layers in which every word sees every word."""

from collections.abc import Sequence

from torch import Tensor, nn

from models.ablation import Silence
from models.attention import Prefix
from models.config import ModelConfig
from models.layer import Layer
from models.norms import build_norm
from models.trace import Trace


class Encoder(nn.Module):
    """Embedded words in, words in context out. (B, S, C) -> (B, S, C)"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.n_encoder_layers))
        self.norm = build_norm(config) if config.norm_first else None

    def forward(
        self,
        x: Tensor,
        *,
        allowed: Tensor | None = None,
        turn: tuple[Tensor, Tensor] | None = None,
        prefix: Sequence[Prefix | None] | None = None,
        only: Tensor | None = None,
        front: Tensor | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
    ) -> Tensor:
        """`prefix`: one pair of keys and values a layer. `only` (B, N): columns whose outputs are read. -> (B, N, C)

        The last layer computes those alone; below it every word is needed, because others look at it. `front`: see `SelfAttention`.
        """
        if trace is not None:
            trace.put("encoder.embeddings", "hidden", x)
        for index, layer in enumerate(self.layers):
            x = layer(
                x,
                site=f"encoder.{index}",
                allowed=allowed,
                turn=turn,
                prefix=prefix[index] if prefix else None,
                only=only if index == len(self.layers) - 1 else None,
                front=front if index == 0 else None,
                trace=trace,
                silence=silence,
            )
        return x if self.norm is None else self.norm(x)
