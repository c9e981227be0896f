"""What reads the answer off the last layer: the next word, a masked word, whether a sentence follows."""

import torch
from torch import Tensor, nn

from models.config import ModelConfig
from models.linear import Linear
from models.norms import build_norm


class LanguageHead(nn.Module):
    """Scores of every word of the vocabulary, or of the words `rows` alone. (..., C) -> (..., V)"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.output = Linear(config.d_model, config.vocab_size, bias=False)
        self.bias = nn.Parameter(torch.empty(config.vocab_size)) if config.lm_bias else None

    def forward(self, hidden: Tensor, *, rows: Tensor | None = None) -> Tensor:
        return self.output(hidden, bias=self.bias, rows=rows)


class MaskedWordHead(nn.Module):
    """BERT's head for masked words: one more layer, then the scores (Devlin et al. 2019, section 3.1). (..., C) -> (..., V)

    With `rows`, the scores of these words alone.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.activation = config.activation
        self.transform = Linear(config.d_model, config.d_model)
        self.norm = build_norm(config)
        self.output = Linear(config.d_model, config.vocab_size, bias=False)
        self.bias = nn.Parameter(torch.empty(config.vocab_size))

    def forward(self, hidden: Tensor, *, rows: Tensor | None = None) -> Tensor:
        return self.output(self.norm(self.transform(hidden, activation=self.activation)), bias=self.bias, rows=rows)


class NextSentenceHead(nn.Module):
    """BERT's head for sentence pairs reads the first position. (B, S, C) -> (B, 2): scores of "follows" and of "does not"."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.pooler = Linear(config.d_model, config.d_model)
        self.output = Linear(config.d_model, 2)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.output(self.pooler(hidden[:, 0]).tanh())
