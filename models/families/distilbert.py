"""DistilBERT (Sanh et al. 2019): BERT with half the layers and no token types, under names of its own."""

from typing import Any

from models import tokenizers
from models.checkpoints.rules import Rule
from models.checkpoints.weights import Weights
from models.config import ModelConfig
from models.families import Family
from models.families._settings import Settings
from models.families._tables import fused, linear, norm, prefix, unused
from models.families.bert import tasks, words

HEAD = "vocab_projector"


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    hub = Settings("DistilBERT", settings)
    return hub.build(
        vocab_size=hub.whole("vocab_size"),
        d_model=hub.whole("dim"),
        n_heads=hub.whole("n_heads"),
        d_ff=hub.whole("hidden_dim"),
        n_encoder_layers=hub.layers("n_layers"),
        max_positions=hub.whole("max_position_embeddings"),
        activation=hub.activation("activation", "gelu"),
        embedding_norm=True,
        tied_output=hub.flag("tie_word_embeddings", True),
        mlm_head="vocab_transform.weight" in source.names(),
    )


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    body = prefix(source.names(), "distilbert.")
    theirs, ours = f"{body}transformer.layer.{{}}", "encoder.layers.{}"
    table = [
        words(config, f"{body}embeddings.word_embeddings.weight", f"{HEAD}.weight"),
        # Sinusoids are stored as numbers too, so a table serves both kinds of this model.
        Rule(f"{body}embeddings.position_embeddings.weight", "embeddings.positions.weight"),
        *unused(f"{body}embeddings.position_ids"),
        *norm(f"{body}embeddings.LayerNorm", "embeddings.norm"),
        *fused(tuple(f"{theirs}.attention.{part}_lin" for part in "qkv"), f"{ours}.self_attention.qkv"),
        *linear(f"{theirs}.attention.out_lin", f"{ours}.self_attention.out"),
        *norm(f"{theirs}.sa_layer_norm", f"{ours}.self_norm"),
        *linear(f"{theirs}.ffn.lin1", f"{ours}.feedforward.up"),
        *linear(f"{theirs}.ffn.lin2", f"{ours}.feedforward.down"),
        *norm(f"{theirs}.output_layer_norm", f"{ours}.feedforward_norm"),
    ]
    if config.mlm_head:
        table += linear("vocab_transform", "heads.mlm.transform") + norm("vocab_layer_norm", "heads.mlm.norm")
        table += [Rule(f"{HEAD}.bias", "heads.mlm.bias")]
        if not config.tied_output:
            table += [Rule(f"{HEAD}.weight", "heads.mlm.output.weight")]
    return table + unused(*(f"{head}.{part}" for head in ("pre_classifier", "classifier", "qa_outputs") for part in ("weight", "bias")))


FAMILY = Family(
    name="distilbert",
    speaks=frozenset({"distilbert"}),
    config=config,
    rules=rules,
    tasks=tasks,
    tokenizer=lambda folder, source: tokenizers.from_folder(folder, "distilbert"),
)
