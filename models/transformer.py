"""The assemblies: encoder only, decoder only, or both, with their heads."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models import masks
from models.ablation import Silence
from models.attention import Prefix
from models.cache import Cache
from models.config import ModelConfig
from models.decoder import Decoder
from models.embeddings import Embeddings
from models.encoder import Encoder
from models.heads import LanguageHead, MaskedWordHead, NextSentenceHead
from models.positions import PositionTable
from models.soft_prompt import weave
from models.tokens import Tokens
from models.trace import Trace


class Transformer(nn.Module):
    """Attention Is All You Need (Vaswani et al. 2017) and its descendants, put together as the config says."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config) if config.n_encoder_layers else None
        self.decoder = Decoder(config) if config.n_decoder_layers else None
        separate = config.architecture == "encoder_decoder" and not config.share_embeddings
        self.decoder_embeddings = Embeddings(config) if separate else None
        self.turns = PositionTable(config) if config.positions == "rotary" else None
        heads = {"lm": (config.lm_head, LanguageHead), "mlm": (config.mlm_head, MaskedWordHead), "nsp": (config.nsp_head, NextSentenceHead)}
        self.heads = nn.ModuleDict({name: head(config) for name, (wanted, head) in heads.items() if wanted})
        self.tie()

    @classmethod
    def build(cls, config: ModelConfig) -> "Transformer":
        """The network without numbers in it, ready to be filled from a checkpoint."""
        with torch.device("meta"):
            return cls(config).eval()

    def tie(self) -> None:
        """Let the output matrices be the word table, where the config says so; to be repeated after parameters were replaced."""
        if self.config.tied_output:
            words = (self.decoder_embeddings or self.embeddings).words
            for name in ("lm", "mlm"):
                if name in self.heads:
                    self.heads[name].output.weight = words.weight

    def encode(
        self,
        tokens: Tokens,
        *,
        soft_prompt: Tensor | None = None,
        soft_prompt_at: Tensor | None = None,
        prefix: Sequence[Prefix | None] | None = None,
        only: Tensor | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
    ) -> Tensor:
        """Words in context. -> (B, P + S, C), the soft prompt (P, C) in front of the columns `soft_prompt_at` (B,), or of all.

        The positions of a prefix are counted too: words stand behind it. `only` (B, N): columns of the output that are read. -> (B, N, C)
        """
        mask, full = self.with_prompt(tokens, soft_prompt, soft_prompt_at)
        before = prefix_length(prefix)
        length = before + mask.shape[1]
        positions = torch.arange(before, length, device=mask.device)[None] if full else before + (mask.cumsum(1) - 1).clamp(min=0)
        prompt = dict(soft_prompt=soft_prompt, soft_prompt_at=soft_prompt_at)
        x = self.embeddings(tokens.ids, positions, length=length, segments=tokens.segments, **prompt)
        turn = self.turns.turns(positions, length, dtype=x.dtype) if self.turns else None
        front = self.front(soft_prompt) if soft_prompt is not None and soft_prompt_at is None else None
        seen = dict(front=front, trace=trace, silence=silence)
        return self.encoder(x, allowed=None if full else masks.padding(mask), turn=turn, prefix=prefix, only=only, **seen)

    def front(self, soft_prompt: Tensor) -> Tensor | None:
        """A soft prompt in front of all words as the first layer reads it (P, C), where nothing is learnt but what stands there; else None.

        Then the first layer works it out once for all rows, and its words need no gradient. Not where a hook stands between: chance
        (dropout hangs on the embeddings) makes the rows differ, and adversarial training asks the words for a gradient.
        """
        embeddings = self.embeddings
        learnt = torch.is_grad_enabled() and soft_prompt.requires_grad and not any(one.requires_grad for one in embeddings.parameters())
        if not learnt or self.config.norm_first or embeddings._forward_hooks or embeddings.words._forward_hooks:
            return None
        nothing = soft_prompt.new_empty(1, 0, dtype=torch.int64)
        places = torch.arange(len(soft_prompt), device=soft_prompt.device)[None]
        return embeddings(nothing, places, length=len(soft_prompt), segments=nothing, soft_prompt=soft_prompt)[0]

    def decode(
        self,
        tokens: Tokens,
        *,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: Cache | None = None,
        soft_prompt: Tensor | None = None,
        soft_prompt_at: Tensor | None = None,
        prefix: Sequence[Prefix | None] | None = None,
        cross_prefix: Sequence[Prefix | None] | None = None,
        only: Tensor | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
    ) -> Tensor:
        """Features that guess the next word at each position. -> (B, P + S, C)

        `memory` (B, K, C) with `memory_mask` (B, K; None: all real) is an encoder's output; `cross_prefix` stands in front of it. With a
        `cache` the tokens go on where it ended: a prefix is given at every step, a soft prompt at the first. The rest as in `encode`.
        """
        mask, full = self.with_prompt(tokens, soft_prompt, soft_prompt_at)
        width = mask.shape[1]
        cache_was = cache.length if cache else 0
        positions, real = (cache or Cache(self.config)).place(mask, full=full)
        length = cache_was + width
        before = prefix_length(prefix)
        places, end = positions + before, length + before
        embeddings = self.decoder_embeddings or self.embeddings
        x = embeddings(tokens.ids, places, length=end, soft_prompt=soft_prompt, soft_prompt_at=soft_prompt_at)
        turn = self.turns.turns(places, end, dtype=x.dtype) if self.turns else None

        window = self.config.sliding_window
        near = window is None or length <= window
        allowed = None if real is None else masks.padding(real)
        causal = width > 1 and allowed is None and not cache_was and near
        if not causal and (width > 1 or not near):
            # Where rows are padded, a window counts positions and not columns: there may be padding between a soft prompt and the words.
            allowed = masks.both(allowed, masks.causal(width, length, window=window if real is None else None, device=x.device))
            if real is not None and not near:
                allowed = allowed & masks.within(positions, real.cumsum(1) - 1, window)
        return self.decoder(
            x,
            allowed=allowed,
            causal=causal,
            turn=turn,
            prefix=prefix,
            cross_prefix=cross_prefix,
            only=only,
            memory=memory,
            memory_allowed=None if memory_mask is None else masks.padding(memory_mask),
            cache=cache,
            trace=trace,
            silence=silence,
        )

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next word. (..., C) -> (..., V)"""
        return self.heads["lm"](hidden)

    @staticmethod
    def with_prompt(tokens: Tokens, soft_prompt: Tensor | None, at: Tensor | None) -> tuple[Tensor, bool]:
        """The mask with room for the soft prompt, and whether all positions are real."""
        if soft_prompt is None:
            return tokens.mask, tokens.full
        return weave(tokens.mask, tokens.mask.new_ones(soft_prompt.shape[0]), at), tokens.full


def prefix_length(prefix: Sequence[Prefix | None] | None) -> int:
    """How many keys stand in front of the words; layers without a prefix of their own leave that room empty."""
    return next((pair[0].shape[-2] for pair in prefix or () if pair is not None), 0)
