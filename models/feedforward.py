"""What a layer does with each word on its own."""

from torch import Tensor, nn

from models.config import ModelConfig
from models.linear import Linear


class FeedForward(nn.Module):
    """Widen, bend, narrow: down(act(up x)), or gated down(act(gate x) * up x). (B, S, C) -> (B, S, C)"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.activation = config.activation
        self.gate = Linear(config.d_model, config.d_ff, bias=config.feedforward_bias) if config.gated else None
        self.up = Linear(config.d_model, config.d_ff, bias=config.feedforward_bias)
        self.down = Linear(config.d_ff, config.d_model, bias=config.feedforward_bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.gate is None:
            return self.down(self.up(x, activation=self.activation))
        return self.down(self.gate(x, activation=self.activation) * self.up(x))
