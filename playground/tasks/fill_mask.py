"""What the model would put behind a mask."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from models.batching import groups
from models.errors import Problem
from models.model import Model
from models.tokens import Row
from playground.tasks.refusals import able, some_count, some_text

NAME = "fill_mask"
MASK = "[MASK]"
MOST_MASKS = 32
MOST_WORDS = 200  # of the vocabulary, for one mask
MOST_CANDIDATES = 50
MOST_PIECES = 10  # of one candidate


@dataclass(frozen=True, kw_only=True)
class Request:
    """A text with one or several `[MASK]`; `candidates` are words to compare (empty: the `top_k` best of the vocabulary)."""

    text: str
    top_k: int = 10
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A word and its probability among all words of the vocabulary.

    A candidate of several `pieces` is asked for with as many masks in the place of one; its probability is the product of theirs. The model
    guesses each piece without seeing the others, so such a word is worth more than its number says when compared with a word of one piece.
    """

    word: str
    probability: float
    pieces: int = 1


@dataclass(frozen=True, kw_only=True)
class Mask:
    position: int  # index into the result's words
    candidates: tuple[Candidate, ...]  # best first
    span: tuple[int, int] | None = None  # its characters in the text


@dataclass(frozen=True, kw_only=True)
class Result:
    """Each mask is answered with the other masks still in place."""

    words: tuple[str, ...]
    masks: tuple[Mask, ...]
    cut: int = 0  # tokens left out because the text was too long


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A request in the model's terms."""

    request: Request
    row: Row
    masks: tuple[int, ...]
    pieces: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)  # of each candidate at each mask

    def variants(self, mask_id: int) -> Iterator[tuple[int, int, Row]]:
        """Mask, number of pieces, and the row with so many masks there, for every number above 1 that some candidate has."""
        for mask in self.masks:
            for count in {len(pieces) for (_, place), pieces in self.pieces.items() if place == mask} - {1}:
                yield mask, count, widened(self.row, mask, count, mask_id)


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where the model cannot answer it."""
    return len(plan(model, request).row)


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests: one forward pass, and more rows where candidates have several pieces."""
    plans = [plan(model, request) for request in requests]
    rows = [one.row for one in plans]
    places = [one.masks for one in plans]
    index: dict[tuple[int, int, int], int] = {}  # request, mask, pieces -> the row that has so many masks there
    for number, one in enumerate(plans):
        for mask, count, row in one.variants(model.tokenizer.mask_id):
            index[number, mask, count] = len(rows)
            rows.append(row)
            places.append(tuple(range(mask, mask + count)))
    scores = predict(model, rows, places)

    results = []
    for number, one in enumerate(plans):
        masks = []
        for order, mask in enumerate(one.masks):
            if not one.request.candidates:
                found = best(model, scores[number][order], one.request.top_k)
            else:
                found = []
                for word in dict.fromkeys(one.request.candidates):
                    pieces = one.pieces[word, mask]
                    own = scores[number][order : order + 1] if len(pieces) == 1 else scores[index[number, mask, len(pieces)]]
                    chance = own[range(len(pieces)), list(pieces)].sum().exp().item()
                    found.append(Candidate(word=word, probability=chance, pieces=len(pieces)))
                found.sort(key=lambda candidate: -candidate.probability)
            masks.append(Mask(position=mask, candidates=tuple(found), span=one.row.spans[mask]))
        results.append(Result(words=one.row.words, masks=tuple(masks), cut=one.row.cut))
    return results


def predict(model: Model, rows: Sequence[Row], places: Sequence[tuple[int, ...]]) -> list[Tensor]:
    """Log probabilities of every word at the places of each row, float32 (places, V). Rows of similar length go together."""
    found: list[Tensor] = [torch.empty(0)] * len(rows)
    for batch in groups([len(row) for row in rows]):
        hidden = model.network.encode(model.batch([rows[i] for i in batch]))
        lines = torch.tensor([line for line, i in enumerate(batch) for _ in places[i]], device=hidden.device)
        columns = torch.tensor([place for i in batch for place in places[i]], device=hidden.device)
        # Only masked positions go through the head: its output layer is the largest matrix of the model.
        scores = model.network.heads["mlm"](hidden[lines, columns]).float().log_softmax(-1)
        for i, part in zip(batch, scores.split([len(places[i]) for i in batch])):
            found[i] = part
    return found


def best(model: Model, scores: Tensor, count: int) -> list[Candidate]:
    """The most likely words. scores (V,)"""
    chances, ids = scores.exp().topk(min(count, scores.shape[0]))
    return [Candidate(word=model.tokenizer.words([index])[0], probability=chance) for index, chance in zip(ids.tolist(), chances.tolist())]


def plan(model: Model, request: Request) -> Plan:
    """Find the masks and the pieces of the candidates; Problem for what cannot be answered."""
    able(model, NAME)
    some_text(request.text)
    some_count(request.top_k, most=MOST_WORDS)
    if len(request.candidates) > MOST_CANDIDATES:
        raise Problem("too_many_candidates", candidates=len(request.candidates), most=MOST_CANDIDATES)
    words = tuple(word for word in map(str.strip, request.candidates) if word)
    request = replace(request, candidates=words)
    longest = max((len(pieces_of(model, word, lead)) for word in words for lead in ("", " ")), default=1)
    row = model.tokenizer.encode(request.text, limit=model.limit - longest + 1)
    masks = tuple(place for place, index in enumerate(row.ids) if index == model.tokenizer.mask_id)
    if not masks:
        raise Problem("mask_cut", limit=model.limit) if row.cut and MASK in request.text else Problem("no_mask", mask=MASK)
    if len(masks) > MOST_MASKS:
        raise Problem("too_many_masks", masks=len(masks), most=MOST_MASKS)
    pieces = {(word, mask): pieces_of(model, word, lead(request.text, row, mask)) for word in words for mask in masks}
    return Plan(request=request, row=row, masks=masks, pieces=pieces)


def lead(text: str, row: Row, mask: int) -> str:
    """The space before a mask belongs to the word behind it, unless it is a token of its own."""
    start = row.spans[mask][0]
    own = mask > 0 and not row.special[mask - 1] and not row.words[mask - 1].strip("▁")
    return " " if start > 0 and text[start - 1].isspace() and not own else ""


def pieces_of(model: Model, word: str, lead: str) -> tuple[int, ...]:
    """The pieces of a candidate behind `lead`; one that is written as the model shows its pieces ("##able", "▁Paris") is that piece."""
    if word.startswith(("##", "▁")) and (found := model.tokenizer.piece_id(word)) is not None:
        return (found,)
    pieces = model.tokenizer.encode(lead + word, special=False).ids
    if not pieces or model.tokenizer.unk_id in pieces or model.tokenizer.mask_id in pieces:
        raise Problem("unknown_candidate", word=word)
    if len(pieces) > MOST_PIECES:
        raise Problem("long_candidate", word=word, pieces=len(pieces), most=MOST_PIECES)
    return pieces


def widened(row: Row, place: int, count: int, mask_id: int) -> Row:
    """The row with `count` masks in the place of one."""
    middle = {"ids": mask_id, "words": MASK, "segments": row.segments[place], "special": False, "spans": row.spans[place]}
    return replace(
        row, **{name: (*getattr(row, name)[:place], *[value] * count, *getattr(row, name)[place + 1 :]) for name, value in middle.items()}
    )
