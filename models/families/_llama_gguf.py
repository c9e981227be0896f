"""Llama's family as GGUF files have it: other names, settings among the key-values, and rows in another order."""

from functools import partial

import torch
from torch import Tensor

from models.checkpoints.rules import Rule
from models.checkpoints.weights import Weights
from models.config import ModelConfig, Rotary
from models.families._settings import Settings
from models.positions import rotary_frequencies
from models.tokenizers import from_gguf
from models.tokens import Tokenizer

SPEAKS = frozenset({"gguf.llama", "gguf.qwen2"})
WORDS, OUTPUT, FREQUENCIES = "token_embd.weight", "output.weight", "rope_freqs.weight"
LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_positions": 8192}  # the same in all Llama 3.1 and 3.2


def is_gguf(source: Weights) -> bool:
    return source.model_type in SPEAKS


def config(source: Weights) -> ModelConfig:
    """Our config from the file's key-values, which stand under the architecture's name ("llama.block_count")."""
    architecture = source.model_type.removeprefix("gguf.")
    stored = Settings(f"GGUF {architecture}", source.metadata, file=source.file)
    names = source.names()
    d_model, n_heads = stored.whole(f"{architecture}.embedding_length"), stored.whole(f"{architecture}.attention.head_count")
    width = stored.whole(f"{architecture}.attention.key_length", d_model // max(n_heads, 1))
    stored.only(f"{architecture}.attention.value_length", width)
    stored.only(f"{architecture}.rope.dimension_count", width)
    stored.only(f"{architecture}.expert_count", 0)
    return stored.build(
        vocab_size=stored.matrix(source, WORDS)[0],
        d_model=d_model,
        n_heads=n_heads,
        n_kv_heads=stored.whole(f"{architecture}.attention.head_count_kv", n_heads),
        d_head=width,
        d_ff=stored.whole(f"{architecture}.feed_forward_length"),
        n_decoder_layers=stored.layers(f"{architecture}.block_count"),
        max_positions=stored.whole(f"{architecture}.context_length"),
        norm="rms",
        norm_eps=stored.real(f"{architecture}.attention.layer_norm_rms_epsilon"),
        norm_first=True,
        activation="silu",
        gated=True,
        attention_bias="blk.0.attn_q.bias" in names,
        attention_out_bias="blk.0.attn_output.bias" in names,
        feedforward_bias="blk.0.ffn_up.bias" in names,
        sliding_window=stored.whole(f"{architecture}.attention.sliding_window", 0) or None,
        positions="rotary",
        rotary=rotary(stored, architecture, source, width),
        end_ids=tuple(dict.fromkeys(stored.ids("tokenizer.ggml.eos_token_id") + stored.ids("tokenizer.ggml.eot_token_id"))),
        lm_head=True,
        tied_output=OUTPUT not in names,
    )


def rotary(stored: Settings, architecture: str, source: Weights, width: int) -> Rotary:
    """Rotary settings. Llama 3's scaling is not among the key-values but a tensor of divisors, from which its factor is read."""
    theta = stored.real(f"{architecture}.rope.freq_base", 10_000.0)
    if FREQUENCIES in source.names():
        divisors = source.read(FREQUENCIES)
        found = Rotary(theta=theta, scaling="llama3", factor=divisors.max().item(), **LLAMA3)
        wanted = rotary_frequencies(width, Rotary(theta=theta)) / rotary_frequencies(width, found)
        if wanted.shape != divisors.shape or not torch.allclose(wanted, divisors, rtol=1e-3):
            raise stored.unsupported(FREQUENCIES, "divisors that are not Llama 3's")
        return found
    kind = stored.get(f"{architecture}.rope.scaling.type", "none")
    if kind == "linear":
        return Rotary(theta=theta, scaling="linear", factor=stored.real(f"{architecture}.rope.scaling.factor"))
    if kind != "none":
        raise stored.unsupported(f"{architecture}.rope.scaling.type", kind)
    return Rotary(theta=theta)


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    theirs, ours = "blk.{}", "decoder.layers.{}"
    # GGUF's "llama" turns neighbouring features together, (0, 1) (2, 3) ..., and its rows are sorted for it; "qwen2" keeps the hub's order.
    sort = partial(unsort, width=config.head_width) if source.model_type == "gguf.llama" else None
    table = [
        Rule(WORDS, "embeddings.words.weight"),
        Rule("output_norm.weight", "decoder.norm.weight"),
        Rule(f"{theirs}.attn_norm.weight", f"{ours}.self_norm.weight"),
        Rule(f"{theirs}.ffn_norm.weight", f"{ours}.feedforward_norm.weight"),
        Rule(FREQUENCIES, None, optional=True),
    ]
    for part in ("weight", "bias") if config.attention_bias else ("weight",):
        sources = tuple(f"{theirs}.attn_{letter}.{part}" for letter in "qkv")
        table += [Rule(sources, f"{ours}.self_attention.qkv.{part}", (sort, sort, None))]
    for part in ("weight", "bias") if config.attention_out_bias else ("weight",):
        table += [Rule(f"{theirs}.attn_output.{part}", f"{ours}.self_attention.out.{part}")]
    for part in ("weight", "bias") if config.feedforward_bias else ("weight",):
        table += [Rule(f"{theirs}.ffn_{name}.{part}", f"{ours}.feedforward.{name}.{part}") for name in ("gate", "up", "down")]
    return table if config.tied_output else [*table, Rule(OUTPUT, "heads.lm.output.weight")]


def unsort(rows: Tensor, *, width: int) -> Tensor:
    """From neighbouring pairs (0, 1) (2, 3) ... of each head to halves: feature i turns with i + D/2. (H D, C) -> (H D, C)"""
    return rows.unflatten(0, (-1, width // 2, 2)).transpose(1, 2).flatten(0, 2)


def tokenizer(source: Weights) -> Tokenizer:
    return from_gguf(source.metadata, file=source.file)
