"""Prefix tuning: learnt keys and values in front of every layer (Li & Liang 2021; for encoders, Liu et al. 2022, "P-tuning v2")."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.attention import Prefix
from models.config import ModelConfig
from models.errors import Problem
from models.model import Model
from models.tokens import Row, Tokens, collate
from models.trace import Trace
from models.tuning import Method, Peft, Prepared
from models.tuning.layers import chosen
from models.tuning.task import Task
from models.tuning.tuned import Tuned
from models.tuning.twin import moving, twin
from models.tuning.words import label_words

LONGEST = 128
KINDS = {"encoder": ("encoder", "self"), "decoder": ("decoder", "self"), "cross": ("decoder", "cross")}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`length` keys and values a layer, in front of the words, and with "cross" among `places` in front of the memory too.

    They begin as random numbers, or as what the model makes of words drawn from its vocabulary, of `text` or of the label words,
    repeated. With `mlp` they are the output of two layers, the inner one so wide, and learn more steadily; at the end only the output is
    kept. `layers`: () is all.
    """

    length: int = 16
    start: Literal["random", "vocabulary", "text", "labels"] = "vocabulary"
    text: str = ""
    mlp: int = 0
    layers: tuple[int, ...] = ()
    places: tuple[Literal["encoder", "decoder", "cross"], ...] = ("encoder", "decoder")


class Direct(nn.Module):
    """The numbers themselves: (P, L * 2 * H_kv * D), keys before values, layer after layer."""

    def __init__(self, numbers: Tensor):
        super().__init__()
        self.numbers = nn.Parameter(numbers)

    def forward(self) -> Tensor:
        return self.numbers


class Reparametrised(nn.Module):
    """The numbers as MLP(E) of a small table E (Li & Liang 2021, section 4.3)."""

    def __init__(self, length: int, width: int, inner: int, outputs: int, *, chance: torch.Generator):
        super().__init__()
        self.table = nn.Parameter(torch.randn(length, width, generator=chance))
        self.inner, self.outer = nn.Linear(width, inner, device="meta"), nn.Linear(inner, outputs, device="meta")
        for layer in (self.inner, self.outer):
            spread = layer.in_features**-0.5
            layer.weight = nn.Parameter(torch.randn(layer.weight.shape, generator=chance) * spread)
            layer.bias = nn.Parameter(torch.zeros(layer.bias.shape))

    def forward(self) -> Tensor:
        return self.outer(self.inner(self.table).tanh())


class KeysAndValues(nn.Module):
    """A `Direct` or `Reparametrised` table for each place; `layers[place]` are those that have a prefix."""

    def __init__(self, config: ModelConfig, tables: dict[str, nn.Module], layers: dict[str, list[int]], length: int):
        super().__init__()
        self.config, self.layers, self.length = config, layers, length
        self.tables = nn.ModuleDict(tables)

    def pairs(self, place: str) -> list[Prefix | None] | None:
        """A pair (H_kv, P, D) for each layer, None for layers without, None where there are none at all."""
        if place not in self.tables:
            return None
        shape = (self.length, -1, 2, self.config.kv_heads, self.config.head_width)
        numbers = self.tables[place]().view(shape).permute(1, 2, 3, 0, 4)  # (P, L, 2, H_kv, D) -> (L, 2, H_kv, P, D)
        count = self.config.n_encoder_layers if place == "encoder" else self.config.n_decoder_layers
        found: list[Prefix | None] = [None] * count
        for layer, (key, value) in zip(self.layers[place], numbers):
            found[layer] = (key, value)
        return found

    def encoder(self, tokens: Tokens) -> dict[str, Any]:
        return {"prefix": self.pairs("encoder")}

    def decoder(self, tokens: Tokens, *, first: bool) -> dict[str, Any]:
        return {"prefix": self.pairs("decoder"), "cross_prefix": self.pairs("cross")}

    def columns(self, tokens: Tokens, columns: Tensor) -> Tensor:
        return columns

    def asking(self, stack: str, row: Row) -> Row:
        return row

    def before(self, site: str) -> int:
        stack, layer, kind = site.split(".")
        place = "cross" if kind == "cross" else stack
        return self.length if int(layer) in self.layers.get(place, []) else 0


