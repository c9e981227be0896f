"""A trained translator as a folder that anyone can load: a Marian as the hub has it, or a student in Marian's own format.

Numbers are in half precision. With `int8` matrices take half of that again, and only this project reads them: a translator of 6 and 3
layers has 32 million numbers without its words, so 16 bits would be too large to ship.
"""

import struct
from collections.abc import Iterable, Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from models.checkpoints.backwards import backwards
from models.checkpoints.marian_files import CONFIG, EMBEDDING, FLOAT32, INT8, INTGEMM8, VERSION
from models.checkpoints.safetensors_files import SCALE
from models.config import ModelConfig
from models.families import marian, student
from models.quantised import LARGEST, quantise_rows
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training.export import LIMIT, halved, write_json, write_weights
from models.training.parallel import Direction
from models.transformer import Transformer

ACTIVATIONS = {"silu": "swish", "gelu_tanh": "gelu_new"}  # what the hub calls ours
ALIGNED = 256  # Marian's blocks of numbers begin at multiples of this


def export_translator(
    network: Transformer,
    tokenizer: SentencePieceTokenizer,
    folder: Path,
    *,
    direction: Direction,
    int8: bool = False,
    limit: int = LIMIT,
) -> None:
    """Write the weights, the vocabulary and what has to be said about them; a folder that holds another model is no place for it.

    ValueError where neither of the two formats can say what the network is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = network.config
    parameters = dict(network.named_parameters())  # tied ones once
    if config.decoder_mixer == "ssru":
        check(config, kind="student", plan=config.activation == "relu" and config.start_id == -1 and config.norm_eps == 1e-9)
        write_tokenizer(folder, tokenizer, languages=direction)
        name = direction.replace("-", "")
        write_marian(folder / f"model.{name}.bin", backwards(student.file_rules(), parameters), student_settings(config), int8=int8)
        return
    spans = config.sinusoid_span == "half" and config.norm_eps == 1e-5
    check(config, kind="Marian", plan=spans and config.start_id == tokenizer.pad_id is not None)
    write_tokenizer(folder, tokenizer, languages=direction)
    write_json(folder / "config.json", hub_config(config, tokenizer))
    tensors = dict(backwards(marian.hub_rules(config), parameters))
    write_weights(folder, dict(eighths(tensors)) if int8 else {name: halved(name, value, torch.float16) for name, value in tensors.items()},
                  limit=limit)  # fmt: skip


def check(config: ModelConfig, *, kind: str, plan: bool) -> None:
    """Post-norm, sinusoids, one table of words for everything, as many key heads as heads."""
    fits = (
        config.architecture == "encoder_decoder" and config.norm == "layer" and not config.norm_first and not config.gated
        and config.positions == "sinusoidal" and not config.embedding_norm and config.share_embeddings and config.tied_output
        and config.kv_heads == config.n_heads and config.head_width * config.n_heads == config.d_model and config.lm_bias and plan
        and config.embedding_scale == sqrt(config.d_model)
    )  # fmt: skip
    if not fits:
        raise ValueError(f"this network cannot be written as a {kind} translator: {config}")


def eighths(tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Matrices as int8 with a scale a row, vectors in half precision."""
    for name, value in tensors.items():
        if value.dim() == 2 and value.shape[0] > 1:
            whole, scale = quantise_rows(value.detach().cpu())
            yield name, whole
            yield f"{name}{SCALE}", scale.float()
        else:
            yield name, halved(name, value, torch.float16)


