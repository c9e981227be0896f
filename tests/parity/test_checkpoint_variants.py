"""The same model, saved in all the ways in which checkpoints on the hub are saved, is the same network."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peers import PEERS, VOCABULARY, load
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.errors import Problem
from models.transformer import Transformer

State = dict[str, Tensor]


def same(ours: Transformer, other: Transformer) -> None:
    first, second = ours.state_dict(), other.state_dict()
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def rewrite(folder: Path, change: Callable[[State], State]) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({name: tensor.clone() for name, tensor in change(tensors).items()}, folder / "model.safetensors")


def gamma_and_beta(state: State) -> State:
    return {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in state.items()
    }


def with_bert_aliases(state: State) -> State:
    return state | {
        "cls.predictions.decoder.weight": state["bert.embeddings.word_embeddings.weight"],
        "cls.predictions.decoder.bias": state["cls.predictions.bias"],
        "bert.embeddings.position_ids": torch.arange(40)[None],
    }


def with_a_classifier(state: State) -> State:
    return state | {"classifier.weight": torch.zeros(2, 24), "classifier.bias": torch.zeros(2)}


def with_marian_aliases(state: State) -> State:
    words = state["model.shared.weight"]
    return state | {
        "model.encoder.embed_tokens.weight": words,
        "model.decoder.embed_tokens.weight": words,
        "lm_head.weight": words,
        "model.encoder.embed_positions.weight": torch.zeros(40, 24),
        "model.decoder.embed_positions.weight": torch.zeros(40, 24),
    }


def without_shared_name(state: State) -> State:
    return {name.replace("model.shared", "model.decoder.embed_tokens"): tensor for name, tensor in state.items()}


def as_openai_published_it(state: State) -> State:
    state = {name.removeprefix("transformer."): tensor for name, tensor in state.items()}
    return state | {f"h.{layer}.attn.bias": torch.ones(1, 1, 40, 40).tril() for layer in range(3)}


def with_head_and_masks(state: State) -> State:
    masks = {f"transformer.h.{layer}.attn.masked_bias": torch.tensor(-1e4) for layer in range(3)}
    return state | masks | {"lm_head.weight": state["transformer.wte.weight"]}


def with_frequencies(state: State) -> State:
    return state | {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": torch.zeros(4) for layer in range(3)}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bert", gamma_and_beta),
        ("bert", with_bert_aliases),
        ("bert", with_a_classifier),
        ("distilbert", lambda state: state | {"vocab_projector.weight": state["distilbert.embeddings.word_embeddings.weight"]}),
        ("roberta", lambda state: state | {"lm_head.decoder.bias": state["lm_head.bias"], "roberta.pooler.dense.bias": torch.zeros(24)}),
        ("marian", with_marian_aliases),
        ("marian", without_shared_name),
        ("gpt2", as_openai_published_it),
        ("gpt2", with_head_and_masks),
        ("llama", with_frequencies),
    ],
)
def test_other_names_are_the_same_network(name: str, change: Callable[[State], State], tmp_path: Path) -> None:
    PEERS[name].make().save_pretrained(tmp_path)
    plain = load(tmp_path)
    rewrite(tmp_path, change)
    same(load(tmp_path), plain)


@pytest.mark.parametrize("name", ["bert without heads", "distilbert sinusoidal", "bert"])
def test_names_without_the_prefix_are_the_same_network(name: str, tmp_path: Path) -> None:
    PEERS[name].make().save_pretrained(tmp_path)
    plain = load(tmp_path)
    rewrite(tmp_path, lambda state: {key.removeprefix("bert.").removeprefix("distilbert."): tensor for key, tensor in state.items()})
    same(load(tmp_path), plain)
    rewrite(tmp_path, lambda state: {key if key.startswith("cls.") else f"distil.{key}": tensor for key, tensor in state.items()})
    with pytest.raises(Problem, match="unknown names"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["bert", "llama", "marian"])
def test_shards_and_pickles_are_the_same_network(name: str, tmp_path: Path) -> None:
    model = PEERS[name].make()
    model.save_pretrained(tmp_path / "one")
    model.save_pretrained(tmp_path / "many", max_shard_size="10KB")
    assert len(list((tmp_path / "many").glob("*.safetensors"))) > 2
    plain = load(tmp_path / "one")
    same(load(tmp_path / "many"), plain)
    for zipped in (True, False):  # a pickle holds every alias
        torch.save(model.state_dict(), tmp_path / "one" / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
        (tmp_path / "one" / "model.safetensors").unlink(missing_ok=True)
        same(load(tmp_path / "one"), plain)


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("bert", lambda state: state | {"bert.encoder.layer.0.extra": torch.zeros(1)}, "unknown names"),
        ("bert", lambda state: state | {"cls.predictions.decoder.weight": torch.zeros(VOCABULARY, 24)}, "should be one tensor"),
        ("gpt2", lambda state: {key: value for key, value in state.items() if key != "transformer.ln_f.bias"}, "idle rules"),
        ("llama", lambda state: {key: value for key, value in state.items() if "layers.2" not in key}, "never filled"),
        ("marian", lambda state: state | {"model.shared.weight": torch.zeros(VOCABULARY, 23)}, "wrong shape"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(name: str, change: Callable[[State], State], what: str, tmp_path: Path) -> None:
    PEERS[name].make().save_pretrained(tmp_path)
    rewrite(tmp_path, change)
    with pytest.raises(Problem, match=what) as caught:
        load(tmp_path)
    assert caught.value.key == "weights_do_not_fit" and caught.value.values["file"] == "model.safetensors"


def test_a_config_that_promises_more_layers_than_the_file_has_is_refused(tmp_path: Path) -> None:
    PEERS["bert"].make().save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 5}))
    with pytest.raises(Problem, match="never filled"):
        load(tmp_path)
