"""The same gap, asked of a decoder: what it expects from the left alone, and what it thinks once the right side is read too.

A decoder never sees what comes later. But it can say how probable a whole text is: so each candidate is put into the gap, and the text with
the candidate that goes on best to the right wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import exp

import torch
from torch import Tensor

from models.decode.steps import Feed
from models.errors import Problem
from models.model import Model
from models.tokenizers.text import clean, estimate
from models.tokens import Row
from playground.tasks.fill_mask import MASK, MOST_CANDIDATES, MOST_PIECES
from playground.tasks.halving import Weight, weigh
from playground.tasks.refusals import able, some_text

NAME = "fill_mask_decoder"
LEFT = 256  # tokens in front of the gap that are read
RIGHT = 32  # tokens behind it: each candidate has to be tried with all of them
SLACK = 4  # a text may be a few tokens more than its parts
LETTERS = 32  # a token has fewer, so that of a long text only the end need be cut into tokens


@dataclass(frozen=True, kw_only=True)
class Request:
    """A text with one `[MASK]`; `candidates` are words to compare (empty: the `proposals` likeliest words after the left side)."""

    text: str
    candidates: tuple[str, ...] = ()
    proposals: int = 50


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A word with its shares among all candidates: `left` from what stands before the gap, `both` from the whole text.

    `estimated`: only the first tokens behind the gap, `read` in number, were read with it, because other words went on better there.
    """

    word: str
    left: float
    both: float
    pieces: int = 1
    read: int = 0
    estimated: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """The candidates, best by `both` first.

    With P the decoder's own distribution: `left` is in proportion to P(word | left side), the end of the word included, so that "New" does
    not get what "Newton" deserves; `both` is in proportion to P(word and right side | left side). Without a right side both are the same.
    Where many candidates stand before a long right side, only the better ones read all of it (`playground.tasks.halving`).
    """

    candidates: tuple[Candidate, ...]
    covered: float  # what P(word | left side) adds up to over the candidates: 1 would be every word that it thinks of
    cut: int = 0  # tokens left out because the text was too long


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A request in the model's terms; `lead` is the space that stands before the gap, `given` is what the left side is to the model."""

    left: str
    lead: str
    right: str
    given: tuple[int, ...]
    candidates: tuple[str, ...]
    proposals: int
    cut: int


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The texts to be scored, as tokens: the beginning that all `share`, and for each candidate the rest of the whole text.

    `alone`: the rest of the text that ends with the candidate.
    """

    share: tuple[int, ...]
    whole: tuple[tuple[int, ...], ...]
    alone: tuple[tuple[int, ...], ...]


def size(model: Model, request: Request) -> int:
    """Tokens of a request, over all its candidates; Problem where the model cannot answer it."""
    found = plan(model, request)
    count = len(found.candidates) or found.proposals
    return len(found.given) + count * (1 + len(natural(model, found.right)))


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests: one pass over the left sides, one over every candidate with its right side."""
    plans = [plan(model, request) for request in requests]
    feed, first = opened(model, [one.given for one in plans])
    words = [one.candidates or proposed(model, one, scores) for one, scores in zip(plans, first)]
    readings = [reading(model, *pair) for pair in zip(plans, words)]
    if any(found.share != one.given for found, one in zip(readings, plans)):  # the last piece on the left is another with a word behind it
        feed, first = opened(model, [found.share for found in readings])
    asked = [tuple(zip(found.whole, found.alone)) for found in readings]
    weights = weigh(feed, first, asked, ends=model.edges.ends.to(first.device))
    return [result(*three) for three in zip(plans, words, weights)]


def opened(model: Model, beginnings: Sequence[tuple[int, ...]]) -> tuple[Feed, Tensor]:
    """A decoder that has read the beginnings, and its scores of what comes next. -> (N, V)"""
    feed = Feed(model.network, model.batch([bare_row(model, ids) for ids in beginnings], side="left"), room=RIGHT + MOST_PIECES)
    return feed, feed.start()


def proposed(model: Model, found: Plan, scores: Tensor) -> tuple[str, ...]:
    """The likeliest words of one piece. scores (V,)"""
    edges = model.edges
    wanted = edges.spaced if found.lead else edges.bare if found.left else edges.spaced | edges.bare
    wanted = wanted if wanted.any() else edges.spaced | edges.bare
    scores = scores.masked_fill(~wanted.to(scores.device), float("-inf"))
    best = scores.topk(min(2 * found.proposals, int(wanted.sum()))).indices.tolist()
    words = dict.fromkeys(model.tokenizer.words([index])[0].lstrip("▁") for index in best)
    return tuple(words)[: found.proposals]


