"""How good a BERT is: masked words, next sentences, and sentences with a gap that a child could fill."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional as F

from models.model import Model
from models.sources.assets import ROOT
from models.tokens import Tokenizer, collate
from models.training.pair_batches import PairBatch, PairSource
from models.training.pretraining import Pretraining
from models.training.stream import Stream
from models.transformer import Transformer

SEED = 5  # the same words are hidden whenever and wherever this is run
TOKENS = 4096  # a batch
CLOZES = ROOT / "clozes_en.json"


@dataclass(frozen=True, kw_only=True)
class Cloze:
    """A sentence with one [MASK], the answers that count, and what sort of knowledge it asks for."""

    text: str
    answers: tuple[str, ...]
    kind: str


def held_out(source: PairSource, *, pairs: int, harder: bool = False) -> list[PairBatch]:
    """About so many pairs with hidden words; with `harder`, every second text that does not follow comes from the same document."""
    source = replace(source, same_document=1.0 if harder else 0.0)
    batches: list[PairBatch] = []
    for batch in Stream(source, tokens=TOKENS, seed=SEED).once():
        if sum(found.counts["pairs"] for found in batches) >= pairs:
            break
        batches.append(batch)
    return batches


@torch.no_grad()
def guesses(objective: Pretraining, batches: Iterable[PairBatch], device: torch.device) -> dict[str, float]:
    """Shares of hidden words that are the first guess, or among five; their mean loss in nats; share of pairs that are told right."""
    added = {name: torch.zeros((), dtype=torch.float32, device=device) for name in ("top1", "top5", "loss", "nsp")}
    words = pairs = 0
    for batch in batches:
        batch = batch.to(device)
        scores, follows = objective.scores(batch)
        best = scores.topk(5, dim=-1).indices == batch.words[:, None]
        added["top1"] += best[:, 0].sum()
        added["top5"] += best.any(-1).sum()
        added["loss"] += F.cross_entropy(scores.float(), batch.words, reduction="sum")
        added["nsp"] += (follows.argmax(-1) == batch.follows).sum()
        words, pairs = words + batch.counts["words"], pairs + batch.counts["pairs"]
    if not words:
        raise ValueError("there is nothing to measure: the text gave no pairs")
    asked = {"top1": words, "top5": words, "loss": words, "nsp": pairs}
    shares = {name: float(value) / asked[name] for name, value in added.items()}
    return {f"mlm_{name}" if name != "nsp" else name: value for name, value in shares.items()} | {"words": words, "pairs": pairs}


def quality(network: Transformer, usual: Sequence[PairBatch], harder: Sequence[PairBatch], device: torch.device) -> dict[str, float]:
    """All numbers from running text: those of `usual` pairs, and next sentences once more on the `harder` ones."""
    objective = Pretraining(network)
    found = guesses(objective, usual, device)
    hard = guesses(objective, harder, device)
    return found | {"nsp_same_document": hard["nsp"], "pairs_same_document": hard["pairs"]}


def read_clozes(path: Path = CLOZES, *, part: str = "clozes") -> list[Cloze]:
    """The sentences of a file of clozes; `part` "obvious" gives those that anybody would try first."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return [Cloze(text=one["text"], answers=tuple(one["answers"]), kind=one["kind"]) for one in content[part]]


@torch.no_grad()
def fill(
    network: Transformer, tokenizer: Tokenizer, clozes: Sequence[Cloze], device: torch.device, *, best: int = 5
) -> list[tuple[str, ...]]:
    """The `best` words for the gap of each sentence, most likely first."""
    rows = [tokenizer.encode(cloze.text) for cloze in clozes]
    tokens = collate(rows, pad_id=tokenizer.pad_id, device=device)
    gaps = tokens.ids == tokenizer.mask_id
    if not bool((gaps.sum(1) == 1).all()):
        raise ValueError("every cloze needs exactly one [MASK]")
    top = network.heads["mlm"](network.encode(tokens)[gaps]).topk(best, dim=-1).indices.tolist()
    return [tokenizer.words(ids) for ids in top]


def cloze_quality(clozes: Sequence[Cloze], found: Sequence[tuple[str, ...]]) -> dict[str, float]:
    """Shares of clozes with a right answer first, or among those found."""
    right = [[word in cloze.answers for word in words] for cloze, words in zip(clozes, found, strict=True)]
    return {
        "cloze_top1": sum(row[0] for row in right) / len(right),
        "cloze_top5": sum(any(row) for row in right) / len(right),
        "clozes": len(right),
    }


def of_model(model: Model) -> tuple[Transformer, torch.device]:
    """The network of a loaded model; ValueError where it lacks one of the two heads."""
    if not {"mlm", "nsp"} <= set(model.network.heads):
        raise ValueError(f"{model.name} has no heads for masked words and next sentences, so there is nothing to measure")
    return model.network, model.device
