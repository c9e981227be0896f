"""The simpler simple recurrent unit: a decoder's memory of its own words without attention (Kim et al. 2019, section 3.2)."""

import torch
from torch import Tensor, nn

from models.cache import Memory
from models.config import ModelConfig
from models.linear import Linear


class SSRU(nn.Module):
    """c_t = f_t c_{t-1} + (1 - f_t) W x_t with f_t = sigmoid(W_f x_t + b_f); the output is relu(c_t). (B, S, C) -> (B, S, C)"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.input = Linear(config.d_model, config.d_model, bias=False)
        self.forget = Linear(config.d_model, config.d_model)

    def forward(self, x: Tensor, *, past: Memory | None = None) -> Tensor:
        forget = self.forget(x).sigmoid()
        new = (1 - forget) * self.input(x)
        state = torch.zeros_like(new[:, 0]) if past is None or past.state is None else past.state
        states = []
        for step in range(x.shape[1]):
            state = forget[:, step] * state + new[:, step]
            states.append(state)
        if past is not None:
            past.state = state
        return torch.stack(states, dim=1).relu()
