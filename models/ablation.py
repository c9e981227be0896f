"""Parts of a network that are silent during one call: what they would have added is 0, and nothing else changes.

Michel, Levy & Neubig 2019 ("Are sixteen heads really better than one?", section 2.3) multiply each head's output by a gate of 1 or 0
before the output matrix; the same is done here to whole attentions, feed-forward blocks and layers. An ablation travels with the call, as
a trace does: no module keeps it, so the model of other visitors stays whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from models.config import ModelConfig
from models.tokens import Tokens
from models.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """What is silent. `heads`: pairs of a site and a head counted from 0, as ("encoder.3.self", 5).

    `parts`: an attention ("encoder.3.self", "decoder.5.cross"), a feed-forward block ("encoder.3.feedforward"), which then add nothing, or
    a whole layer ("encoder.3"), which then hands on what it was given.
    """

    heads: frozenset[tuple[str, int]] = frozenset()
    parts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str]) -> "Ablation":
        """From names as people write them: a part as above, a head behind a colon ("encoder.3.self:5")."""
        split = [(name, *name.rpartition(":")[::2]) for name in names]
        heads = frozenset((site, int(head)) for _, site, head in split if site and head.isascii() and head.isdigit())
        named = {f"{site}:{head}" for site, head in heads}
        return cls(heads=heads, parts=frozenset(name for name, *_ in split if name not in named))

    def __bool__(self) -> bool:
        return bool(self.heads or self.parts)

    def silences(self, site: str, head: int) -> bool:
        """Whether a head of an attention adds nothing: it is silent itself, or its attention or layer is."""
        return (site, head) in self.heads or not self.parts.isdisjoint((site, site.rpartition(".")[0]))

    def unknown(self, config: ModelConfig) -> list[str]:
        """The names here that mean nothing in a model of this kind, sorted."""
        known = set(places(config))
        wrong = {part for part in self.parts if part not in known}
        wrong |= {f"{site}:{head}" for site, head in self.heads if site not in attentions(config) or not 0 <= head < config.n_heads}
        return sorted(wrong)


def attentions(config: ModelConfig) -> tuple[str, ...]:
    """The sites of a model that have heads, in the order of the forward pass."""
    encoder = [f"encoder.{layer}.self" for layer in range(config.n_encoder_layers)]
    kinds = (["self"] if config.decoder_mixer == "attention" else []) + (["cross"] if config.n_encoder_layers else [])
    return (*encoder, *(f"decoder.{layer}.{kind}" for layer in range(config.n_decoder_layers) for kind in kinds))


def places(config: ModelConfig) -> tuple[str, ...]:
    """Every part that can be silent."""
    found = []
    for stack, layers, kinds in (
        ("encoder", config.n_encoder_layers, ("self",)),
        ("decoder", config.n_decoder_layers, ("self", "cross") if config.n_encoder_layers else ("self",)),
    ):
        for layer in range(layers):
            found += [f"{stack}.{layer}", *(f"{stack}.{layer}.{kind}" for kind in (*kinds, "feedforward"))]
    return tuple(found)


@dataclass(frozen=True)
class Silence:
    """The ablations of a batch as a call carries them: one for each row, or one that holds for all rows."""

    rows: tuple[Ablation, ...]
    sites: frozenset[str] = field(init=False)  # where anything is silent: everywhere else a call costs one look into this set

    def __post_init__(self) -> None:
        sites = {site for row in self.rows for site in (*row.parts, *(site for site, _ in row.heads))}
        object.__setattr__(self, "sites", frozenset(sites))

    def heads(self, site: str, mixed: Tensor) -> Tensor:
        """What the heads of a site give, 0 where one is silent. (B, H, Q, D)"""
        if site not in self.sites:
            return mixed
        gates = torch.ones(len(self.rows), mixed.shape[1], dtype=mixed.dtype)
        for row, one in enumerate(self.rows):
            for place, head in one.heads:
                if place == site:
                    gates[row, head] = 0
        return mixed * gates.to(mixed.device)[:, :, None, None]

    def update(self, site: str, added: Tensor) -> Tensor:
        """What a part of a layer adds to the stream, 0 where it is silent. (B, Q, C)"""
        return added if site not in self.sites else added * self.gates(site, added)

    def layer(self, site: str, before: Tensor, after: Tensor) -> Tensor:
        """What leaves a layer: where it is silent, what came in. (B, Q, C)"""
        return after if site not in self.sites else torch.where(self.gates(site, after) > 0, after, before)

    def gates(self, site: str, like: Tensor) -> Tensor:
        """0 for the rows in which the part is silent, else 1. -> (B or 1, 1, 1)"""
        return torch.tensor([site not in row.parts for row in self.rows], dtype=like.dtype, device=like.device)[:, None, None]


class Ablated:
    """A network with parts of it silent; it answers as the network itself does, so every task can ask it.

    One ablation holds for all rows and every way of decoding. With several, each call is given as many rows, in that order.
    """

    def __init__(self, network: nn.Module, *ablations: Ablation):
        self.network = network
        self.silence = Silence(ablations)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def encode(self, tokens: Tokens, *, trace: Trace | None = None, **given: Any) -> Tensor:
        """As `Transformer.encode`."""
        return self.network.encode(tokens, trace=trace, silence=self.silence, **given)

    def decode(self, tokens: Tokens, *, trace: Trace | None = None, **given: Any) -> Tensor:
        """As `Transformer.decode`."""
        return self.network.decode(tokens, trace=trace, silence=self.silence, **given)


def ablated_heads(config: ModelConfig, sites: Sequence[str] | None = None) -> list[Ablation]:
    """One ablation for each single head of these sites (None: of all), site by site."""
    chosen = attentions(config) if sites is None else sites
    return [Ablation(heads=frozenset({(site, head)})) for site in chosen for head in range(config.n_heads)]
