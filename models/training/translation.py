"""Train a translator on parallel text.

  python -m models.training.translation --tiny --out /tmp/translator
  python -m models.training.translation --start reversed --train pairs.tsv.xz more.tsv.xz@2 --valid valid.tsv.xz --out OUT --minutes 60
  accelerate launch -m models.training.translation ...              (several GPUs or machines: the same flags, the same training)

Stop it when you like: the same command goes on where it stopped. OUT/model holds the result, OUT/log.jsonl its history.
"""

import argparse
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from typing import Any

import torch

from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training import checkpoint, outcome, snapshots, translations
from models.training.begin import FOLDER, network_for, tokenizer_for
from models.training.dropout import add_dropout
from models.training.export import write_json
from models.training.export_translator import export_translator
from models.training.flags import settings
from models.training.loop import Result, Trainer, accelerator
from models.training.parallel import Filter, Pair, Parallel, read_pairs, tokenise, useful
from models.training.sequence import Translating
from models.training.sequence_batches import SequenceBatch, SequenceSource
from models.training.stream import Stream
from models.training.texts import label, weighted
from models.training.tiny import write_translations
from models.training.translation_flags import STARTS, options
from models.transformer import Transformer

MEASURED = 4096  # tokens of a batch that is measured
SEED = 5  # the same pairs are measured whenever this is run


def main(arguments: Sequence[str] | None = None) -> Result:
    """Train as the flags say, export the result, show what came out."""
    asked = options(__doc__, arguments)
    if asked.tiny:
        torch.set_num_threads(1)  # products this small are computed before a second thread is awake
    machine = accelerator(device=asked.device, precision=asked.precision)
    with machine.main_process_first():  # which fetches, learns and writes what the others then find
        make_ready(asked, first=machine.is_main_process)
        tokenizer = tokenizer_for(asked)
        pairs = read(asked, tokenizer, tell=machine.is_main_process)
        network = network_for(asked, tokenizer, said(pairs, tokenizer.vocab_size))
    start, padding = network.config.start_id, tokenizer.pad_id or 0
    measured = held_out(asked, tokenizer, start=start, padding=padding) if asked.valid and machine.is_main_process else []
    add_dropout(network, asked.dropout)
    objective = Translating(network, smoothing=asked.smoothing)

    def evaluate() -> dict[str, float]:
        found = translations.held_out(objective, measured, machine.device)
        return found | translate(asked, network, tokenizer, count=asked.curve_pairs)

    trainer = Trainer(
        objective,
        Stream(
            SequenceSource(pairs=pairs, start_id=start, pad_id=padding),
            tokens=asked.tokens,
            batches=asked.batches,
            seed=asked.seed,
            rank=machine.process_index,
            world=machine.num_processes,
        ),
        settings(asked),
        folder=asked.out,
        accelerator=machine,
        identity=identity(asked, network),
        evaluate=evaluate if measured else None,
        judge="valid_loss",
    )
    result = trainer.run()
    if machine.is_main_process:
        with trainer.average.in_place() if trainer.average else nullcontext():
            export_translator(network, tokenizer, asked.out / "model", direction=asked.direction, int8=asked.int8)
            result = replace(result, metrics=result.metrics | translate(asked, network, tokenizer, count=asked.translate_pairs))
        outcome.tell(asked.out, result, machine)
    machine.end_training()
    return result


def make_ready(asked: argparse.Namespace, *, first: bool) -> None:
    """The folder, and for `--tiny` something to read; only the `first` process changes anything on the disk."""
    if first:
        asked.out.mkdir(parents=True, exist_ok=True)
        if asked.fresh:
            for name in (checkpoint.FILE, "log.jsonl"):
                (asked.out / name).unlink(missing_ok=True)
            snapshots.clear(asked.out)
            shutil.rmtree(asked.out / FOLDER, ignore_errors=True)
    if asked.tiny and not asked.train:
        files = {"pairs.tsv": (2000, 0), "pairs.valid.tsv": (100, 2000)}
        for name, (count, after) in files.items():
            if first:
                write_translations(asked.out / name, count=count, seed=1, after=after)
        asked.train = [str(asked.out / "pairs.tsv")]
        asked.valid = asked.valid or asked.out / "pairs.valid.tsv"


def read(asked: argparse.Namespace, tokenizer: SentencePieceTokenizer, *, tell: bool) -> Parallel:
    """All pairs to learn from, as ids; OUT/data.json says what became of those that were left out."""
    became: dict[str, dict[str, int]] = {}
    pairs = tokenise(
        tokenizer,
        [weighted(name) for name in asked.train],
        direction=asked.direction,
        length=asked.length,
        limit=asked.limit,
        tell=lambda name, told: became.update({name: dict(told)}),
    )
    if tell:
        write_json(asked.out / "data.json", became)
    return pairs


def said(pairs: Parallel, vocabulary: int) -> torch.Tensor:
    """How often each word stands in the targets. -> (V,)"""
    return torch.bincount(torch.from_numpy(pairs.target[0].astype("int64")), minlength=vocabulary)


def held_out(asked: argparse.Namespace, tokenizer: SentencePieceTokenizer, *, start: int, padding: int) -> list[SequenceBatch]:
    """Pairs to measure on."""
    pairs = tokenise(tokenizer, [(asked.valid, 1.0)], direction=asked.direction, length=asked.length, limit=asked.evaluate_pairs)
    source = SequenceSource(pairs=pairs, start_id=start, pad_id=padding)
    return list(Stream(source, tokens=MEASURED, seed=SEED).once())


def translate(asked: argparse.Namespace, network: Transformer, tokenizer: SentencePieceTokenizer, *, count: int) -> dict[str, float]:
    """BLEU and chrF of the beginning of `--valid`; what was said goes to OUT/translations.tsv."""
    if not asked.valid or not count:
        return {}
    pairs: list[Pair] = list(islice(useful(read_pairs(asked.valid), kept=Filter()), count))
    network.eval()
    found, texts = translations.quality(network, tokenizer, pairs, direction=asked.direction)
    rows = [f"{pair.english}\t{pair.chinese}\t{text}\n" for pair, text in zip(pairs, texts)]
    (asked.out / "translations.tsv").write_text("".join(rows), encoding="utf-8")
    return found


def identity(asked: argparse.Namespace, network: Transformer) -> dict[str, Any]:
    """What makes two runs one training: the model, the data and their order. When to stop and how fast to learn may change."""
    names = ("start", "direction", "seed", "tokens", "batches", "length", "limit", "smoothing")
    names += ("base", "keep_layers") if asked.start == STARTS[0] else ()
    files = [f"{label(path)}@{weight:g}" for path, weight in map(weighted, asked.train)]
    return {name: getattr(asked, name) for name in names} | {"train": files, "config": str(network.config)}


if __name__ == "__main__":
    main()
