"""BERT (Devlin et al. 2019): an encoder, with a head for masked words and one for next sentences where the checkpoint has them."""

from typing import Any

from models import tokenizers
from models.checkpoints.rules import Rule
from models.checkpoints.weights import Weights
from models.config import ModelConfig
from models.families import Family
from models.families._settings import Settings
from models.families._tables import fused, linear, norm, prefix, unused

TRANSFORM = "cls.predictions.transform.dense.weight"
NEXT = "cls.seq_relationship"


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    return encoder_config(Settings("BERT", settings), mlm_head=TRANSFORM in source.names(), nsp_head=f"{NEXT}.weight" in source.names())


def encoder_config(hub: Settings, **ours: Any) -> ModelConfig:
    """The settings that BERT and RoBERTa share."""
    hub.only("position_embedding_type", "absolute")
    hub.only("is_decoder", False)
    hub.only("add_cross_attention", False)
    return hub.build(
        vocab_size=hub.whole("vocab_size"),
        d_model=hub.whole("hidden_size"),
        n_heads=hub.whole("num_attention_heads"),
        d_ff=hub.whole("intermediate_size"),
        n_encoder_layers=hub.layers("num_hidden_layers"),
        max_positions=hub.whole("max_position_embeddings"),
        norm_eps=hub.real("layer_norm_eps", 1e-12),
        activation=hub.activation("hidden_act", "gelu"),
        n_segments=hub.whole("type_vocab_size", 2),
        embedding_norm=True,
        tied_output=hub.flag("tie_word_embeddings", True),
        **ours,
    )


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    names = source.names()
    body = prefix(names, "bert.")
    table = encoder_rules(body) + [words(config, f"{body}embeddings.word_embeddings.weight", "cls.predictions.decoder.weight")]
    if config.mlm_head:
        table += linear("cls.predictions.transform.dense", "heads.mlm.transform")
        table += norm("cls.predictions.transform.LayerNorm", "heads.mlm.norm")
        table += output_rules(config, names, "cls.predictions")
    if config.nsp_head:
        table += linear(f"{body}pooler.dense", "heads.nsp.pooler") + linear(NEXT, "heads.nsp.output")
    else:
        table += unused(f"{body}pooler.dense.weight", f"{body}pooler.dense.bias")
    return table + unused(*(f"{head}.{part}" for head in ("classifier", "qa_outputs") for part in ("weight", "bias")))


def encoder_rules(body: str) -> list[Rule]:
    """The layers and embeddings that BERT and RoBERTa name alike, word embeddings excepted."""
    theirs, ours = f"{body}encoder.layer.{{}}", "encoder.layers.{}"
    self_attention = f"{theirs}.attention.self"
    return [
        *unused(f"{body}embeddings.position_ids", f"{body}embeddings.token_type_ids"),
        Rule(f"{body}embeddings.position_embeddings.weight", "embeddings.positions.weight"),
        Rule(f"{body}embeddings.token_type_embeddings.weight", "embeddings.segments.weight"),
        *norm(f"{body}embeddings.LayerNorm", "embeddings.norm"),
        *fused(tuple(f"{self_attention}.{part}" for part in ("query", "key", "value")), f"{ours}.self_attention.qkv"),
        *linear(f"{theirs}.attention.output.dense", f"{ours}.self_attention.out"),
        *norm(f"{theirs}.attention.output.LayerNorm", f"{ours}.self_norm"),
        *linear(f"{theirs}.intermediate.dense", f"{ours}.feedforward.up"),
        *linear(f"{theirs}.output.dense", f"{ours}.feedforward.down"),
        *norm(f"{theirs}.output.LayerNorm", f"{ours}.feedforward_norm"),
    ]


def words(config: ModelConfig, source: str, decoder: str) -> Rule:
    """The word table, which many checkpoints repeat under the name of the output matrix that is tied to it."""
    return Rule(source, "embeddings.words.weight", alias=(decoder,) if config.tied_output else ())


def output_rules(config: ModelConfig, names: list[str], head: str) -> list[Rule]:
    """The last matrix of the head for masked words, where it is not the word table, and its bias, which has two names."""
    bias, inner = f"{head}.bias", f"{head}.decoder.bias"
    if config.tied_output:
        return [Rule(bias, "heads.mlm.bias", alias=(inner,))]
    matrix = Rule(f"{head}.decoder.weight", "heads.mlm.output.weight")
    if inner not in names:
        return [matrix, Rule(bias, "heads.mlm.bias")]
    # Untied, the two biases are two, and the network adds the inner one.
    return [matrix, Rule(inner, "heads.mlm.bias"), *unused(bias)]


def tasks(config: ModelConfig) -> frozenset[str]:
    return frozenset({"attend"} | ({"fill_mask"} if config.mlm_head else set()) | ({"next_sentence"} if config.nsp_head else set()))


FAMILY = Family(
    name="bert",
    speaks=frozenset({"bert"}),
    config=config,
    rules=rules,
    tasks=tasks,
    tokenizer=lambda folder, source: tokenizers.from_folder(folder, "bert"),
)
