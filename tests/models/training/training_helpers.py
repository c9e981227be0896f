"""What several of these tests need: a small text, its words, and a tiny network."""

import random
from pathlib import Path

from models.config import ModelConfig
from models.tokenizers.fast import FastTokenizer
from models.training.corpus import read_documents
from models.training.pair_batches import PairSource
from models.training.start import fresh
from models.training.texts import pair_source
from models.training.tiny import story, write_stories
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
