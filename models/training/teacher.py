"""The larger model that writes or judges texts for a training: its flags, and how it is loaded."""

import argparse
from collections.abc import Callable
from typing import Any

import torch

from models.catalogue import Catalogue
from models.loading import load_card
from models.model import Model


def flags(add: Callable[..., Any], *, does: str) -> None:
    """Who it is, where and in which numbers it computes."""
    add("--model", default="SmolLM2-135M-Instruct", metavar="NAME", help=f"who {does} (default %(default)s)")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to compute (default: the GPU if there is one)")
    add("--precision", choices=["float32", "bfloat16", "int8"], help="numbers of the network (default: float32 on a CPU, else bfloat16)")


def teacher(asked: argparse.Namespace) -> tuple[Model, str]:
    """The model that the flags ask for, and its precision."""
    cuda = asked.device != "cpu" and torch.cuda.is_available()
    precision = asked.precision or ("bfloat16" if cuda else "float32")
    card = Catalogue(allow_hub=True).with_operator([asked.model]).entries()[0]
    return load_card(card, device="cuda" if cuda else "cpu", dtype=precision), precision
