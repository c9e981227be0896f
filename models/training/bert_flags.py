"""The flags of a BERT's training, each explained, with what `--tiny` means."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.training.flags import how, parse, reading, where
from models.training.masked_words import SHARE

# Small enough for a minute on a CPU, large enough that something is learnt.
TINY: dict[str, Any] = {
    "steps": 300, "tokens": 1024, "length": 40, "layers": 2, "width": 64, "heads": 4, "vocabulary": 300, "lr": 3e-3, "warmup": 20,
    "log_seconds": 2.0, "evaluate_pairs": 128,
}  # fmt: skip


def options(description: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the flags; those that are given go before what `--tiny` sets."""
    return parse("bert", description, arguments, groups=(what, how, where), tiny=TINY)


def what(parser: argparse.ArgumentParser) -> None:
    """Model and data."""
    add = parser.add_argument_group("what to train, and on what").add_argument
    reading(add, text="running text (.txt or .txt.xz)", unit="documents")
    add("--init", metavar="NAME", help="go on from this model (catalogue name, NAME=FOLDER, folder, hub id); without it, begin from chance")
    add(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="where tokenised text is kept (default: OUT/tokens); may be shared by several trainings",
    )
    add("--length", type=int, default=128, help="tokens of a pair of texts (default %(default)s)")
    add("--same-document", type=float, default=0.0, metavar="SHARE", help="of the texts that do not follow, so many come from the same "
        "document, which is harder to tell (default %(default)s)")  # fmt: skip
    add("--hide", type=float, default=SHARE, metavar="SHARE", help="of the words, so many are to be guessed; a short training learns more "
        "from each text with 0.3 (Wettig et al. 2023), and is measured with 0.15 in any case (default %(default)s)")  # fmt: skip
    add("--whole-words", action="store_true", help="hide all pieces of a word or none")
    add(
        "--opinions",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="what a larger model thinks of texts (models.training.opinions), to be learnt in each step",
    )
    add("--opinion-tokens", type=int, default=2048, metavar="N", help="padded tokens of a batch's opinions (default %(default)s)")
    add("--layers", type=int, default=6, help="without --init: layers (default %(default)s)")
    add("--width", type=int, default=384, help="without --init: features of a word (default %(default)s)")
    add("--heads", type=int, default=12, help="without --init: attention heads (default %(default)s)")
    add(
        "--vocabulary",
        type=int,
        default=30000,
        metavar="N",
        help="without --init: word pieces to learn from the text (default %(default)s)",
    )
