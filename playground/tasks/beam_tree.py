"""The beams of a translation as a tree: which beginnings were followed side by side, and which were given up."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.decode.beam import beam
from models.decode.tree import Branch, grow, watch
from models.errors import Problem
from models.model import Model
from playground.tasks import translate

NAME = "beam_tree"
NEEDS = translate.NAME
MOST_NEW_TOKENS = 128


@dataclass(frozen=True, kw_only=True)
class Request:
    """Sentence number `place` of a text, counted from 0; `prefix`: what its translation has to begin with."""

    text: str
    place: int = 0
    beams: int = 4
    prefix: str = ""
    max_new_tokens: int = MOST_NEW_TOKENS


@dataclass(frozen=True, kw_only=True)
class Node:
    """One word of one beginning; see `models.decode.tree.Branch`."""

    word: str
    parent: int
    step: int
    place: int
    score: float | None
    texts: tuple[int, ...]
    ends: int | None


@dataclass(frozen=True, kw_only=True)
class Result:
    nodes: tuple[Node, ...]
    texts: tuple[translate.Alternative, ...]  # the whole texts, best first: the score is divided by the length
    beams: int
    given: int = 0  # words that the translation had to begin with


def size(model: Model, request: Request) -> int:
    """Tokens of the sentence; Problem where the model cannot translate it."""
    return len(job(model, request).row)


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Search each sentence, those that are searched alike together."""
    jobs = [job(model, request) for request in requests]
    results: dict[int, Result] = {}
    for width, room in dict.fromkeys((one.width, one.max_new_tokens) for one in jobs):
        places = [place for place, one in enumerate(jobs) if (one.width, one.max_new_tokens) == (width, room)]
        some = [jobs[place] for place in places]
        begun = [one.begun for one in some]
        steps, found = watch(
            beam(model.network, model.batch([one.row for one in some]), beams=width, max_new_tokens=room, begun=begun if any(begun) else ())
        )
        for row, (place, texts) in enumerate(zip(places, found)):
            whole = tuple(translate.Alternative(text=model.tokenizer.decode(text.ids), score=text.score) for text in texts)
            nodes = tuple(named(model, branch) for branch in grow(steps, texts, row=row))
            results[place] = Result(nodes=nodes, texts=whole, beams=width, given=len(begun[row]))
    return [results[place] for place in range(len(jobs))]


def named(model: Model, branch: Branch) -> Node:
    """A branch with its word as people read it."""
    word = model.tokenizer.words([branch.word])[0]
    return Node(word=word, **{name: getattr(branch, name) for name in ("parent", "step", "place", "score", "texts", "ends")})


def job(model: Model, request: Request) -> translate.Job:
    """The sentence in the model's terms; Problem for what cannot be searched."""
    asked = translate.Request(
        text=request.text, beams=request.beams, max_new_tokens=request.max_new_tokens, prefix=request.prefix, prefix_at=request.place
    )
    if request.beams < 2:
        raise Problem("one_beam")
    jobs = translate.jobs(model, asked, translate.sentences(model, asked))
    if not 0 <= request.place < len(jobs):
        raise Problem("no_such_sentence", place=request.place + 1, sentences=len(jobs))
    if all(jobs[request.place].row.special):
        raise Problem("nothing_to_read")
    return jobs[request.place]
