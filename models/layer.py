"""One layer: attention, in a decoder also attention to the source, then feed-forward; each added to what was there and normalised."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from models.ablation import Silence
from models.attention import CrossAttention, Prefix, SelfAttention, columns
from models.cache import KeysValues, Memory
from models.config import ModelConfig
from models.feedforward import FeedForward
from models.norms import build_norm
from models.ssru import SSRU
from models.trace import Trace


class Layer(nn.Module):
    """Pre-norm: x + f(norm(x)). Post-norm, as in the first Transformer: norm(x + f(x))."""

    def __init__(self, config: ModelConfig, *, mixer: str = "attention", cross: bool = False):
        super().__init__()
        self.norm_first = config.norm_first
        if mixer == "ssru":
            self.ssru = SSRU(config)
        else:
            self.self_attention = SelfAttention(config)
        self.mixer = mixer
        self.self_norm = build_norm(config)
        self.cross_attention = CrossAttention(config) if cross else None
        if cross:
            self.cross_norm = build_norm(config)
        self.feedforward = FeedForward(config)
        self.feedforward_norm = build_norm(config)

    def residual(
        self,
        x: Tensor,
        norm: nn.Module,
        update: Callable[[Tensor], Tensor],
        *,
        site: str,
        only: Tensor | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
    ) -> Tensor:
        """Add & norm, in the order this model has them; `only`: `update` gives the positions at these columns, and no others are kept."""
        kept = columns(x, only)
        read = norm(x) if self.norm_first else x
        added = update(read)
        if silence is not None:
            added = silence.update(site, added)
        stream = kept + added
        handed_on = stream if self.norm_first else norm(stream)
        if trace is not None:
            trace.put(site, "update", added)
            trace.put(site, "stream", stream)
            trace.put(site, "normed", read if self.norm_first else handed_on)
        return handed_on

    def forward(
        self,
        x: Tensor,
        *,
        site: str,
        allowed: Tensor | None = None,
        causal: bool = False,
        turn: tuple[Tensor, Tensor] | None = None,
        past: KeysValues | Memory | None = None,
        prefix: Prefix | None = None,
        memory: Tensor | None = None,
        memory_allowed: Tensor | None = None,
        past_cross: KeysValues | None = None,
        cross_prefix: Prefix | None = None,
        only: Tensor | None = None,
        front: Tensor | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
    ) -> Tensor:
        """x (B, S, C) -> (B, S, C). `site` is this layer's name in the trace, as "encoder.3".

        With `only` (B, N), what comes out is computed at these columns alone. -> (B, N, C)  `front` as in `SelfAttention`.
        """
        seen = dict(trace=trace, silence=silence)
        came = x
        if self.mixer == "ssru":

            def mix(h: Tensor) -> Tensor:
                return columns(self.ssru(h, past=past), only)
        else:
            look = dict(allowed=allowed, causal=causal, turn=turn, past=past, prefix=prefix, site=f"{site}.self") | seen
            mix = partial(self.self_attention, only=only, front=front, **look)
        x = self.residual(x, self.self_norm, mix, site=f"{site}.self", only=only, **seen)
        if self.cross_attention is not None:
            look = dict(memory=memory, allowed=memory_allowed, past=past_cross, prefix=cross_prefix, site=f"{site}.cross") | seen
            x = self.residual(x, self.cross_norm, partial(self.cross_attention, **look), site=f"{site}.cross", **seen)
        x = self.residual(x, self.feedforward_norm, self.feedforward, site=f"{site}.feedforward", **seen)
        if silence is not None:
            x = silence.layer(site, columns(came, only), x)
        if trace is not None:
            trace.put(site, "hidden", x)
        return x
