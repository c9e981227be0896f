"""The small models of the whole suite, loaded by our engine and by `transformers`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import (
    AutoModelForCausalLM,
    BertForPreTraining,
    MarianMTModel,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaTokenizerFast,
)

import models
from models.model import Model

THEIRS = {"tiny-bert": BertForPreTraining, "tiny-marian": MarianMTModel, "tiny-roberta": RobertaForMaskedLM}
SENTENCES = ["Paris is the capital of France, Berlin is the capital of Germany.", "She drank a cup of tea in the morning."]


@pytest.fixture(scope="session")
def folders(tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small models, and one whose words carry the space in front of them and whose mask swallows it."""
    learner = Tokenizer(BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learner.train_from_iterator(
        SENTENCES * 4, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    )
    learnt = json.loads(learner.to_str())["model"]
    tokenizer = RobertaTokenizerFast(
        vocab=learnt["vocab"], merges=[tuple(pair) for pair in learnt["merges"]], mask_token=AddedToken("<mask>", lstrip=True, special=True)
    )
    torch.manual_seed(1)
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=66, type_vocab_size=1, initializer_range=0.2,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("models") / "tiny-roberta"
    RobertaForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tiny_models | {"tiny-roberta": folder}


@pytest.fixture(scope="session")
def ours(folders: dict[str, Path]) -> Callable[[str], Model]:
    """A small model by its name."""
    made: dict[str, Model] = {}
    return lambda name: made.setdefault(name, made.get(name) or models.load(folders[name]))


@pytest.fixture(scope="session")
def theirs(folders: dict[str, Path]) -> Callable[[str], PreTrainedModel]:
    """The same model as `transformers` runs it, with attention that can be looked at."""

    def load(name: str) -> PreTrainedModel:
        return THEIRS.get(name, AutoModelForCausalLM).from_pretrained(folders[name], attn_implementation="eager").eval()

    return load
