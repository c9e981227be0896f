"""A trained BERT as a folder that anyone can load: the names and files that the hub's libraries expect, numbers in half precision.

A translator is such a folder when its training ends (see `export_translator.py`); here it only gets its card. Of several folders, which
are stages of one training, the mean of the weights is written ("model soup", Wortsman et al. 2022).

python -m models.training.export --model OUT/model --to assets/NAME --log OUT/log.jsonl --card card.json
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoints.safetensors_files import SCALE
from models.config import ModelConfig
from models.loading import load
from models.tokenizers.fast import FastTokenizer
from models.training.card import FACTS, write_card
from models.training.journal import read_log
from models.transformer import Transformer

LIMIT = 50_000_000  # bytes of a file, so that a repository can hold it

EMBEDDINGS = {
    "embeddings.words.weight": "bert.embeddings.word_embeddings.weight",
    "embeddings.positions.weight": "bert.embeddings.position_embeddings.weight",
    "embeddings.segments.weight": "bert.embeddings.token_type_embeddings.weight",
    "heads.mlm.bias": "cls.predictions.bias",
}
MODULES = {
    "embeddings.norm": "bert.embeddings.LayerNorm",
    "heads.mlm.transform": "cls.predictions.transform.dense",
    "heads.mlm.norm": "cls.predictions.transform.LayerNorm",
    "heads.nsp.pooler": "bert.pooler.dense",
    "heads.nsp.output": "cls.seq_relationship",
}
IN_LAYER = {
    "self_attention.out": "attention.output.dense",
    "self_norm": "attention.output.LayerNorm",
    "feedforward.up": "intermediate.dense",
    "feedforward.down": "output.dense",
    "feedforward_norm": "output.LayerNorm",
}


def export(network: Transformer, tokenizer: FastTokenizer, folder: Path, *, dtype: torch.dtype = torch.float16, limit: int = LIMIT) -> None:
    """Write config.json, tokenizer.json, tokenizer_config.json and the weights, in several files where one would be larger than `limit`.

    ValueError where the network is no BERT with both heads, or where numbers do not fit half precision.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: halved(name, value, dtype) for name, value in hub_tensors(network)}
    write_json(folder / "config.json", hub_config(network.config, tokenizer, dtype))
    tokenizer.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(folder / "tokenizer_config.json", tokenizer_config(network.config, tokenizer))
    write_weights(folder, tensors, limit=limit)


def write_weights(folder: Path, tensors: dict[str, Tensor], *, limit: int = LIMIT) -> None:
    """model.safetensors, or several files with an index; weights that lie there are replaced."""
    for old in folder.glob("model*.safetensors*"):
        old.unlink()
    files = split_up(tensors, limit)
    names = ["model.safetensors"] if len(files) == 1 else [f"model-{i + 1:05}-of-{len(files):05}.safetensors" for i in range(len(files))]
    for name, part in zip(names, files):
        save_file(part, folder / f".{name}", {"format": "pt"})
        (folder / f".{name}").chmod(0o644)  # the library lets nobody but the owner read it
        os.replace(folder / f".{name}", folder / name)
    if len(files) > 1:
        where = {tensor: name for name, part in zip(names, files) for tensor in part if not tensor.endswith(SCALE)}
        size = sum(value.nbytes for value in tensors.values())
        write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": where})


def hub_tensors(network: Transformer) -> Iterator[tuple[str, Tensor]]:
    """The weights under the names of transformers' BertForPreTraining; the tied output matrix once."""
    check(network.config)
    for name, value in network.state_dict().items():
        owner, _, part = name.rpartition(".")
        if name in EMBEDDINGS:
            yield EMBEDDINGS[name], value
        elif owner in MODULES:
            yield f"{MODULES[owner]}.{part}", value
        elif name.startswith("encoder.layers."):
            layer, _, inner = owner.removeprefix("encoder.layers.").partition(".")
            if inner == "self_attention.qkv":
                for letter, matrix in zip(("query", "key", "value"), value.chunk(3)):
                    yield f"bert.encoder.layer.{layer}.attention.self.{letter}.{part}", matrix
            else:
                yield f"bert.encoder.layer.{layer}.{IN_LAYER[inner]}.{part}", value
        elif name != "heads.mlm.output.weight":
            raise ValueError(f"{name} has no place in a BERT")


def check(config: ModelConfig) -> None:
    """A BERT with both heads is: encoder only, post-norm, learned positions, token types, tied output, as many key heads as heads."""
    bert = (
        config.architecture == "encoder" and config.norm == "layer" and not config.norm_first and not config.gated
        and config.positions == "learned" and config.position_offset == 0 and config.embedding_norm and config.n_segments > 0
        and config.tied_output and config.kv_heads == config.n_heads and config.head_width * config.n_heads == config.d_model
        and config.mlm_head and config.nsp_head
    )  # fmt: skip
    if not bert:
        raise ValueError(f"only a BERT with both heads can be written as one, got {config}")


