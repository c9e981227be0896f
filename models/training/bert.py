"""Train a BERT on running text: masked words and next sentences.

  python -m models.training.bert --tiny --out /tmp/bert
  python -m models.training.bert --init all-MiniLM-L6-v2 --train wiki.txt.xz books.txt.xz@2 --valid valid.txt.xz --out OUT --minutes 60
  accelerate launch -m models.training.bert ...                     (several GPUs or machines: the same flags, the same training)
  python -m torch.distributed.run --nproc_per_node 2 -m models.training.bert --device cpu --batches 2 ...    (processes on CPUs)

Stop it when you like: the same command goes on where it stopped. OUT/model holds the result, OUT/log.jsonl its history.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from tokenizers import Tokenizer

from models.catalogue import Catalogue
from models.config import ModelConfig
from models.loading import load_card
from models.tokenizers.fast import FastTokenizer
from models.training import checkpoint, measure, outcome, snapshots
from models.training.bert_flags import options
from models.training.corpus import read_documents
from models.training.dropout import add_dropout
from models.training.export import export
from models.training.flags import settings
from models.training.loop import Result, Trainer, accelerator
from models.training.opinion_batches import Opinions
from models.training.pair_batches import PairBatch
from models.training.pretraining import Pretraining
from models.training.start import expect, fresh, with_heads
from models.training.stream import Stream
from models.training.texts import pair_source, weighted
from models.training.tiny import write_stories
from models.training.vocabulary import learn_vocabulary, wrap
from models.transformer import Transformer

VOCABULARY_DOCUMENTS = 20_000  # of each file, from which word pieces are learnt


def main(arguments: Sequence[str] | None = None) -> Result:
    """Train as the flags say, export the result, show what came out."""
    asked = options(__doc__, arguments)
    if asked.tiny:
        torch.set_num_threads(1)  # products this small are computed before a second thread is awake
    machine = accelerator(device=asked.device, precision=asked.precision)
    with machine.main_process_first():  # which fetches, learns and writes what the others then find
        make_ready(asked, first=machine.is_main_process)
        network, tokenizer, new_head = begin(asked)
    cache = asked.cache or asked.out / "tokens"
    chosen = {"cache": cache, "length": asked.length, "limit": asked.limit}
    with machine.local_main_process_first():
        texts = [weighted(name) for name in asked.train]
        asking = {"same_document": asked.same_document, "whole_words": asked.whole_words, "share": asked.hide}
        opinions = Opinions(asked.opinions, tokenizer, tokens=asked.opinion_tokens) if asked.opinions else None
        source = replace(pair_source(tokenizer, texts, **chosen, **asking), opinions=opinions)
        batches: list[list[PairBatch]] = []
        if asked.valid and machine.is_main_process:
            held = pair_source(tokenizer, [(asked.valid, 1.0)], **chosen)
            batches = [measure.held_out(held, pairs=asked.evaluate_pairs, harder=harder) for harder in (False, True)]
    if new_head:
        expect(network, source.corpus.frequencies(tokenizer.vocab_size))
    add_dropout(network, asked.dropout)
    trainer = Trainer(
        Pretraining(network),
        Stream(
            source, tokens=asked.tokens, batches=asked.batches, seed=asked.seed, rank=machine.process_index, world=machine.num_processes
        ),
        settings(asked),
        folder=asked.out,
        accelerator=machine,
        identity=identity(asked, network),
        evaluate=(lambda: measure.quality(network, *batches, machine.device)) if batches else None,
        judge="mlm_loss",
    )
    result = trainer.run()
    if machine.is_main_process:
        with trainer.average.in_place() if trainer.average else nullcontext():
            export(network, tokenizer, asked.out / "model")
        outcome.tell(asked.out, result, machine)
    machine.end_training()
    return result


def make_ready(asked: argparse.Namespace, *, first: bool) -> None:
    """The folder, and for `--tiny` something to read; only the `first` process changes anything on the disk."""
    if first:
        asked.out.mkdir(parents=True, exist_ok=True)
        if asked.fresh:
            for name in (checkpoint.FILE, "log.jsonl", "tokenizer.json"):
                (asked.out / name).unlink(missing_ok=True)
            snapshots.clear(asked.out)
    if asked.tiny and not asked.train:
        files = {"stories.txt": (1500, 1), "stories.valid.txt": (150, 2)}
        for name, (count, seed) in files.items():
            if first:
                write_stories(asked.out / name, count=count, seed=seed)
        asked.train = [str(asked.out / "stories.txt")]
        asked.valid = asked.valid or asked.out / "stories.valid.txt"


def begin(asked: argparse.Namespace) -> tuple[Transformer, FastTokenizer, bool]:
    """The network that learns and its tokenizer: those of `--init`, or new ones; and whether its head for words knows nothing yet."""
    if asked.init:
        model = load_card(Catalogue(allow_hub=True).with_operator([asked.init]).entries()[0])
        if model.family != "bert":
            raise ValueError(f"{asked.init} is of the family {model.family}; this trains BERTs")
        return with_heads(model.network, seed=asked.seed), model.tokenizer, "mlm" not in model.network.heads
    file = asked.out / "tokenizer.json"
    if not file.exists():
        learn_vocabulary(lambda: paragraphs(asked), size=asked.vocabulary).tokenizer.save(str(file))
    tokenizer = wrap(Tokenizer.from_file(str(file)))
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size,
        d_model=asked.width,
        n_heads=asked.heads,
        d_ff=4 * asked.width,
        n_encoder_layers=asked.layers,
        max_positions=max(512, asked.length),
        n_segments=2,
        embedding_norm=True,
        mlm_head=True,
        nsp_head=True,
    )
    return fresh(config, seed=asked.seed), tokenizer, True


def paragraphs(asked: argparse.Namespace) -> Iterator[str]:
    """What a vocabulary is learnt from: the beginning of each file."""
    for name in asked.train:
        for document in itertools.islice(read_documents(weighted(name)[0]), asked.limit or VOCABULARY_DOCUMENTS):
            yield from document


def identity(asked: argparse.Namespace, network: Transformer) -> dict[str, Any]:
    """What makes two runs one training: the model, the data and their order. When to stop and how fast to learn may change."""
    names = ("init", "seed", "tokens", "batches", "length", "same_document", "whole_words", "hide", "limit")
    files = [f"{path.name}@{weight:g}" for path, weight in map(weighted, asked.train)]
    opinions = {"opinions": [path.name for path in asked.opinions], "opinion_tokens": asked.opinion_tokens} if asked.opinions else {}
    return {name: getattr(asked, name) for name in names} | {"train": files, "config": str(network.config)} | opinions


if __name__ == "__main__":
    main()
