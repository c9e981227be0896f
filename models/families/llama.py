"""Llama (Touvron et al. 2023) and the models of its shape: Mistral, Qwen2. From the hub's files or from GGUF."""

from typing import Any

from models import tokenizers
from models.checkpoints.rules import Rule
from models.checkpoints.weights import Weights
from models.config import ModelConfig, Rotary
from models.families import Family, _llama_gguf
from models.families._settings import Settings
from models.families._tables import fused, linear, unused

QKV = ("q_proj", "k_proj", "v_proj")


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    if _llama_gguf.is_gguf(source):
        return _llama_gguf.config(source)
    hub = Settings("Llama", settings)
    hub.only("partial_rotary_factor", 1.0)
    hub.only("hidden_act", "silu")
    names = source.names()
    d_model, n_heads = hub.whole("hidden_size"), hub.whole("num_attention_heads")
    return hub.build(
        vocab_size=hub.whole("vocab_size"),
        d_model=d_model,
        n_heads=n_heads,
        n_kv_heads=hub.whole("num_key_value_heads", n_heads),
        d_head=hub.whole("head_dim", d_model // max(n_heads, 1)),
        d_ff=hub.whole("intermediate_size"),
        n_decoder_layers=hub.layers("num_hidden_layers"),
        max_positions=hub.whole("max_position_embeddings"),
        norm="rms",
        norm_eps=hub.real("rms_norm_eps", 1e-6),
        norm_first=True,
        activation="silu",
        gated=True,
        # Whether there are biases is a setting of some of these models and the nature of others; the file knows it of all.
        attention_bias="model.layers.0.self_attn.q_proj.bias" in names,
        attention_out_bias="model.layers.0.self_attn.o_proj.bias" in names,
        feedforward_bias="model.layers.0.mlp.up_proj.bias" in names,
        sliding_window=sliding_window(hub),
        positions="rotary",
        rotary=rotary(hub),
        end_ids=hub.ids("eos_token_id"),
        lm_head=True,
        tied_output=hub.flag("tie_word_embeddings", False),
    )


def sliding_window(hub: Settings) -> int | None:
    """How far a word looks back. Qwen2 can have it in its upper layers only, which no published model does."""
    model_type, layers = hub.get("model_type"), hub.layers("num_hidden_layers")
    if model_type == "mistral":
        window = hub.values.get("sliding_window", 4096)
        return None if window is None else hub.whole("sliding_window", 4096)
    if model_type != "qwen2" or not hub.flag("use_sliding_window", False):
        return None
    kinds = hub.get(
        "layer_types", ["full_attention" if i < hub.layers("max_window_layers", 28) else "sliding_attention" for i in range(layers)]
    )
    if not isinstance(kinds, list) or len(set(map(str, kinds))) != 1:
        raise hub.unsupported("layer_types", kinds)
    return hub.whole("sliding_window", 4096) if kinds[0] == "sliding_attention" else None


def rotary(hub: Settings) -> Rotary:
    """Rotary settings under their new name (rope_parameters) or their old ones (rope_theta, rope_scaling)."""
    given = hub.get("rope_parameters", hub.get("rope_scaling", {}))
    if not isinstance(given, dict):
        raise hub.broken(f"rope_parameters is {given!r}")
    rope = Settings(hub.family, given, file=hub.file)
    kind = rope.get("rope_type", rope.get("type", "default"))
    theta = rope.real("rope_theta", hub.real("rope_theta", 10_000.0))
    if kind == "default":
        return Rotary(theta=theta)
    if kind == "linear":
        return Rotary(theta=theta, scaling="linear", factor=rope.real("factor"))
    if kind == "llama3":
        return Rotary(
            theta=theta,
            scaling="llama3",
            factor=rope.real("factor"),
            low_freq_factor=rope.real("low_freq_factor"),
            high_freq_factor=rope.real("high_freq_factor"),
            original_max_positions=rope.whole("original_max_position_embeddings"),
        )
    raise hub.unsupported("rope_type", kind)


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    if _llama_gguf.is_gguf(source):
        return _llama_gguf.rules(config, source)
    theirs, ours = "model.layers.{}", "decoder.layers.{}"
    table = [
        Rule("model.embed_tokens.weight", "embeddings.words.weight", alias=("lm_head.weight",) if config.tied_output else ()),
        *fused(tuple(f"{theirs}.self_attn.{part}" for part in QKV), f"{ours}.self_attention.qkv", bias=config.attention_bias),
        Rule(f"{theirs}.input_layernorm.weight", f"{ours}.self_norm.weight"),
        Rule(f"{theirs}.post_attention_layernorm.weight", f"{ours}.feedforward_norm.weight"),
        Rule("model.norm.weight", "decoder.norm.weight"),
        *unused(f"{theirs}.self_attn.rotary_emb.inv_freq"),
        *matrix(f"{theirs}.self_attn.o_proj", f"{ours}.self_attention.out", bias=config.attention_out_bias),
    ]
    for part in ("gate", "up", "down"):
        table += matrix(f"{theirs}.mlp.{part}_proj", f"{ours}.feedforward.{part}", bias=config.feedforward_bias)
    return table if config.tied_output else [*table, Rule("lm_head.weight", "heads.lm.output.weight")]


def matrix(source: str, target: str, *, bias: bool) -> list[Rule]:
    return linear(source, target) if bias else linear(source, target)[:1]


FAMILY = Family(
    name="llama",
    speaks=frozenset({"llama", "mistral", "qwen2", *_llama_gguf.SPEAKS}),
    config=config,
    rules=rules,
    tasks=lambda config: frozenset({"attend", "fill_mask_decoder", "generate"}),
    tokenizer=lambda folder, source: (
        _llama_gguf.tokenizer(source) if _llama_gguf.is_gguf(source) else tokenizers.from_folder(folder, "llama")
    ),
)
