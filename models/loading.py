"""From a name to a model that answers: fetch, recognise, build, fill."""

from pathlib import Path
from typing import Literal

import torch

from models.card import Card
from models.catalogue import Catalogue
from models.checkpoints.files import open_weights
from models.checkpoints.load import fill
from models.families import recognise
from models.linear import pack
from models.model import Model
from models.quantised import quantise
from models.sources import Progress, fetch
from models.transformer import Transformer

PACKED_MOST = 200_000_000  # parameters of a network that gets a second, faster copy of its decoder; larger ones need the memory
Precision = Literal["float32", "bfloat16", "float16", "int8"]


def load(
    name: str | Path, device: str | torch.device | None = None, dtype: Precision | torch.dtype | None = None, *, offline: bool = False
) -> Model:
    """A model by its name in the catalogue, its hub id or its folder, as in `models.load("all-MiniLM-L6-v2")`.

    Device defaults to the CPU, numbers to float32; "int8" is faster on a CPU and a little less exact. Raises `models.errors.Problem` where
    the name is unknown or its files cannot be had.
    """
    card = Catalogue(offline=offline).named(str(name))
    return load_card(card, device=device, dtype=dtype, offline=offline)


def load_card(
    card: Card,
    *,
    device: str | torch.device | None = None,
    dtype: Precision | torch.dtype | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Model:
    """The model behind a catalogue card. `progress(what, done, total)` is told of the download, and "load" when the weights are read."""
    folder = fetch(card, offline=offline, progress=progress)
    if progress is not None:
        progress("load", 0, 0)
    device = torch.device(device or "cpu")
    eight_bits = dtype == "int8"
    dtype = torch.float32 if eight_bits or dtype is None else getattr(torch, dtype) if isinstance(dtype, str) else dtype
    found = recognise(folder)
    with open_weights(found.weights) as source:
        config = found.family.config(found.settings, source)
        network = Transformer.build(config)
        fill(network, source, found.family.rules(config, source), dtype=dtype, device=device)
        tasks = found.family.tasks(config)
        tokenizer = found.family.tokenizer(folder, source)
    if eight_bits:
        quantise(network)
    elif network.decoder is not None and "lm" in network.heads and sum(part.numel() for part in network.parameters()) <= PACKED_MOST:
        pack(network.decoder, network.heads["lm"])  # a word a step: little to compute, all matrices to read
    return Model(
        name=card.name,
        family=found.family.name,
        config=config,
        network=network,
        tokenizer=tokenizer,
        tasks=tasks,
        device=device,
        dtype=dtype,
        card=card,
    )