def hub_config(config: ModelConfig, tokenizer: SentencePieceTokenizer) -> dict[str, Any]:
    """config.json, in the hub's words."""
    both = {
        "layers": (config.n_encoder_layers, config.n_decoder_layers),
        "attention_heads": (config.n_heads, config.n_heads),
        "ffn_dim": (config.d_ff, config.d_ff),
        "layerdrop": (0.0, 0.0),
    }
    return {
        "architectures": ["MarianMTModel"],
        "model_type": "marian",
        "is_encoder_decoder": True,
        "vocab_size": config.vocab_size,
        "decoder_vocab_size": config.vocab_size,
        "d_model": config.d_model,
        **{f"{stack}_{name}": value for name, values in both.items() for stack, value in zip(("encoder", "decoder"), values)},
        "num_hidden_layers": config.n_encoder_layers,
        "activation_function": ACTIVATIONS.get(config.activation, config.activation),
        "max_position_embeddings": config.max_positions,
        "static_position_embeddings": True,
        "scale_embedding": True,
        "normalize_before": False,
        "normalize_embedding": False,
        "add_final_layer_norm": False,
        "share_encoder_decoder_embeddings": True,
        "tie_word_embeddings": True,
        "pad_token_id": tokenizer.pad_id,
        "eos_token_id": tokenizer.eos_id,
        "decoder_start_token_id": config.start_id,
        "bad_words_ids": [[index] for index in config.never_ids],
        "num_beams": 1,
        "max_length": config.max_positions,
        "dropout": 0.1,
        "dtype": "float16",
    }


def write_tokenizer(folder: Path, tokenizer: SentencePieceTokenizer, *, languages: Direction) -> None:
    """The SentencePiece files: two with a list of ids, or where ids are those of the file, as a student's are, that file alone."""
    folder.mkdir(parents=True, exist_ok=True)
    source, target = tokenizer.source.serialized_model_proto(), tokenizer.target.serialized_model_proto()
    if tokenizer.pad_id is None:
        (folder / f"vocab.{languages.replace('-', '')}.spm").write_bytes(source)
        return
    (folder / "source.spm").write_bytes(source)
    (folder / "target.spm").write_bytes(target)
    write_json(folder / "vocab.json", dict(tokenizer.vocabulary))
    names = {"eos_token": tokenizer.eos_id, "unk_token": tokenizer.unk_id, "pad_token": tokenizer.pad_id}
    about = {role: tokenizer.pieces[index] for role, index in names.items()}
    about |= dict(zip(("source_lang", "target_lang"), languages.split("-")))
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "MarianTokenizer", "separate_vocabs": False, "sp_model_kwargs": {}, "model_max_length": 512} | about,
    )


def student_settings(config: ModelConfig) -> dict[str, Any]:
    """What a student's file says about itself, in Marian's words."""
    return {name: values[0] for name, values in student.PLAN.items()} | {
        "dim-vocabs": [config.vocab_size, config.vocab_size],
        "dim-emb": config.d_model,
        "transformer-heads": config.n_heads,
        "transformer-dim-ffn": config.d_ff,
        "transformer-ffn-activation": config.activation,
        "enc-depth": config.n_encoder_layers,
        "dec-depth": config.n_decoder_layers,
    }


def write_marian(path: Path, tensors: Iterable[tuple[str, Tensor]], settings: dict[str, Any], *, int8: bool) -> None:
    """Marian's binary format: headers, names, shapes, then the numbers; matrices of int8 have one multiplier, behind them."""
    text = yaml.safe_dump(settings).encode() + b"\0"
    blocks = [(CONFIG, INT8, (len(text),), text)]
    for name, value in tensors:
        value = value.detach().cpu().float()
        if int8 and value.dim() == 2 and min(value.shape) > 1:
            step = LARGEST / value.abs().max()
            # Other matrices than the word table are stored as a layer multiplies with them, whatever the shape says.
            whole = ((value if name == EMBEDDING else value.t()) * step).round().to(torch.int8).contiguous()
            blocks.append((name, INTGEMM8, tuple(value.shape), whole.numpy().tobytes() + struct.pack("<f", step)))
        else:
            blocks.append((name, FLOAT32, tuple(value.shape), value.contiguous().numpy().tobytes()))
    blocks = [(name, kind, shape, data + b"\0" * (-len(data) % ALIGNED)) for name, kind, shape, data in blocks]
    names = [name.encode() + b"\0" for name, *_ in blocks]
    head = struct.pack("<QQ", VERSION, len(blocks))
    head += b"".join(struct.pack("<4Q", len(name), kind, len(shape), len(data)) for name, (_, kind, shape, data) in zip(names, blocks))
    head += b"".join(names) + b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in blocks)
    pad = -(len(head) + 8) % ALIGNED
    path.write_bytes(head + struct.pack("<Q", pad) + b"\0" * pad + b"".join(data for *_, data in blocks))
