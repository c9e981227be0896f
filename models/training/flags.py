"""The flags that every training has, each explained; what else there is to say stands beside each entry point."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.training.loop import Settings

Group = Callable[[argparse.ArgumentParser], None]


def parse(
    name: str, description: str, arguments: Sequence[str] | None, *, groups: Sequence[Group], tiny: Mapping[str, Any]
) -> argparse.Namespace:
    """The flags of `python -m models.training.NAME`; those that are given go before what `--tiny` sets."""
    parser = argparse.ArgumentParser(
        prog=f"python -m models.training.{name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for group in groups:
        group(parser)
    if parser.parse_known_args(arguments)[0].tiny:
        parser.set_defaults(**tiny)
    asked = parser.parse_args(arguments)
    if not asked.train and not asked.tiny:
        parser.error("--train is needed: the text to learn from (or --tiny to try it without)")
    if asked.steps is None and asked.minutes is None:
        parser.error("--steps or --minutes is needed: when to stop")
    return asked


def reading(add: Callable[..., Any], *, text: str, unit: str) -> None:
    """What is read and where the result goes, in the words of a training on `text` that comes in `unit`."""
    add("--tiny", action="store_true", help="a small network on a made-up text, in a minute on a CPU; every other flag still counts")
    add("--train", nargs="+", default=[], metavar="FILE[@W]", help=f"{text} to learn from; @2.5 reads it 2.5 times an epoch")
    add("--valid", type=Path, metavar="FILE", help=f"{text} to measure on during the training; without it nothing is measured")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the model, its log and the checkpoint go")
    add("--limit", type=int, metavar="N", help=f"read only the first N {unit} of each file")


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
        "--keep",
        type=int,
        default=0,
        metavar="K",
        help="keep the weights of the last K checkpoints, and export their mean where it measures better (default %(default)s)",
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
    names = ("steps", "minutes", "lr", "new_lr", "warmup", "decay", "weight_decay", "clip", "average", "keep", "seed", "workers",
             "log_seconds", "save_minutes", "evaluate_minutes")  # fmt: skip
    return Settings(**{name: getattr(asked, name) for name in names}, bar=not asked.quiet)
