"""A network with what was tuned around it; it answers as a `Transformer` does, so every task can ask it."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from models.attention import columns as at_columns
from models.cache import Cache
from models.config import ModelConfig
from models.decoder import Decoder
from models.embeddings import Embeddings
from models.encoder import Encoder
from models.extra import Extra, Nothing
from models.model import Model
from models.tokens import Tokens
from models.transformer import Transformer


class Tuned(nn.Module):
    """Gives `network` its `extra` arguments with every call. The rest of the house sees the words' own outputs and less room for words."""

    def __init__(self, network: Transformer, extra: Extra | None = None):
        super().__init__()
        self.network = network
        self.extra = Nothing() if extra is None else extra

    @property
    def config(self) -> ModelConfig:
        """The network's, with the positions that are left for words."""
        config = self.network.config
        return replace(config, max_positions=config.max_positions and config.max_positions - self.extra.length)

    @property
    def embeddings(self) -> Embeddings:
        return self.network.embeddings

    @property
    def encoder(self) -> Encoder | None:
        return self.network.encoder

    @property
    def decoder(self) -> Decoder | None:
        return self.network.decoder

    @property
    def heads(self) -> nn.ModuleDict:
        return self.network.heads

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next word. (..., C) -> (..., V)"""
        return self.network.logits(hidden)

    def encode(self, tokens: Tokens, *, only: Tensor | None = None, **given: Any) -> Tensor:
        """As `Transformer.encode`, without outputs for the prompt; `only` counts words. -> (B, S, C) or (B, N, C)"""
        given |= self.extra.encoder(tokens)
        if only is not None:
            return self.network.encode(tokens, only=self.extra.columns(tokens, only), **given)
        hidden = self.network.encode(tokens, **given)
        if hidden.shape[1] == tokens.ids.shape[1]:
            return hidden
        words = torch.arange(tokens.ids.shape[1], device=hidden.device).expand(hidden.shape[0], -1)
        return at_columns(hidden, self.extra.columns(tokens, words))

    def decode(self, tokens: Tokens, *, cache: Cache | None = None, **given: Any) -> Tensor:
        """As `Transformer.decode`: -> (B, P + S, C), the last column last; see `before` for where else to look."""
        given |= self.extra.decoder(tokens, first=cache is None or cache.length == 0)
        return self.network.decode(tokens, cache=cache, **given)

    def before(self, tokens: Tokens, words: Tensor) -> Tensor:
        """The columns of a decoder's output that guess the words of the columns `words` (B, N), all of which are behind the first."""
        return self.extra.columns(tokens, words) - 1


def tuned_model(base: Model, network: Tuned, *, name: str = "") -> Model:
    """A model like the base with the tuned network in its place, for every task that the base can do."""
    return replace(base, name=name or base.name, network=network, config=network.config, extra=network.extra)