def halved(name: str, value: Tensor, dtype: torch.dtype) -> Tensor:
    result = value.detach().to("cpu", dtype).contiguous().clone()
    if not torch.isfinite(result).all():
        raise ValueError(f"{name} holds numbers that {dtype} cannot write")
    return result


def split_up(tensors: dict[str, Tensor], limit: int) -> list[dict[str, Tensor]]:
    """Tensors in files of at most `limit` bytes; one that is larger has a file of its own."""
    room = limit - 200 * len(tensors) - 1024  # names and shapes stand in front of the numbers
    files: list[dict[str, Tensor]] = [{}]
    used = 0
    for _, names in groupby(tensors, lambda name: name.removesuffix(SCALE)):  # the scales of an 8-bit matrix stay beside it
        part = {name: tensors[name] for name in names}
        size = sum(value.nbytes for value in part.values())
        if files[-1] and used + size > room:
            files.append({})
            used = 0
        files[-1] |= part
        used += size
    return files


def hub_config(config: ModelConfig, tokenizer: FastTokenizer, dtype: torch.dtype) -> dict[str, Any]:
    """config.json, in the hub's words."""
    return {
        "architectures": ["BertForPreTraining"],
        "model_type": "bert",
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "num_hidden_layers": config.n_encoder_layers,
        "num_attention_heads": config.n_heads,
        "intermediate_size": config.d_ff,
        "hidden_act": {"gelu_tanh": "gelu_new"}.get(config.activation, config.activation),
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": config.max_positions,
        "type_vocab_size": config.n_segments,
        "initializer_range": 0.02,
        "layer_norm_eps": config.norm_eps,
        "pad_token_id": tokenizer.pad_id,
        "position_embedding_type": "absolute",
        "tie_word_embeddings": True,
        "dtype": str(dtype).removeprefix("torch."),
    }


def tokenizer_config(config: ModelConfig, tokenizer: FastTokenizer) -> dict[str, Any]:
    """tokenizer_config.json: which special token plays which role."""
    normalizer = tokenizer.tokenizer.normalizer
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": bool(getattr(normalizer, "lowercase", True)),
        "model_max_length": config.max_positions,
        **{role: token for role, token in named.items() if tokenizer.tokenizer.token_to_id(token) is not None},
    }


@torch.no_grad()
def blend(networks: Sequence[Transformer], shares: Sequence[float] | None = None) -> None:
    """Give the first network the mean of all, each with its share; heads that not all have stay as they are in the first.

    ValueError where they are not of one shape, or the shares are not one for each, together 1.
    """
    shares = shares or [1 / len(networks)] * len(networks)
    if len(shares) != len(networks) or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"{len(networks)} models need as many shares, which are 1 together, got {[*shares]}")
    first, *others = ({name: value.shape for name, value in one.named_parameters() if not name.startswith("heads.")} for one in networks)
    if any(first != other for other in others):
        raise ValueError("only models of one shape have a mean")
    known = [dict(one.named_parameters()) for one in networks]
    for name, value in known[0].items():
        if all(name in one for one in known):
            value.copy_(sum(share * one[name].double() for share, one in zip(shares, known)))


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the folder of a model that ships: weights, tokenizer, log and card."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", nargs="+", required=True, metavar="FOLDER", help="a BERT with both heads (config.json, tokenizer.json and weights), or "
        "several whose mean is taken, also without heads, or a translator, whose files stay as they are")  # fmt: skip
    add("--shares", type=float, nargs="+", metavar="SHARE", help="of several models, how much each counts (default: all the same)")
    add("--weights", type=Path, metavar="FILE", help="take the weights from this file instead of those in the folder of --model")
    add("--to", type=Path, required=True, metavar="FOLDER", help="where it goes; weights and tokenizer that are there are replaced")
    add("--log", type=Path, metavar="FILE", help="the log of the training, which becomes log.jsonl")
    add("--card", type=Path, metavar="FILE", help="what the model card says, as JSON; steps, tokens and minutes are added from the log")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder, *others = asked.model
        if asked.weights:
            folder = Path(scratch)
            for file in Path(asked.model[0]).iterdir():
                if file.suffix in {".json", ".txt"} and ".index." not in file.name:
                    shutil.copy(file, folder)
            (folder / "model.safetensors").symlink_to(asked.weights.resolve())
        model = load(folder)
        if "translate" in model.tasks:
            if others:
                raise ValueError(f"the files of {folder} stay as they are, so no mean with others can be taken")
            shutil.copytree(folder, asked.to, dirs_exist_ok=True)
        else:
            blend([model.network, *(load(other).network for other in others)], asked.shares)
            export(model.network, model.tokenizer, asked.to)
    rows = read_log(asked.log) if asked.log else []
    if asked.log:
        shutil.copyfile(asked.log, asked.to / "log.jsonl")
    if asked.card:
        facts = json.loads(asked.card.read_text(encoding="utf-8"))
        if rows:
            last = rows[-1]
            facts = {"steps": last["step"], "tokens": last["tokens"], "minutes": round(last["seconds"] / 60)} | facts
        write_json(asked.to / FACTS, facts)
        write_card(asked.to)


if __name__ == "__main__":
    main()
