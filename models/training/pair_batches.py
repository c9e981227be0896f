"""Pairs of texts as BERT reads them: [CLS] first [SEP] second [SEP], some words hidden (Devlin et al. 2019, figure 2)."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from models.tokenizers.rows import Frame
from models.tokens import Tokens
from models.training.corpus import Corpus
from models.training.masked_words import SHARE, Vocabulary, mask_words
from models.training.next_sentence import DOES_NOT, FOLLOWS, Pair, pairs
from models.training.opinion_batches import WIDTH, OpinionBatch, Opinions


@dataclass(frozen=True, kw_only=True)
class PairBatch:
    """What one step reads and what it asks: the `places` (N,) of hidden words in the flattened batch, the `words` (N,) that stood there,
    and whether the second text `follows` (B,), 0 for yes. `counts` has the number of questions, known without waiting for the device."""

    tokens: Tokens
    places: Tensor
    words: Tensor
    follows: Tensor
    counts: dict[str, int]
    notes: dict[str, int]  # what the log adds up: pairs whose second text follows, or comes from the same document without following
    opinions: OpinionBatch | None = None  # what a larger model thinks of other texts, to be learnt in the same step

    def to(self, device: torch.device) -> "PairBatch":
        move = {name: getattr(self, name).to(device, non_blocking=True) for name in ("places", "words", "follows")}
        opinions = self.opinions and self.opinions.to(device)
        return replace(self, tokens=self.tokens.to(device), opinions=opinions, **move)

    def pin_memory(self) -> "PairBatch":
        """In memory from which a GPU can fetch by itself; the loader calls it."""
        tensors = {name: getattr(self, name).pin_memory() for name in ("places", "words", "follows")}
        inner = {name: getattr(self.tokens, name).pin_memory() for name in ("ids", "mask", "segments")}
        return replace(self, tokens=replace(self.tokens, **inner), **tensors)


@dataclass(frozen=True, kw_only=True)
class PairSource:
    """Makes pairs of a corpus and batches of pairs; what `Stream` asks for examples."""

    corpus: Corpus
    vocabulary: Vocabulary
    frame: Frame  # the special tokens around a pair
    pad_id: int
    length: int = 128  # tokens of the longest pair, special tokens included
    same_document: float = 0.0
    share: float = SHARE
    whole_words: bool = False
    opinions: Opinions | None = None

    @property
    def sizes(self) -> np.ndarray:
        return self.corpus.sizes

    @property
    def weights(self) -> np.ndarray:
        return self.corpus.weights

    @property
    def extra(self) -> int:
        """Special tokens around a pair."""
        return sum(slot.token is not None for slot in self.frame)

    def examples(self, document: int, rng: random.Random) -> Iterator[Pair]:
        """The pairs of one document, cut anew for each epoch."""
        return pairs(self.corpus, document, rng, room=self.length - self.extra, same_document=self.same_document)

    def size(self, pair: Pair) -> int:
        """Tokens of a pair, special tokens included."""
        return len(pair) + self.extra

    def batch(self, found: Sequence[Pair], rng: np.random.Generator) -> PairBatch:
        """Pairs side by side, padded, with words hidden anew each time they are seen."""
        sizes = [self.size(pair) for pair in found]
        width = -(-max(sizes) // WIDTH) * WIDTH
        ids = np.full((len(found), width), self.pad_id, dtype=np.int64)
        segments = np.zeros_like(ids)
        for row, pair in enumerate(found):
            at = 0
            for slot in self.frame:
                part = [slot.token] if slot.text is None else (pair.first, pair.second)[slot.text]
                ids[row, at : at + len(part)] = part
                segments[row, at : at + len(part)] = slot.segment
                at += len(part)
        changed, chosen = mask_words(ids, rng, self.vocabulary, share=self.share, whole_words=self.whole_words)
        tokens = Tokens(
            ids=torch.from_numpy(changed),
            mask=torch.from_numpy(np.arange(width) < np.array(sizes)[:, None]),
            segments=torch.from_numpy(segments),
            lengths=tuple(sizes),
        )
        opinions = self.opinions and self.opinions.draw(rng)
        more = {"opinions": len(opinions.scores)} if opinions else {}
        return PairBatch(
            tokens=tokens,
            places=torch.from_numpy(np.flatnonzero(chosen)),
            words=torch.from_numpy(ids[chosen]),
            follows=torch.tensor([FOLLOWS if pair.follows else DOES_NOT for pair in found]),
            opinions=opinions,
            counts={"words": int(chosen.sum()), "pairs": len(found), "tokens": sum(sizes), "examples": len(found), **more},
            notes={"follow": sum(pair.follows for pair in found), "same_document": sum(pair.same_document for pair in found)},
        )