def prepare(model: Model, settings: Settings, task: Task, seed: int) -> Prepared:
    most = min(LONGEST, model.limit // 2)
    if not 1 <= settings.length <= most:
        raise Problem("bad_prefix_length", length=settings.length, most=most)
    config = model.config
    layers = {place: found for place, found in placed(config, settings).items() if found}
    if not layers:
        raise Problem("no_prefix_place", model=model.name)
    width = 2 * config.kv_heads * config.head_width
    chance = torch.Generator().manual_seed(seed)
    tables: dict[str, nn.Module] = {}
    for place, found in layers.items():
        if settings.mlp:
            tables[place] = Reparametrised(settings.length, config.d_model, settings.mlp, len(found) * width, chance=chance)
        else:
            tables[place] = Direct(beginning(model, settings, task, place, found, chance=chance))
    network = Tuned(twin(model.network), KeysAndValues(config, tables, layers, settings.length).to(model.device))
    prepared = Prepared(network=network, trainable=moving(network), settings=settings)
    prepared.fold = (lambda: fold(prepared)) if settings.mlp else None
    return prepared


def placed(config: ModelConfig, settings: Settings) -> dict[str, list[int]]:
    """The layers with a prefix at each place that this model has."""
    layers = chosen(config, settings.layers)
    found = {}
    for place in settings.places:
        stack, kind = KINDS[place]
        missing = (kind == "cross" and not config.n_encoder_layers) or (place == "decoder" and config.decoder_mixer == "ssru")
        found[place] = [] if missing else layers.get(stack, [])
    return found


@torch.no_grad()
def beginning(model: Model, settings: Settings, task: Task, place: str, layers: list[int], *, chance: torch.Generator) -> Tensor:
    """The numbers before the first step, in the layout of `Direct`."""
    config = model.config
    if settings.start == "random":
        return torch.randn(settings.length, len(layers) * 2 * config.kv_heads * config.head_width, generator=chance)
    if settings.start == "vocabulary":
        ids = torch.randint(0, config.vocab_size, (settings.length,), generator=chance).tolist()
    elif settings.start == "labels":
        ids = [piece for pieces in label_words(model, task) for piece in pieces]
    else:
        ids = list(model.tokenizer.encode(settings.text, special=False).ids)
    if not ids:
        raise Problem("no_prompt_text")
    pairs = of_words(model, [ids[index % len(ids)] for index in range(settings.length)], place)
    numbers = torch.stack([torch.stack(pairs[layer]) for layer in layers])  # (L, 2, H_kv, P, D)
    return numbers.permute(3, 0, 1, 2, 4).flatten(1).contiguous()


def of_words(model: Model, ids: list[int], place: str) -> list[Prefix]:
    """The keys and values that each layer makes of words: in a decoder exactly those it would look at if the words stood there."""
    fields = {"words": "words", "segments": 0, "special": False, "spans": None}
    row = Row(ids=tuple(ids), **{name: (value,) * len(ids) for name, value in fields.items()})
    tokens, network = collate([row], pad_id=model.tokenizer.pad_id, device=model.device), model.network
    trace = Trace({"key", "value"})
    memory = network.encode(tokens, trace=trace) if network.encoder is not None else None
    if network.decoder is not None:
        network.decode(tokens, memory=memory, trace=trace)
    stack, kind = KINDS[place]
    count = model.config.n_encoder_layers if stack == "encoder" else model.config.n_decoder_layers
    sites = [f"{stack}.{layer}.{kind}" for layer in range(count)]
    return [tuple(trace.get(site, what)[0].clone() for what in ("key", "value")) for site in sites]


@torch.no_grad()
def fold(prepared: Prepared) -> Prepared:
    """The same prefix without the layers that made it."""
    extra = prepared.network.extra
    tables = {place: Direct(table().clone()) for place, table in extra.tables.items()}
    network = Tuned(prepared.network.network, KeysAndValues(extra.config, tables, extra.layers, extra.length))
    return Prepared(network=network, trainable=moving(network), settings=replace(prepared.settings, mlp=0))


# PEFT deals the pairs of keys and values out by two to a layer where there is an encoder, for self- and for cross-attention, begins anew
# where they end, and then lets cross-attention's fall: so layer i has pair 2i, and twice as many pairs as layers say all that there is.
SHARES = {"encoder": 1, "decoder": 1, "encoder_decoder": 2}


def write_peft(model: Model, prepared: Prepared) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """PEFT puts its prefix before the words of one stack, the decoder where there is one, in all layers."""
    extra: KeysAndValues = prepared.network.extra
    config = model.config
    place, count = ("decoder", config.n_decoder_layers) if config.n_decoder_layers else ("encoder", config.n_encoder_layers)
    if set(extra.tables) != {place} or len(extra.layers[place]) < count:
        where = ", ".join(f"{at} {extra.layers[at]}" for at in extra.tables)
        raise Problem("not_for_peft", reason=f"a prefix at {where}, and not in all {count} layers of the {place} alone")
    settings = {
        "num_virtual_tokens": extra.length,
        "token_dim": config.kv_heads * config.head_width,
        "num_transformer_submodules": 2 if config.architecture == "encoder_decoder" else 1,
        "num_attention_heads": config.kv_heads,
        "num_layers": count * SHARES[config.architecture],
        "prefix_projection": False,
        "encoder_hidden_size": config.d_model,
    }
    table = extra.tables[place]().detach()
    if SHARES[config.architecture] == 2:
        own = table.view(extra.length, count, 1, -1)
        table = torch.cat([own, torch.zeros_like(own)], dim=2).flatten(1)
    return settings, {"prompt_embeddings": table}


def read_peft(model: Model, settings: dict[str, Any], numbers: dict[str, Tensor], task: Task) -> Prepared:
    place = "decoder" if model.config.n_decoder_layers else "encoder"
    table = numbers["prompt_embeddings"]  # of a projected prefix PEFT saves the output, too
    share, count = SHARES[model.config.architecture], settings["num_layers"]
    if share == 2 and not table.shape[1] % count:
        pairs = torch.arange(model.config.n_decoder_layers) * share % count
        table = table.view(len(table), count, -1)[:, pairs].flatten(1)
    prepared = prepare(model, Settings(length=len(table), start="random", places=(place,)), task, 1)
    own = prepared.network.extra.tables[place].numbers
    if own.shape != table.shape:
        raise Problem("foreign_adapter", reason=f"its prefix has {table.shape[1]} numbers a position, and the model {own.shape[1]}")
    with torch.no_grad():
        own.copy_(table)
    return prepared


METHOD = Method(
    name="prefix",
    settings=Settings,
    rate=1e-2,
    prepare=prepare,
    order=3,
    moves=("keys",),
    peft=Peft(kind="PREFIX_TUNING", write=write_peft, read=read_peft),
)
