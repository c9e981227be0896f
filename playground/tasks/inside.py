"""What stands in one layer's boxes for one text: the stream that comes in, what each part adds, and what leaves the norms."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from models.ablation import places
from models.errors import Problem
from models.model import Model
from models.tokens import Row
from models.trace import Trace
from playground.tasks import attend

NAME = "inside"
NEEDS = attend.NAME
LIMIT = 512  # tokens: a layer's tensors of more would be many megabytes
KINDS = {True: ("normed", "update", "stream"), False: ("update", "normed")}  # of each part, in the order of execution; pre-norm or not


@dataclass(frozen=True, kw_only=True)
class Request:
    """`layer`: "encoder.3" or "decoder.0"."""

    about: attend.Request
    layer: str


@dataclass(frozen=True, kw_only=True)
class Box:
    """One box of the picture. `part`: "input", "self", "cross" or "feedforward"; `kind`: what a trace calls it. `values` (S, C) float32."""

    part: str
    kind: str
    values: np.ndarray = field(hash=False, repr=False)

    @property
    def norms(self) -> np.ndarray:
        """The length of each word's vector. -> (S,)"""
        return np.linalg.norm(self.values, axis=-1)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The boxes of a layer in the order of execution, the first of them what comes in."""

    layer: str
    layers: tuple[str, ...]  # of the whole model
    words: tuple[str, ...]
    norm_first: bool
    recurrent: bool  # the decoder remembers its own words without attention
    boxes: tuple[Box, ...]
    cut: int = 0


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where there is no such layer, or the model cannot read the text."""
    if request.layer not in layers(model):
        raise Problem("no_such_part", parts=[request.layer], model=model.name)
    row = attend.source(model, request.about)
    if len(row) > LIMIT:
        raise Problem("too_long_inside", tokens=len(row), most=LIMIT)
    return len(row)


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer one request after the other: each looks at a layer of its own."""
    return [answer(model, request) for request in requests]


def answer(model: Model, request: Request) -> Result:
    """One text, one layer."""
    network, config = model.network, model.config
    stack, number = request.layer.split(".")
    before = f"{stack}.{int(number) - 1}" if int(number) else f"{stack}.embeddings"
    parts = ("self", "cross", "feedforward") if stack == "decoder" and network.encoder is not None else ("self", "feedforward")
    kinds = KINDS[config.norm_first]
    trace = Trace({*kinds, "hidden"}, sites=[before, *(f"{request.layer}.{part}" for part in parts)])
    rows = {stack: attend.source(model, request.about)}
    tokens = model.batch([rows[stack]])
    if network.encoder is None:
        network.decode(tokens, trace=trace)
    else:
        memory = network.encode(tokens, trace=trace)
        if stack == "decoder":
            rows[stack] = attend.targets(model, [request.about], [rows[stack]])[0]
            network.decode(model.batch([rows[stack]]), memory=memory, trace=trace)
    row: Row = model.extra.asking(stack, rows[stack])
    boxes = [box(trace, before, "input", "hidden", len(row))]
    boxes += [box(trace, f"{request.layer}.{part}", part, kind, len(row)) for part in parts for kind in kinds]
    return Result(
        layer=request.layer,
        layers=layers(model),
        words=row.words,
        norm_first=config.norm_first,
        recurrent=stack == "decoder" and config.decoder_mixer == "ssru",
        boxes=tuple(boxes),
        cut=row.cut,
    )


def box(trace: Trace, site: str, part: str, kind: str, length: int) -> Box:
    """One box, cut to the words."""
    return Box(part=part, kind=kind, values=trace.get(site, kind)[0, :length].float().cpu().numpy().copy())


def layers(model: Model) -> tuple[str, ...]:
    """The layers of a model, in the order of the forward pass."""
    return tuple(place for place in places(model.config) if place.count(".") == 1)
