"""The flags of a translator's training, each explained, with what `--tiny` means."""

import argparse
from collections.abc import Sequence
from typing import Any

from models.training.flags import how, parse, reading, where
from models.training.reverse import LAYERS
from models.training.sequence import SMOOTHING

# Small enough for a minute on a CPU, large enough that something is learnt.
TINY: dict[str, Any] = {
    "start": "fresh", "steps": 180, "tokens": 768, "length": 40, "layers": 2, "decoder_layers": 1, "width": 64, "heads": 4,
    "vocabulary": 200, "lr": 4e-3, "warmup": 40, "dropout": 0.0, "log_seconds": 2.0, "evaluate_pairs": 64, "translate_pairs": 64,
}  # fmt: skip
STARTS = ("reversed", "fresh", "student")
SHAPES = {  # of a network that begins from chance: as OPUS-MT, and as the students of Firefox
    "fresh": {"layers": 6, "decoder_layers": 3, "width": 512, "heads": 8, "inner": 2048},
    "student": {"layers": 6, "decoder_layers": 2, "width": 256, "heads": 8, "inner": 1536},
}


def options(description: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the flags; those that are given go before what `--tiny` and the shape of `--start` set."""
    asked = parse("translation", description, arguments, groups=(what, shape, how, where_too), tiny=TINY)
    for name, value in SHAPES.get(asked.start, {}).items():
        if getattr(asked, name) is None:
            setattr(asked, name, 4 * asked.width if name == "inner" and asked.tiny else value)
    return asked


def what(parser: argparse.ArgumentParser) -> None:
    """Model and data."""
    add = parser.add_argument_group("what to train, and on what").add_argument
    reading(add, text="parallel text (.tsv or .tsv.xz, a line is english<TAB>chinese)", unit="pairs")
    add("--direction", choices=["en-zh", "zh-en"], default="en-zh", help="from which language into which (default %(default)s)")
    add("--start", default="reversed", metavar="HOW", help="reversed: --base turned round; fresh: from chance; student: from chance, "
        "with a light decoder without self-attention; or a translation model to go on with, its name or folder "
        "(default %(default)s)")  # fmt: skip
    add("--base", default="opus-mt-zh-en", metavar="NAME", help="with --start reversed: the model of the other direction, a name of "
        "the catalogue, a folder or a hub id (default %(default)s)")  # fmt: skip
    add("--keep-layers", type=int, nargs="+", default=list(LAYERS), metavar="L", help="with --start reversed: decoder layers to go on "
        f"with, counted from 0 (default {' '.join(map(str, LAYERS))})")  # fmt: skip
    add("--vocabulary", type=int, default=24000, metavar="N", help="pieces for both languages together: learnt from the text, or with "
        "--start reversed the most used ones of --base, and all single characters (default %(default)s)")  # fmt: skip
    add("--length", type=int, default=128, help="pairs with more tokens on a side are left out (default %(default)s)")
    add("--smoothing", type=float, default=SMOOTHING, metavar="SHARE", help="of what is asked for, so much goes to all words alike "
        "(default %(default)s)")  # fmt: skip


def shape(parser: argparse.ArgumentParser) -> None:
    """Size of a network that begins from chance."""
    add = parser.add_argument_group("with --start fresh or student: the size of the network").add_argument
    add("--layers", type=int, help="layers of the encoder (default 6)")
    add("--decoder-layers", type=int, help="layers of the decoder (default 3; student: 2)")
    add("--width", type=int, help="features of a word (default 512; student: 256)")
    add("--heads", type=int, help="attention heads (default 8)")
    add("--inner", type=int, help="features inside a layer's feed-forward part (default 2048; student: 1536)")


def where_too(parser: argparse.ArgumentParser) -> None:
    """Machine and reports, as for all trainings, and what the end of this one measures."""
    where(parser)
    parser.set_defaults(dropout=0.1, evaluate_pairs=1000)
    add = parser.add_argument_group("at the end").add_argument
    add("--translate-pairs", type=int, default=500, metavar="N", help="translate so many sentences of --valid, for BLEU and chrF (default "
        "%(default)s)")  # fmt: skip
    add("--curve-pairs", type=int, default=0, metavar="N", help="translate so many at every measurement too, for a curve of BLEU (default "
        "%(default)s)")  # fmt: skip
    add("--int8", action="store_true", help="write matrices in 8 bits with a scale a row: half the size of 16 bits, read by this project "
        "alone")  # fmt: skip
