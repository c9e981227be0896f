"""A generated text and the texts that branched off it: each is kept with the question that leads to it again."""

from dataclasses import dataclass, replace

from playground.tasks import generate
from playground.ui.coloured import options
from playground.ui.language import text
from playground.ui.reading import readable

MOST = 8  # kept at a time; the first and the newest stay


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One text. `number` counts from 1; `parent` is the number of the branch it left, at token `place` (from 0), for `word`."""

    number: int
    model: str
    question: generate.Request
    steps: tuple[generate.Step, ...]
    parent: int = 0
    place: int = 0
    word: str = ""


def left(branch: Branch, place: int, rank: int, *, room: int) -> tuple[generate.Request, str] | None:
    """The question that leaves a branch at a token for the alternative of this rank, with `room` for new tokens, and the other's word."""
    if not (0 <= place < len(branch.steps) and 0 <= rank < len(offered := options(branch.steps[place]))):
        return None
    word, _, token = offered[rank]
    if token < 0 or token == branch.steps[place].token:
        return None
    begun = (*(step.token for step in branch.steps[:place]), token)
    most = min(generate.MOST_NEW_TOKENS, len(begun) + room)
    return replace(branch.question, begun=begun, max_new_tokens=most), word


def kept(branches: tuple[Branch, ...], new: Branch) -> tuple[Branch, ...]:
    """The branches with one more; of too many, the oldest but the first goes."""
    all_ = (*branches, new)
    return all_ if len(all_) <= MOST else (all_[0], *all_[2:])


def find(branches: tuple[Branch, ...], number: int | None) -> Branch | None:
    """The branch with this number; the newest where there is none."""
    return next((branch for branch in branches if branch.number == number), branches[-1] if branches else None)


def choices(branches: tuple[Branch, ...], language: str) -> list[tuple[str, int]]:
    """What the list of branches offers."""
    made = []
    for one in branches:
        values = {"number": one.number, "parent": one.parent, "place": one.place + 1, "word": readable(one.word or " ")}
        key = "branches.one" if one.parent else "branches.first"
        made.append((text(key, language, **values), one.number))
    return made
