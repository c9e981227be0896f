"""What a layer does with each word on its own."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.config import Activation, ModelConfig

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu}


def activate(x: Tensor, name: Activation) -> Tensor:
    """ReLU, GELU (Hendrycks & Gimpel 2016; exact or by tanh), or SiLU, also called swish."""
    return ACTIVATIONS[name](x)


class FeedForward(nn.Module):
    """Widen, bend, narrow: down(act(up x)), or gated down(act(gate x) * up x). (B, S, C) -> (B, S, C)"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.activation = config.activation
        self.gate = nn.Linear(config.d_model, config.d_ff, bias=config.feedforward_bias) if config.gated else None
        self.up = nn.Linear(config.d_model, config.d_ff, bias=config.feedforward_bias)
        self.down = nn.Linear(config.d_ff, config.d_model, bias=config.feedforward_bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.gate is None:
            return self.down(activate(self.up(x), self.activation))
        return self.down(activate(self.gate(x), self.activation) * self.up(x))
