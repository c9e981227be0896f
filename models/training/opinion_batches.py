"""Opinions of a larger model, as `opinions.py` noted them, in batches to be learnt: [CLS] text It was [MASK]. [SEP]"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.tokenizers.fast import MASK
from models.tokens import Tokenizer, Tokens

WIDTH = 8  # widths are multiples of this, which is what a GPU's matrix units like
LONGEST = 100  # tokens of a text with what stands behind it; of a longer one the end is read


@dataclass(frozen=True, kw_only=True)
class OpinionBatch:
    """Texts with a [MASK] at the `places` (B, 1), and the `scores` (B, W) of the `words` (W,) that the larger model would put there."""

    tokens: Tokens
    places: Tensor
    words: Tensor
    scores: Tensor

    def to(self, device: torch.device) -> "OpinionBatch":
        move = {name: getattr(self, name).to(device, non_blocking=True) for name in ("places", "words", "scores")}
        return replace(self, tokens=self.tokens.to(device), **move)


class Opinions:
    """All opinions of some files, as tokens. Praise and blame are shifted against each other until they are even over all texts, for each
    ending by itself: a language model praises more than it blames, whatever the text."""

    def __init__(self, paths: Sequence[Path], tokenizer: Tokenizer, *, tokens: int = 2048):
        if tokenizer.mask_id is None:
            raise ValueError("this vocabulary has no mask token, so no opinion can be asked for")
        runs, records = zip(*(read(path) for path in paths))
        endings, praise, blame = (runs[0][name] for name in ("endings", "praise", "blame"))
        if any([run[name] for name in ("endings", "praise", "blame")] != [endings, praise, blame] for run in runs):
            raise ValueError("these files of opinions were asked for in different words; use one of them at a time")
        found = [record for part in records for record in part]
        encoded = [tokenizer.encode(word, special=False).ids for word in (*praise, *blame)]
        known = [index for index, ids in enumerate(encoded) if len(ids) == 1]
        if not known:
            raise ValueError(f"none of {[*praise, *blame]} is a word of this vocabulary")
        scores = np.array([record["scores"] for record in found], dtype=np.float32)
        scores = even(scores, np.array([record["ending"] for record in found]), praise=len(praise))
        self.scores = scores[:, known]
        self.words = np.array([encoded[index][0] for index in known])
        self.tokens, self.pad_id = tokens, tokenizer.pad_id or 0
        self.rows = [question(tokenizer, f"{record['text']} {endings[record['ending']]}") for record in found]
        sizes = np.array([len(row) for row in self.rows])
        self.widths = -(-sizes // WIDTH) * WIDTH
        (mask,) = np.flatnonzero(self.rows[0] == tokenizer.mask_id)[-1:]
        self.behind = len(self.rows[0]) - mask  # from the mask to the end, the same in all rows

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, rng: np.random.Generator) -> OpinionBatch:
        """Texts of like length, as many as there is room for, drawn by chance."""
        width = int(self.widths[rng.integers(len(self))])
        alike = np.flatnonzero(self.widths == width)
        chosen = rng.choice(alike, min(len(alike), max(1, self.tokens // width)), replace=False)
        ids = np.full((len(chosen), width), self.pad_id, dtype=np.int64)
        sizes = np.array([len(self.rows[index]) for index in chosen])
        for row, index in enumerate(chosen):
            ids[row, : sizes[row]] = self.rows[index]
        tokens = Tokens(
            ids=torch.from_numpy(ids),
            mask=torch.from_numpy(np.arange(width) < sizes[:, None]),
            segments=torch.zeros(ids.shape, dtype=torch.int64),
            lengths=tuple(sizes.tolist()),
        )
        return OpinionBatch(
            tokens=tokens,
            places=torch.from_numpy(sizes - self.behind)[:, None],
            words=torch.from_numpy(self.words),
            scores=torch.from_numpy(self.scores[chosen]),
        )


def read(path: Path) -> tuple[dict, list[dict]]:
    """What a file of opinions says about itself, and its opinions."""
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    if not rest:
        raise ValueError(f"{path.name} holds no opinions")
    return json.loads(first), [json.loads(line) for line in rest]


def question(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """The text, a mask and a full stop, between the special tokens."""
    ids = tokenizer.encode(f"{text} {MASK}.").ids
    return np.array(ids if len(ids) <= LONGEST else [ids[0], *ids[1 - LONGEST :]])


def even(scores: np.ndarray, endings: np.ndarray, *, praise: int) -> np.ndarray:
    """Scores (N, W), the first `praise` of them words of praise, so that for each ending both sides have the same mean over all texts."""
    result = scores.copy()
    for ending in np.unique(endings):
        rows = endings == ending
        lead = (scores[rows, :praise].mean() - scores[rows, praise:].mean()) / 2
        result[np.ix_(rows, np.arange(scores.shape[1]) < praise)] -= lead
        result[np.ix_(rows, np.arange(scores.shape[1]) >= praise)] += lead
    return result
