"""Measure a model: python -m models.training.evaluate --model NAME

A BERT is measured on running text (give a file) and on what lies in `assets/`: short texts and clozes that no model was trained on. The
numbers are the same wherever and how often it is run, since the same words are hidden each time.

A translator between English and Chinese is measured on sentences that people translated (give files), and on fifty in `assets/` from which
none learnt: BLEU and chrF of its greedy translations.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import torch

from models.catalogue import Catalogue
from models.loading import load_card
from models.model import Model
from models.sources.assets import ROOT
from models.training import measure, translations
from models.training.card import FACTS, METRICS, rows, write_card
from models.training.export import write_json
from models.training.parallel import Direction, read_pairs
from models.training.texts import label, pair_source

SHORT_TEXTS = ROOT / "short_texts_en.txt"
DIRECTIONS = get_args(Direction)
SHORT_PAIRS = ROOT / "short_pairs_en_zh.tsv"
SHORT_LENGTH = 48  # tokens of a pair of the short texts, so that each gives several


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags; see --help."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.evaluate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--model", required=True, metavar="NAME", help="a model of the catalogue, NAME=FOLDER, a folder, or a hub id")
    add(
        "--text",
        type=Path,
        metavar="FILE",
        help="running text to measure on, as .txt or .txt.xz: documents between blank lines,\na paragraph a line",
    )
    add(
        "--parallel",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="for a translator: sentences in both languages, as .tsv or .tsv.xz:\na line is english<TAB>chinese",
    )
    add("--direction", choices=["en-zh", "zh-en"], help="which way it translates (default: as its card says)")
    add("--sentences", type=int, metavar="N", help="only the first N sentences of each such file (default: all)")
    add("--pairs", type=int, default=2048, help="pairs of texts taken from it (default %(default)s)")
    add("--length", type=int, default=128, help="tokens of a pair (default %(default)s)")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to compute (default: the GPU if there is one)")
    add("--cache", type=Path, metavar="FOLDER", help="keep the tokenised text here for the next time")
    add("--write", type=Path, metavar="FOLDER", help="put the numbers into FOLDER/metrics.json and into its model card")
    add("--tiny", action="store_true", help="64 pairs at most, to see whether it works: seconds on a CPU")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, write where asked, and show a table."""
    asked = options(arguments)
    device = "cuda" if asked.device != "cpu" and torch.cuda.is_available() else "cpu"
    catalogue = Catalogue(allow_hub=True).with_operator([asked.model])
    model = load_card(catalogue.entries()[0], device=device)
    if "translate" in model.tasks:
        return evaluate_translator(model, asked)
    with tempfile.TemporaryDirectory() as scratch:
        found = numbers(model, asked, asked.cache or Path(scratch))
    command = f"python -m models.training.evaluate --model {model.name}"
    found["command"] = command + (f" --text {shlex.quote(label(asked.text))}" if asked.text else "")
    if asked.write:
        write_json(asked.write / METRICS, found)
        write_card(asked.write)
    sys.stdout.write(report(model.name, found))
    return found


def evaluate_translator(model: Model, asked: argparse.Namespace) -> dict[str, Any]:
    """BLEU and chrF on each file, written where asked, and a table."""
    direction = asked.direction or "-".join(model.card.languages)
    if direction not in DIRECTIONS:
        raise ValueError(f"which way does {model.name} translate? Say so with --direction en-zh or --direction zh-en")
    most = 64 if asked.tiny else asked.sentences
    measured = []
    files = asked.parallel or []
    for path in [*files, SHORT_PAIRS]:
        pairs = list(islice(read_pairs(path), most))
        scores, _ = translations.quality(model.network, model.tokenizer, pairs, direction=direction)
        measured.append({"name": label(path), "direction": direction} | scores)
    command = f"python -m models.training.evaluate --model {model.name}"
    command += f" --parallel {' '.join(shlex.quote(label(path)) for path in files)}" if files else ""
    command += f" --direction {direction}" if asked.direction else ""
    found = {"model": model.name, "texts": measured, "command": command + (f" --sentences {most}" if most else "")}
    if asked.write:
        write_json(asked.write / METRICS, found)
        if (asked.write / FACTS).exists():
            write_card(asked.write)
    sys.stdout.write(report(model.name, found))
    return found


def numbers(model: Model, asked: argparse.Namespace, cache: Path) -> dict[str, Any]:
    """Everything that is measured."""
    network, device = measure.of_model(model)
    pairs = min(asked.pairs, 64) if asked.tiny else asked.pairs
    texts = [(asked.text, asked.length, pairs)] if asked.text else []
    measured = []
    for path, length, most in [*texts, (SHORT_TEXTS, SHORT_LENGTH, pairs)]:
        source = pair_source(model.tokenizer, [(path, 1.0)], cache=cache, length=length)
        usual, harder = (measure.held_out(source, pairs=most, harder=flag) for flag in (False, True))
        measured.append({"name": label(path), "length": length} | measure.quality(network, usual, harder, device))
    clozes, obvious = measure.read_clozes(), measure.read_clozes(part="obvious")
    said = measure.fill(network, model.tokenizer, [*clozes, *obvious], device)
    each = [
        {"text": cloze.text, "answers": list(cloze.answers), "guesses": list(words), "right": any(word in cloze.answers for word in words)}
        for cloze, words in zip([*clozes, *obvious], said)
    ]
    counted = measure.cloze_quality(clozes, said[: len(clozes)]) | {"each": each[: len(clozes)]}
    return {"model": model.name, "texts": measured, "clozes": counted, "obvious": each[len(clozes) :]}


def report(name: str, found: dict[str, Any]) -> str:
    """A table for the terminal."""
    lines = [name]
    clozes = [{"name": "clozes"} | found["clozes"]] if "clozes" in found else []
    for block in [*found["texts"], *clozes]:
        lines.append(f"\n{block['name']}")
        lines += rows(block)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
