"""Marian's family as CTranslate2 stores it (OPUS-MT in Argos packages): the file itself says all that has to be known."""

import re
from math import sqrt
from typing import Any

import torch

from models.checkpoints.rules import Rule
from models.checkpoints.weights import Weights
from models.config import Activation, ModelConfig
from models.families._settings import Settings
from models.families._tables import unused
from models.positions import sinusoids

SPEAKS = frozenset({"ctranslate2.TransformerSpec"})
ACTIVATIONS: dict[Any, Activation] = {0: "relu", 1: "gelu_tanh", 2: "silu", 3: "gelu"}  # CTranslate2's numbers for them
ENCODER, DECODER, OUTPUT = "encoder/embeddings_0/weight", "decoder/embeddings/weight", "decoder/projection/weight"
POSITIONS = "decoder/position_encodings/encodings"
END = 0  # Marian's vocabularies begin with </s>


def is_ctranslate2(source: Weights) -> bool:
    return source.model_type in SPEAKS


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    stored = Settings("CTranslate2", source.metadata, file=source.file)
    for stack in ("encoder", "decoder"):
        stored.only(f"{stack}/pre_norm", 0)
    for key in ("num_heads", "activation", "scale_embeddings"):
        stored.same(f"encoder/{key}", f"decoder/{key}")
    if not stored.flag("decoder/start_from_zero_embedding", 0):
        raise stored.unsupported("decoder/start_from_zero_embedding", 0)
    stored.only("decoder/alibi", 0)
    stored.only("encoder/embeddings_merge", 0)
    names = source.names()
    vocabulary, d_model = stored.matrix(source, DECODER)
    layers, heads = depth(names, "decoder"), stored.whole("encoder/num_heads")
    return stored.build(
        vocab_size=vocabulary,
        d_model=d_model,
        n_heads=heads,
        d_ff=stored.matrix(source, "encoder/layer_0/ffn/linear_0/weight")[0],
        n_encoder_layers=depth(names, "encoder"),
        n_decoder_layers=layers,
        max_positions=stored.matrix(source, POSITIONS)[0],
        norm_eps=Settings("CTranslate2", settings).real("layer_norm_epsilon", 1e-5),
        activation=stored.activation("encoder/activation", names=ACTIVATIONS),
        positions="sinusoidal",
        sinusoid_span=span(source, stored, d_model),
        embedding_scale=embedding_scale(stored, d_model),
        start_id=-1,
        end_ids=(END,),
        alignment_heads=alignment_heads(stored, layers, heads),
        share_embeddings=ENCODER not in names,
        tied_output=OUTPUT not in names,
        lm_head=True,
        lm_bias=True,
    )


def alignment_heads(stored: Settings, layers: int, heads: int) -> tuple[tuple[int, int], ...]:
    """The heads that were trained to align: the first ones of one layer, which may be counted from the end; 0 means all of its heads."""
    layer = int(stored.real("decoder/alignment_layer", -1))
    count = stored.whole("decoder/alignment_heads", 0, most=heads) or heads
    return tuple((layer % layers, head) for head in range(count)) if -layers <= layer < layers else ()


def embedding_scale(stored: Settings, d_model: int) -> float:
    """Newer files hold the factor itself, older ones whether there is one."""
    value = stored.real("encoder/scale_embeddings")
    if isinstance(stored.get("encoder/scale_embeddings"), float):
        return value
    return sqrt(d_model) if value else 1.0


def depth(names: list[str], stack: str) -> int:
    """Layers of a stack, counted by their names."""
    found = (re.match(rf"{stack}/layer_([0-9]{{1,3}})/", name) for name in names)
    return max((int(match[1]) for match in found if match), default=-1) + 1


def span(source: Weights, stored: Settings, d_model: int) -> str:
    """Which of the two layouts of sinusoids the stored table of positions is; learned positions are refused."""
    table = source.read(POSITIONS)
    for name in ("half", "half_minus_one"):
        wanted = sinusoids(table.shape[0], d_model, span=name)
        if wanted.shape == table.shape and torch.allclose(wanted, table, rtol=0, atol=1e-3):
            return name
    raise stored.unsupported(POSITIONS, "a table that is not sinusoids")


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    table = embeddings(config) + unused(POSITIONS, "encoder/position_encodings/encodings")
    for stack in ("encoder", "decoder"):
        theirs, ours = f"{stack}/layer_{{}}", f"{stack}.layers.{{}}"
        table += [
            *matrix(f"{theirs}/self_attention/linear_0", f"{ours}.self_attention.qkv"),
            *matrix(f"{theirs}/self_attention/linear_1", f"{ours}.self_attention.out"),
            *norm(f"{theirs}/self_attention/layer_norm", f"{ours}.self_norm"),
            *matrix(f"{theirs}/ffn/linear_0", f"{ours}.feedforward.up"),
            *matrix(f"{theirs}/ffn/linear_1", f"{ours}.feedforward.down"),
            *norm(f"{theirs}/ffn/layer_norm", f"{ours}.feedforward_norm"),
        ]
    return table + [
        *matrix(f"{theirs}/attention/linear_0", f"{ours}.cross_attention.q"),
        *matrix(f"{theirs}/attention/linear_1", f"{ours}.cross_attention.kv"),
        *matrix(f"{theirs}/attention/linear_2", f"{ours}.cross_attention.out"),
        *norm(f"{theirs}/attention/layer_norm", f"{ours}.cross_norm"),
        Rule("decoder/projection/bias", "heads.lm.bias"),
    ]


def embeddings(config: ModelConfig) -> list[Rule]:
    """CTranslate2 stores equal tensors once, so what is there under a name of its own is another tensor."""
    if config.share_embeddings:
        table = [Rule(DECODER, "embeddings.words.weight")]
    else:
        table = [Rule(ENCODER, "embeddings.words.weight"), Rule(DECODER, "decoder_embeddings.words.weight")]
    return table if config.tied_output else [*table, Rule(OUTPUT, "heads.lm.output.weight")]


def matrix(source: str, target: str) -> list[Rule]:
    return [Rule(f"{source}/{part}", f"{target}.{part}") for part in ("weight", "bias")]


def norm(source: str, target: str) -> list[Rule]:
    return [Rule(f"{source}/gamma", f"{target}.weight"), Rule(f"{source}/beta", f"{target}.bias")]
