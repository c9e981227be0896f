"""Measure a BERT: python -m models.training.evaluate --model NAME

On running text (give a file) and on what lies in `assets/`: short texts and clozes that no model was trained on. The numbers are the same
wherever and how often it is run, since the same words are hidden each time.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from models.catalogue import Catalogue
from models.loading import load_card
from models.model import Model
from models.sources.assets import ROOT
from models.training import measure
from models.training.card import METRICS, ROWS, write_card
from models.training.export import write_json
from models.training.texts import pair_source

SHORT_TEXTS = ROOT / "short_texts_en.txt"
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
    with tempfile.TemporaryDirectory() as scratch:
        found = numbers(model, asked, asked.cache or Path(scratch))
    command = f"python -m models.training.evaluate --model {model.name}"
    found["command"] = command + (f" --text {shlex.quote(label(asked.text))}" if asked.text else "")
    if asked.write:
        write_json(asked.write / METRICS, found)
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
    clozes = measure.read_clozes()
    said = measure.fill(network, model.tokenizer, clozes, device)
    each = [
        {"text": cloze.text, "answers": list(cloze.answers), "guesses": list(words), "right": any(word in cloze.answers for word in words)}
        for cloze, words in zip(clozes, said)
    ]
    return {"model": model.name, "texts": measured, "clozes": measure.cloze_quality(clozes, said) | {"each": each}}


def label(path: Path) -> str:
    """A text's name with that of its folder, and nothing else of the machine."""
    return f"{path.resolve().parent.name}/{path.name}"


def report(name: str, found: dict[str, Any]) -> str:
    """A table for the terminal."""
    lines = [name]
    for block in [*found["texts"], {"name": "clozes"} | found["clozes"]]:
        lines.append(f"\n{block['name']}")
        lines += [f"  {label:<55}{form.format(block[key]):>9}" for key, (label, form) in ROWS.items() if key in block]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
