"""RoBERTa (Liu et al. 2019): BERT's network with other names, one token type, and positions that start behind the padding's number."""

from typing import Any

from models import tokenizers
from models.checkpoints.rules import Rule
from models.checkpoints.weights import Weights
from models.config import ModelConfig
from models.families import Family
from models.families._settings import Settings
from models.families._tables import linear, norm, prefix, unused
from models.families.bert import encoder_config, encoder_rules, output_rules, tasks, words

UNUSED = ("pooler.dense", "classifier", "classifier.dense", "classifier.out_proj", "qa_outputs")


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    hub = Settings("RoBERTa", settings)
    has_head = "lm_head.dense.weight" in source.names()
    if has_head:
        hub.only("hidden_act", "gelu")  # its head always uses GELU, and ours the activation of the layers
    return encoder_config(hub, position_offset=hub.whole("pad_token_id", 1) + 1, mlm_head=has_head)


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    names = source.names()
    body = prefix(names, "roberta.")
    table = encoder_rules(body) + [words(config, f"{body}embeddings.word_embeddings.weight", "lm_head.decoder.weight")]
    if config.mlm_head:
        table += linear("lm_head.dense", "heads.mlm.transform") + norm("lm_head.layer_norm", "heads.mlm.norm")
        table += output_rules(config, names, "lm_head")
    table += unused(*(f"{body if head == 'pooler.dense' else ''}{head}.{part}" for head in UNUSED for part in ("weight", "bias")))
    return table


FAMILY = Family(
    name="roberta",
    speaks=frozenset({"roberta", "xlm-roberta"}),
    config=config,
    rules=rules,
    tasks=tasks,
    tokenizer=lambda folder, source: tokenizers.from_folder(folder, "roberta"),
)
