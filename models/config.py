"""The numbers that define a Transformer, in our own names."""

from dataclasses import dataclass, field
from typing import Literal

Activation = Literal["relu", "gelu", "gelu_tanh", "silu"]
Positions = Literal["learned", "sinusoidal", "rotary"]


@dataclass(frozen=True, kw_only=True)
class Rotary:
    """Rotary position settings (Su et al. 2021); `scaling` stretches them to longer texts than the model was trained on."""

    theta: float = 10_000.0
    scaling: Literal["none", "linear", "llama3"] = "none"
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_max_positions: int = 8192


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What has to be known to build a Transformer; refuses numbers that cannot work.

    Either stack may have 0 layers: encoder only, decoder only, or both. Widths count features, `max_positions` tokens (None: no limit).
    """

    vocab_size: int
    d_model: int
    n_heads: int
    d_ff: int
    n_encoder_layers: int = 0
    n_decoder_layers: int = 0
    n_kv_heads: int | None = None  # fewer than n_heads: grouped queries (Ainslie et al. 2023); None: as many
    d_head: int | None = None  # None: d_model / n_heads
    max_positions: int | None = None

    norm: Literal["layer", "rms"] = "layer"
    norm_eps: float = 1e-12
    norm_first: bool = False  # pre-norm, with one more norm after the last layer
    activation: Activation = "gelu"
    gated: bool = False  # act(gate x) * up x (Shazeer 2020)
    attention_bias: bool = True
    attention_out_bias: bool = True
    feedforward_bias: bool = True
    sliding_window: int | None = None  # a decoder position sees at most so many positions, itself included

    positions: Positions = "learned"
    position_offset: int = 0  # the first token's row in the table (RoBERTa starts after the padding id)
    sinusoid_span: Literal["half", "half_minus_one"] = (
        "half"  # exponent i/h or i/(h-1); both Marian layouts put all sines before all cosines
    )
    rotary: Rotary = field(default_factory=Rotary)
    embedding_scale: float = 1.0
    n_segments: int = 0  # token types
    embedding_norm: bool = False

    decoder_mixer: Literal["attention", "ssru"] = "attention"
    start_id: int | None = None  # what the decoder of an encoder-decoder reads first; -1 is a zero vector instead of a word
    end_ids: tuple[int, ...] = ()  # any of these ends a text
    never_ids: tuple[int, ...] = ()  # words that decoding may not choose, such as padding
    alignment_heads: tuple[tuple[int, int], ...] = ()  # (layer, head) of cross-attention that aligns words best; (): all of the last layers
    share_embeddings: bool = True  # encoder and decoder read words from one table
    tied_output: bool = True  # the output matrix is the (decoder's) word table
    mlm_head: bool = False
    nsp_head: bool = False
    lm_head: bool = False
    lm_bias: bool = False

    def __post_init__(self) -> None:
        for name in ("vocab_size", "d_model", "n_heads", "d_ff"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if min(self.n_encoder_layers, self.n_decoder_layers) < 0 or self.n_encoder_layers + self.n_decoder_layers == 0:
            raise ValueError(f"a model needs layers, got {self.n_encoder_layers} encoder and {self.n_decoder_layers} decoder layers")
        if self.d_head is None and self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}; give d_head")
        if self.n_heads % self.kv_heads:
            raise ValueError(f"n_heads {self.n_heads} is not a multiple of n_kv_heads {self.n_kv_heads}")
        if self.positions == "learned" and not self.max_positions:
            raise ValueError("learned positions need max_positions")
        if self.positions == "rotary" and self.head_width % 2:
            raise ValueError(f"rotary positions need an even head width, got {self.head_width}")
        if self.positions == "sinusoidal" and (self.d_model % 2 or self.d_model < 4):
            raise ValueError(f"sinusoidal positions need an even d_model of at least 4, got {self.d_model}")
        for layer, head in self.alignment_heads:
            if not (0 <= layer < self.n_decoder_layers and 0 <= head < self.n_heads):
                raise ValueError(f"no head {head} in layer {layer}: the decoder has {self.n_decoder_layers} layers of {self.n_heads} heads")
        if self.norm_eps <= 0:
            raise ValueError(f"norm_eps must be positive, got {self.norm_eps}")

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values."""
        return self.n_kv_heads or self.n_heads

    @property
    def head_width(self) -> int:
        """D: features a head works with."""
        return self.d_head or self.d_model // self.n_heads

    @property
    def architecture(self) -> Literal["encoder", "decoder", "encoder_decoder"]:
        """Which of the three assemblies this is."""
        if not self.n_decoder_layers:
            return "encoder"
        return "encoder_decoder" if self.n_encoder_layers else "decoder"
