"""The small models of the whole suite, loaded by our engine and by `transformers`."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, BertForPreTraining, MarianMTModel, PreTrainedModel

import models
from models.model import Model

THEIRS = {"tiny-bert": BertForPreTraining, "tiny-marian": MarianMTModel}


@pytest.fixture(scope="session")
def ours(tiny_models: dict[str, Path]) -> Callable[[str], Model]:
    """A small model by its name."""
    made: dict[str, Model] = {}
    return lambda name: made.setdefault(name, made.get(name) or models.load(tiny_models[name]))


@pytest.fixture(scope="session")
def theirs(tiny_models: dict[str, Path]) -> Callable[[str], PreTrainedModel]:
    """The same model as `transformers` runs it, with attention that can be looked at."""

    def load(name: str) -> PreTrainedModel:
        torch.set_grad_enabled(True)
        return THEIRS.get(name, AutoModelForCausalLM).from_pretrained(tiny_models[name], attn_implementation="eager").eval()

    return load
