"""Prompt tuning: a few learnt vectors among the vectors of the words (Lester et al. 2021; between and behind them: Liu et al. 2021)."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.errors import Problem
from models.model import Model
from models.soft_prompt import moved
from models.tokens import Row, Tokens
from models.tuning import Method, Peft, Prepared
from models.tuning.task import Task
from models.tuning.template import closing, tail
from models.tuning.tuned import Tuned
from models.tuning.twin import moving, twin
from models.tuning.words import label_words

LONGEST = 128
Place = Literal["front", "between", "end"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`length` vectors that start as random numbers, as words drawn from the vocabulary, as `text`, or as the label words, repeated.

    They stand in front of everything, between the text and the rest of the template, or at the end.
    """

    length: int = 16
    start: Literal["random", "vocabulary", "text", "labels"] = "vocabulary"
    text: str = ""
    place: Place = "front"


class SoftPrompt(nn.Module):
    """The vectors (P, C) and their place. `tail`: ids that follow the text in the template; `closing`: special tokens at a row's end.

    With `answered`, what a row has of segment 1 is the answer to the rest, as decoders learn it, and the prompt belongs to the question.
    """

    def __init__(self, vectors: Tensor, *, place: Place = "front", tail: tuple[int, ...] = (), closing: int = 0, answered: bool = False):
        super().__init__()
        self.vectors = nn.Parameter(vectors)
        self.length = vectors.shape[0]
        self.place, self.tail, self.closing, self.answered = place, tail, closing, answered

    def at(self, tokens: Tokens) -> Tensor | None:
        """The column of each row in front of which the vectors stand (B,); None: in front of all, padding included."""
        if self.place == "front":
            return None
        question = tokens.mask & (tokens.segments == 0) if self.answered else tokens.mask
        end = tokens.mask.int().argmax(1) + question.sum(1)
        if self.place == "end":
            return end
        return end - torch.where(self.templated(tokens, end), len(self.tail), self.closing)

    def templated(self, tokens: Tokens, end: Tensor) -> Tensor:
        """Which rows end as the template does (B,)."""
        wanted = torch.tensor(self.tail, dtype=tokens.ids.dtype, device=tokens.ids.device)
        if not self.tail:
            return torch.zeros_like(end, dtype=torch.bool)
        places = end[:, None] - len(wanted) + torch.arange(len(wanted), device=end.device)
        return (tokens.ids.gather(1, places.clamp(min=0)) == wanted).all(1)

    def encoder(self, tokens: Tokens) -> dict[str, Any]:
        return {"soft_prompt": self.vectors, "soft_prompt_at": self.at(tokens)}

    def decoder(self, tokens: Tokens, *, first: bool) -> dict[str, Any]:
        return self.encoder(tokens) if first else {}

    def columns(self, tokens: Tokens, columns: Tensor) -> Tensor:
        return moved(columns, self.at(tokens), self.length)

    def asking(self, stack: str, row: Row) -> Row:
        start = 0
        if self.place != "front":
            known = len(row) > len(self.tail) > 0 and row.ids[-len(self.tail) :] == self.tail
            start = len(row) - (0 if self.place == "end" else len(self.tail) if known else self.closing)
        vectors = {
            "ids": (-1,) * self.length,
            "words": tuple(f"[P{index + 1}]" for index in range(self.length)),
            "segments": (0,) * self.length,
            "special": (True,) * self.length,
            "spans": (None,) * self.length,
        }
        return replace(row, **{name: (*getattr(row, name)[:start], *new, *getattr(row, name)[start:]) for name, new in vectors.items()})

    def before(self, site: str) -> int:
        return 0


def prepare(model: Model, settings: Settings, task: Task, seed: int) -> Prepared:
    if not 0 <= settings.length <= min(LONGEST, model.limit // 2):
        raise Problem("bad_prompt_length", length=settings.length, most=min(LONGEST, model.limit // 2))
    vectors = beginning(model, settings, task, seed)
    base = twin(model.network)
    answered = model.config.architecture == "decoder"
    extra = SoftPrompt(vectors, place=settings.place, tail=tail(model, task), closing=closing(model), answered=answered)
    network = Tuned(base, extra.to(model.device))
    return Prepared(network=network, trainable=moving(network), settings=settings)


def beginning(model: Model, settings: Settings, task: Task, seed: int) -> Tensor:
    """The vectors before the first step. -> (P, C)"""
    chance = torch.Generator().manual_seed(seed)
    table = model.network.embeddings.words.weight.detach()
    if settings.start == "random":
        drawn = torch.randn(settings.length, table.shape[1], generator=chance) * float(table.std())
        return drawn.to(table) * model.config.embedding_scale
    if settings.start == "vocabulary":
        ids = torch.randint(0, len(table), (settings.length,), generator=chance).tolist()
    elif settings.start == "labels":
        ids = [piece for pieces in label_words(model, task) for piece in pieces]
    else:
        ids = list(model.tokenizer.encode(settings.text, special=False).ids)
    if not ids and settings.length:
        raise Problem("no_prompt_text")
    repeated = [ids[index % len(ids)] for index in range(settings.length)]
    return table[repeated].clone() * model.config.embedding_scale


def write_peft(model: Model, prepared: Prepared) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """PEFT knows prompts in front of everything."""
    extra: SoftPrompt = prepared.network.extra
    if extra.place != "front" or not extra.length:
        raise Problem("not_for_peft", reason=f"a prompt of {extra.length} vectors at the place “{extra.place}”")
    config = model.config
    settings = {
        "num_virtual_tokens": extra.length,
        "token_dim": config.d_model,
        "num_transformer_submodules": 1,
        "num_attention_heads": config.n_heads,
        "num_layers": config.n_decoder_layers or config.n_encoder_layers,
        "prompt_tuning_init": "RANDOM",
    }
    return settings, {"prompt_embeddings": extra.vectors.detach()}


def read_peft(model: Model, settings: dict[str, Any], numbers: dict[str, Tensor], task: Task) -> Prepared:
    vectors = numbers["prompt_embeddings"]
    if vectors.shape[1] != model.config.d_model or model.config.architecture not in METHOD.fits:
        raise Problem("foreign_adapter", reason=f"its vectors have {vectors.shape[1]} numbers, and the model {model.config.d_model}")
    prepared = prepare(model, Settings(length=len(vectors), start="random"), task, 1)
    with torch.no_grad():
        prepared.network.extra.vectors.copy_(vectors)
    return prepared


METHOD = Method(
    name="prompt",
    settings=Settings,
    rate=3e-2,
    prepare=prepare,
    fits=frozenset({"encoder", "decoder"}),
    order=2,
    moves=("input",),
    peft=Peft(kind="PROMPT_TUNING", write=write_peft, read=read_peft),
)