def reading(model: Model, found: Plan, words: Sequence[str]) -> Reading:
    """Each completed text as the tokenizer cuts it: a candidate need not be the pieces that it is by itself."""
    begun = found.left + found.lead
    alone = [natural(model, begun + word) for word in words]
    whole = [natural(model, begun + word + found.right) for word in words]
    share = len(common([found.given, *alone, *whole]))
    if not share:
        raise Problem("nothing_before_gap", model=model.name)
    return Reading(share=alone[0][:share], whole=tuple(ids[share:] for ids in whole), alone=tuple(ids[share:] for ids in alone))


def result(found: Plan, words: Sequence[str], weights: Sequence[Weight]) -> Result:
    """Shares among the candidates."""
    left, both = ([getattr(one, name) for one in weights] for name in ("left", "both"))
    shares = [torch.tensor(one, dtype=torch.float64).softmax(0).tolist() for one in (left, both)]
    candidates = [
        Candidate(word=word, left=a, both=b, pieces=len(one.alone), read=one.read, estimated=not one.ended)
        for word, a, b, one in zip(words, *shares, weights, strict=True)
    ]
    covered = min(1.0, sum(map(exp, left)))
    return Result(candidates=tuple(sorted(candidates, key=lambda one: -one.both)), covered=covered, cut=found.cut)


def plan(model: Model, request: Request) -> Plan:
    """Find the gap and what stands around it; Problem for what cannot be answered."""
    able(model, NAME)
    some_text(request.text)
    if not 1 <= request.proposals <= MOST_CANDIDATES:
        raise Problem("bad_proposals", proposals=request.proposals, most=MOST_CANDIDATES)
    if len(request.candidates) > MOST_CANDIDATES:
        raise Problem("too_many_candidates", candidates=len(request.candidates), most=MOST_CANDIDATES)
    left, *rest = clean(request.text).split(MASK)
    if len(rest) != 1:
        raise Problem("one_mask", masks=len(rest), mask=MASK) if rest else Problem("no_mask", mask=MASK)
    words = tuple(dict.fromkeys(word for word in map(str.strip, map(clean, request.candidates)) if word))
    for word in words:
        pieces = model.tokenizer.encode(word, special=False).ids
        if not pieces or model.tokenizer.unk_id in pieces:
            raise Problem("unknown_candidate", word=word)
        if len(pieces) > MOST_PIECES:
            raise Problem("long_candidate", word=word, pieces=len(pieces), most=MOST_PIECES)
    lead = " " if left.endswith(" ") and left.strip() else ""
    left, cut_left = last(model, left.rstrip(" "), min(LEFT, model.limit - room(model) - MOST_PIECES - SLACK))
    right, cut_right = beginning(model, rest[0].rstrip(), room(model))
    given = natural(model, left)
    if not given:
        raise Problem("nothing_before_gap", model=model.name)
    cut = cut_left + cut_right
    return Plan(left=left, lead=lead, right=right, given=given, candidates=words, proposals=request.proposals, cut=cut)


def room(model: Model) -> int:
    """Tokens of the right side that are read."""
    return min(RIGHT, model.limit // 4)


def last(model: Model, text: str, most: int) -> tuple[str, int]:
    """The end of a text, at most so many tokens, and how many are left out."""
    kept = text[-LETTERS * most :]
    row = model.tokenizer.encode(kept, special=False)
    unread = estimate(len(text) - len(kept), tokens=len(row), characters=len(kept))
    if len(row) > most:
        kept = kept[row.spans[-most][0] :]
    return kept, max(0, len(row) - most) + unread


def beginning(model: Model, text: str, most: int) -> tuple[str, int]:
    """The beginning of a text, at most so many tokens, and how many are left out."""
    kept = text[: LETTERS * most]
    row = model.tokenizer.encode(kept, special=False)
    unread = estimate(len(text) - len(kept), tokens=len(row), characters=len(kept))
    if len(row) > most:
        kept = kept[: row.spans[most - 1][1]]
    return kept, max(0, len(row) - most) + unread


def natural(model: Model, text: str) -> tuple[int, ...]:
    """A text as the model reads it, to be gone on with: it begins like the texts that the model learnt from, and does not end."""
    row, start = model.tokenizer.encode(text), model.tokenizer.before_id
    ended = len(row) > 0 and row.special[-1] and row.ids[-1] == model.tokenizer.eos_id
    ids = row.ids[: len(row) - ended]
    begun = start is None or (len(ids) > 0 and row.special[0])
    return ids if begun else (start, *ids)


def common(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The beginning that all rows share."""
    return tuple(ids[0] for ids in takewhile(lambda ids: len(set(ids)) == 1, zip(*rows)))


def bare_row(model: Model, ids: tuple[int, ...]) -> Row:
    """Tokens as a row of a batch."""
    count = len(ids)
    return Row(ids=ids, words=model.tokenizer.words(ids), segments=(0,) * count, special=(False,) * count, spans=(None,) * count)
