"""Several masks of a text filled together, in three ways, and which of the whole fillings the model finds most likely."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from models.errors import Problem
from models.model import Model
from models.tokens import Row
from playground.tasks import fill_mask
from playground.tasks.fill_mask import predict

NAME = "fill_masks"
NEEDS = fill_mask.NAME
WAYS = ("independent", "sequential", "iterative")
MOST_MASKS = 12
MOST_ROUNDS = 20
LONGEST = 96  # tokens of a text: to score a filling, the model reads it once for each of them


@dataclass(frozen=True, kw_only=True)
class Request:
    """A text with several `[MASK]`; `rounds`: how often the iterative way may go through all of them."""

    text: str
    rounds: int = 10


@dataclass(frozen=True, kw_only=True)
class Filling:
    """All masks filled in one way.

    `score` is the pseudo-log-likelihood of the whole text (Salazar et al. 2020, Masked Language Model Scoring): each word is masked in turn
    and the logarithms of its probability are summed; `scores` are these logarithms, one for each word of the text that is not special.
    """

    way: str
    words: tuple[str, ...]  # one a mask, in the order of the text
    parts: tuple[tuple[str, int], ...]  # the text in pieces, each with the number of the mask it fills, or -1 where it fills none
    score: float
    scores: tuple[float, ...]
    rounds: tuple[tuple[str, ...], ...]  # the words after each round of the iterative way, its start first; of the others the last alone
    settled: bool = True  # the last round changed nothing
    passes: int = 1  # how often the model read the text to find the words

    @property
    def text(self) -> str:
        """The text without masks."""
        return "".join(piece for piece, _ in self.parts)


@dataclass(frozen=True, kw_only=True)
class Result:
    words: tuple[str, ...]
    masks: tuple[int, ...]  # indices into `words`
    fillings: tuple[Filling, ...]  # in the order of WAYS
    cut: int = 0

    @property
    def best(self) -> float:
        """The score of the filling that the model finds most likely."""
        return max(filling.score for filling in self.fillings)

    @property
    def differing(self) -> frozenset[int]:
        """The masks, counted from 0, that are not filled alike by all ways."""
        return frozenset(place for place in range(len(self.masks)) if len({filling.words[place] for filling in self.fillings}) > 1)


@dataclass(eq=False, kw_only=True)
class Draft:
    """One text on its way: `ids` of its masks, `rounds` as above."""

    request: Request
    row: Row
    masks: tuple[int, ...]
    ids: list[int] = field(default_factory=list)
    rounds: list[tuple[int, ...]] = field(default_factory=list)
    settled: bool = False

    def read(self, *, masked: Sequence[int], mask_id: int) -> Row:
        """The text with its masks filled, except those of `masked`."""
        ids = list(self.row.ids)
        for order, place in enumerate(self.masks):
            ids[place] = mask_id if order in masked else self.ids[order]
        return replace(self.row, ids=tuple(ids))


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where the model cannot answer it."""
    return len(draft(model, request).row)


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Fill all texts in each way, side by side, and score what came out."""
    first = [draft(model, request) for request in requests]
    found = {"independent": first, "sequential": again(first), "iterative": again(first)}
    independent(model, first)
    sequential(model, found["sequential"])
    for one, start in zip(found["iterative"], first):
        one.ids, one.rounds = list(start.ids), [tuple(start.ids)]
    iterative(model, found["iterative"])
    return [result(model, dict(zip(found, ways))) for ways in zip(*found.values())]


def again(drafts: Sequence[Draft]) -> list[Draft]:
    """The same texts, not yet filled."""
    return [Draft(request=one.request, row=one.row, masks=one.masks) for one in drafts]


def independent(model: Model, drafts: Sequence[Draft]) -> None:
    """The best word of each mask, all found in one pass: none knows of the others."""
    for one, scores in zip(drafts, predict(model, [one.row for one in drafts], [one.masks for one in drafts])):
        one.ids = words_of(model, scores)


def sequential(model: Model, drafts: Sequence[Draft]) -> None:
    """From left to right: each mask is filled with what the model says when it has read the words put in before it."""
    for one in drafts:
        one.ids = [model.tokenizer.mask_id] * len(one.masks)
    for order in range(max(len(one.masks) for one in drafts)):
        fill(model, [one for one in drafts if order < len(one.masks)], order)


def iterative(model: Model, drafts: Sequence[Draft]) -> None:
    """Mask each word in turn again and put in the best one given all the others, until a whole round changes nothing.

    These are iterated conditional modes (Besag 1986, On the Statistical Analysis of Dirty Pictures): Gibbs sampling from BERT (Wang and Cho
    2019) that always takes the most likely word. BERT's conditionals need not belong to one joint distribution, so it may go in circles.
    """
    going = list(drafts)
    while going := [one for one in going if not one.settled and len(one.rounds) <= one.request.rounds]:
        for order in range(max(len(one.masks) for one in going)):
            fill(model, [one for one in going if order < len(one.masks)], order)
        for one in going:
            one.settled = one.rounds[-1] == tuple(one.ids)
            one.rounds.append(tuple(one.ids))


def fill(model: Model, drafts: Sequence[Draft], order: int) -> None:
    """Put the best word behind one mask of each text, the others as they are."""
    rows = [one.read(masked=[order], mask_id=model.tokenizer.mask_id) for one in drafts]
    for one, scores in zip(drafts, predict(model, rows, [(one.masks[order],) for one in drafts])):
        [one.ids[order]] = words_of(model, scores)


def words_of(model: Model, scores: Tensor) -> list[int]:
    """The most likely word of each line that is not a special token. scores (M, V)"""
    tokenizer = model.tokenizer
    special = {tokenizer.mask_id, tokenizer.pad_id, tokenizer.unk_id, tokenizer.bos_id, tokenizer.eos_id} - {None}
    return scores.index_fill(-1, torch.tensor(sorted(special), device=scores.device), float("-inf")).argmax(-1).tolist()


def result(model: Model, ways: dict[str, Draft]) -> Result:
    """From ids to words; equal fillings are scored once."""
    one = ways["independent"]
    scored = {ids: likelihoods(model, ways[way]) for ids, way in {tuple(draft.ids): way for way, draft in ways.items()}.items()}
    passes = {"independent": 1, "sequential": len(one.masks), "iterative": 1 + len(one.masks) * (len(ways["iterative"].rounds) - 1)}
    fillings = []
    for way, draft in ways.items():
        words = shown(model, draft.ids)
        fillings.append(
            Filling(
                way=way,
                words=words,
                parts=put_in(draft.request.text, [draft.row.spans[place] for place in draft.masks], words),
                score=sum(scored[tuple(draft.ids)]),
                scores=scored[tuple(draft.ids)],
                rounds=tuple(shown(model, ids) for ids in draft.rounds) or (words,),
                settled=draft.settled or way != "iterative",
                passes=passes[way],
            )
        )
    return Result(words=one.row.words, masks=one.masks, fillings=tuple(fillings), cut=one.row.cut)


def likelihoods(model: Model, one: Draft) -> tuple[float, ...]:
    """The log probability of each word when it alone is masked."""
    whole = one.read(masked=(), mask_id=model.tokenizer.mask_id)
    places = [place for place, special in enumerate(whole.special) if not special or place in one.masks]
    rows = [replace(whole, ids=(*whole.ids[:place], model.tokenizer.mask_id, *whole.ids[place + 1 :])) for place in places]
    found = predict(model, rows, [(place,) for place in places])
    return tuple(scores[0, whole.ids[place]].item() for scores, place in zip(found, places))


def shown(model: Model, ids: Sequence[int]) -> tuple[str, ...]:
    """Each word by itself, as the list of candidates shows it."""
    return tuple(model.tokenizer.words([index])[0] for index in ids)


def put_in(text: str, spans: Sequence[tuple[int, int]], words: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """The text with words in the places of its masks, in pieces; one that ends a word ("##s") stands right behind what is before it."""
    parts, at = [], 0
    for order, ((start, end), word) in enumerate(zip(spans, words)):
        before = text[at:start]
        parts += [(before.rstrip() if word.startswith("##") else before, -1), (word.removeprefix("##").lstrip("▁"), order)]
        at = end
    return tuple(part for part in (*parts, (text[at:], -1)) if part[0])


def draft(model: Model, request: Request) -> Draft:
    """Find the masks; Problem for what cannot be answered."""
    plan = fill_mask.plan(model, fill_mask.Request(text=request.text))
    if len(plan.masks) > MOST_MASKS:
        raise Problem("too_many_masks", masks=len(plan.masks), most=MOST_MASKS)
    if len(plan.row) > LONGEST:
        raise Problem("long_for_filling", tokens=len(plan.row), most=LONGEST)
    if not 1 <= request.rounds <= MOST_ROUNDS:
        raise Problem("bad_rounds", rounds=request.rounds, most=MOST_ROUNDS)
    return Draft(request=request, row=plan.row, masks=plan.masks)
