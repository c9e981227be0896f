"""What several of these tests need: a small text, its words, and a tiny network."""

import random
from functools import cache
from pathlib import Path

import torch

from models.config import ModelConfig
from models.tokenizers.fast import FastTokenizer
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training.corpus import read_documents
from models.training.pair_batches import PairSource
from models.training.parallel import Pair, Parallel, tokenise, write_pairs
from models.training.pieces import PAD, learn_pieces, processor
from models.training.start import fresh
from models.training.texts import pair_source
from models.training.tiny import pair, story, write_stories
from models.training.vocabulary import learn_vocabulary
from models.transformer import Transformer


def small_tokenizer() -> FastTokenizer:
    return learn_vocabulary(stories, size=250)


def stories() -> list[str]:
    rng = random.Random(3)
    return [story(rng) for _ in range(200)]


def small_source(folder: Path, *, count: int = 120, **options: object) -> PairSource:
    text = write_stories(folder / "stories.txt", count=count, seed=4)
    assert sum(1 for _ in read_documents(text)) == count
    return pair_source(small_tokenizer(), [(text, 1.0)], cache=folder / "cache", **{"length": 40} | options)


def small_network(tokenizer: FastTokenizer, **changes: object) -> Transformer:
    numbers = {
        "vocab_size": tokenizer.vocab_size, "d_model": 32, "n_heads": 4, "d_ff": 64, "n_encoder_layers": 2, "max_positions": 64,
        "n_segments": 2, "embedding_norm": True, "mlm_head": True, "nsp_head": True,
    }  # fmt: skip
    return fresh(ModelConfig(**numbers | changes))


@cache
def some_pairs(count: int = 300) -> tuple[Pair, ...]:
    """Pairs of the made-up language."""
    rng = random.Random(7)
    return tuple(dict.fromkeys(Pair(*pair(rng)) for _ in range(2 * count)))[:count]


@cache
def pieces_of_pairs() -> bytes:
    return learn_pieces([text for one in some_pairs() for text in one], size=160)


def translator_tokenizer(*, student: bool = False) -> SentencePieceTokenizer:
    cutter = processor(pieces_of_pairs())
    ids = {cutter.id_to_piece(index): index for index in range(cutter.vocab_size())}
    if student:
        return SentencePieceTokenizer(cutter, cutter, vocabulary=ids)
    return SentencePieceTokenizer(cutter, cutter, vocabulary=ids | {PAD: len(ids)}, pad=PAD)


def small_translator(tokenizer: SentencePieceTokenizer, **changes: object) -> Transformer:
    """A Marian of a few thousand numbers, none of which is 0 or 1, so that a forgotten one shows."""
    numbers = {
        "vocab_size": tokenizer.vocab_size, "d_model": 16, "n_heads": 2, "d_ff": 24, "n_encoder_layers": 2, "n_decoder_layers": 3,
        "max_positions": 64, "norm_eps": 1e-5, "activation": "silu", "positions": "sinusoidal", "embedding_scale": 4.0,
        "start_id": tokenizer.pad_id, "end_ids": (tokenizer.eos_id,), "never_ids": (tokenizer.pad_id,), "alignment_heads": ((2, 0),),
        "lm_head": True, "lm_bias": True,
    }  # fmt: skip
    student = {
        "norm_eps": 1e-9, "activation": "relu", "sinusoid_span": "half_minus_one", "decoder_mixer": "ssru", "start_id": -1,
        "never_ids": (tokenizer.unk_id,), "max_positions": 512,
    }  # fmt: skip
    network = fresh(ModelConfig(**numbers | (student if tokenizer.pad_id is None else {}) | changes), spread=None)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
            parameter.copy_(parameter.half())
    return network.eval()


def pairs_as_ids(tokenizer: SentencePieceTokenizer, folder: Path, *, weight: float = 1.0, length: int = 60) -> Parallel:
    path = write_pairs(folder / "pairs.tsv", some_pairs())
    return tokenise(tokenizer, [(path, weight)], direction="en-zh", length=length)
