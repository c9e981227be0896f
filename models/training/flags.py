"""The flags of a training, each explained, with what `--tiny` means."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.training.loop import Settings
from models.training.masked_words import SHARE

# Small enough for a minute on a CPU, large enough that something is learnt.
TINY: dict[str, Any] = {
    "steps": 300, "tokens": 1024, "length": 40, "layers": 2, "width": 64, "heads": 4, "vocabulary": 300, "lr": 3e-3, "warmup": 20,
    "log_seconds": 2.0, "evaluate_pairs": 128,
}  # fmt: skip


def options(description: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the flags; those that are given go before what `--tiny` sets."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.bert", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for group in (what, how, where):
        group(parser)
    if parser.parse_known_args(arguments)[0].tiny:
        parser.set_defaults(**TINY)
    asked = parser.parse_args(arguments)
    if not asked.train and not asked.tiny:
        parser.error("--train is needed: the text to learn from (or --tiny to try it without)")
    if asked.steps is None and asked.minutes is None:
        parser.error("--steps or --minutes is needed: when to stop")
    return asked


def what(parser: argparse.ArgumentParser) -> None:
    """Model and data."""
    add = parser.add_argument_group("what to train, and on what").add_argument
    add("--tiny", action="store_true", help="a small network on made-up stories, in a minute on a CPU; every other flag still counts")
    add("--init", metavar="NAME", help="go on from this model (catalogue name, NAME=FOLDER, folder, hub id); without it, begin from chance")
    add("--train", nargs="+", default=[], metavar="FILE[@W]", help="text to learn from, .txt or .txt.xz; @2.5 reads it 2.5 times an epoch")
    add("--valid", type=Path, metavar="FILE", help="text to measure on during the training; without it nothing is measured")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the model, its log and the checkpoint go")
    add(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="where tokenised text is kept (default: OUT/tokens); may be shared by several trainings",
    )
    add("--limit", type=int, metavar="N", help="read only the first N documents of each file")
    add("--length", type=int, default=128, help="tokens of a pair of texts (default %(default)s)")
    add("--same-document", type=float, default=0.0, metavar="SHARE", help="of the texts that do not follow, so many come from the same "
        "document, which is harder to tell (default %(default)s)")  # fmt: skip
    add("--hide", type=float, default=SHARE, metavar="SHARE", help="of the words, so many are to be guessed; a short training learns more "
        "from each text with 0.3 (Wettig et al. 2023), and is measured with 0.15 in any case (default %(default)s)")  # fmt: skip
    add("--whole-words", action="store_true", help="hide all pieces of a word or none")
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


def how(parser: argparse.ArgumentParser) -> None:
    """Optimisation."""
    add = parser.add_argument_group("how to train").add_argument
    add("--minutes", type=float, help="stop after so much time, earlier runs in the same folder included; the rate falls with the time")
    add("--steps", type=int, help="stop after so many steps; with --minutes, whichever comes first")
    add("--tokens", type=int, default=4096, help="padded tokens of a batch, which is what fits into memory at once (default %(default)s)")
    add("--batches", type=int, default=1, help="batches of a step, over all processes; a multiple of their number (default %(default)s)")
    add("--lr", type=float, default=4e-4, help="highest learning rate (default %(default)s)")
    add("--new-lr", type=float, default=2.0, metavar="TIMES", help="so many times that rate for the heads (default %(default)s)")
    add("--warmup", type=int, default=100, metavar="STEPS", help="steps in which the rate rises (default %(default)s)")
    add("--decay", choices=["linear", "cosine", "constant"], default="linear", help="how the rate falls (default %(default)s)")
    add("--weight-decay", type=float, default=0.01, help="how much matrices shrink (default %(default)s)")
    add("--clip", type=float, default=1.0, help="longest gradient, as a norm (default %(default)s)")
    add(
        "--average",
        type=float,
        default=0.0,
        metavar="KEEP",
        help="measure and export a running mean of the weights, as 0.999 (default: none)",
    )
    add(
        "--dropout", type=float, default=0.0, metavar="SHARE", help="silence a share of the features; for small texts (default %(default)s)"
    )
    add("--seed", type=int, default=1, help="the same seed gives the same data in the same order (default %(default)s)")
    add("--fresh", action="store_true", help="begin anew in a folder that holds a training already")


def where(parser: argparse.ArgumentParser) -> None:
    """Machine and reports."""
    add = parser.add_argument_group("where, and what to tell").add_argument
    add("--device", choices=["auto", "cpu"], default="auto", help="a GPU if there is one, or the CPU in any case (default %(default)s)")
    add("--precision", choices=["auto", "fp32", "bf16"], default="auto", help="of matrix products; auto: bf16 on CUDA, fp32 elsewhere. A "
        "CPU with bf16 instructions can be twice as fast with bf16 (default %(default)s)")  # fmt: skip
    add("--workers", type=int, help="processes that prepare batches ahead, each some 2 M tokens a second (default: 2 beside a GPU, else 0)")
    add("--log-seconds", type=float, default=30.0, help="a line of log every so often (default %(default)s)")
    add("--save-minutes", type=float, default=5.0, help="a checkpoint every so often (default %(default)s)")
    add("--evaluate-minutes", type=float, default=5.0, help="a measurement every so often (default %(default)s)")
    add("--evaluate-pairs", type=int, default=512, help="pairs of texts that are measured each time (default %(default)s)")
    add("--quiet", action="store_true", help="no progress bar")


def settings(asked: argparse.Namespace) -> Settings:
    """What the loop needs of the flags."""
    names = ("steps", "minutes", "lr", "new_lr", "warmup", "decay", "weight_decay", "clip", "average", "seed", "workers", "log_seconds",
             "save_minutes", "evaluate_minutes")  # fmt: skip
    return Settings(**{name: getattr(asked, name) for name in names}, bar=not asked.quiet)
