"""What PEFT calls the matrices that LoRA changes: names of the hub's model classes, read off the weight maps of the families."""

import torch

from models.checkpoints.rules import Rule, transpose
from models.checkpoints.weights import StateDict
from models.config import ModelConfig
from models.families import families
from models.model import Model

BODIES = ("bert.", "roberta.", "distilbert.", "transformer.")  # what a class with a head puts in front of the body's names
TASKS = {"encoder": "FEATURE_EXTRACTION", "decoder": "CAUSAL_LM", "encoder_decoder": "SEQ_2_SEQ_LM"}


def hub_rules(model: Model) -> list[Rule]:
    """The family's weight map for the hub's names, also where this model came from another kind of file."""
    family = next(family for family in families() if family.name == model.family)
    headed = model.config.mlm_head or model.config.nsp_head or model.config.lm_head
    names = {f"{body}any": torch.zeros(0) for body in BODIES} if headed else {}
    return family.rules(model.config, StateDict(names))


def hub_names(model: Model) -> dict[str, tuple[str, ...]]:
    """The hub's module or modules behind each matrix of ours, in the order of their rows."""
    found = {}
    for rule in hub_rules(model):
        for target in rule.targets:
            if target.endswith(".weight") and "{}" in target:
                for layer in range(layers(model.config, target)):
                    sources = tuple(source.format(layer + rule.first).removesuffix(".weight") for source in rule.sources)
                    found[target.format(layer).removesuffix(".weight")] = sources
    return found


def turned(model: Model) -> bool:
    """Whether the hub keeps these matrices the other way round."""
    return any(rule.transform is transpose for rule in hub_rules(model))


def layers(config: ModelConfig, target: str) -> int:
    """How many layers a name with {} stands for."""
    return config.n_encoder_layers if target.startswith("encoder.") else config.n_decoder_layers
