"""The tree that a beam search grows: every beginning that was followed, which of them went on, and which were given up."""

from collections.abc import Generator
from dataclasses import dataclass

from models.decode.beam import NEVER, BeamStep, Hypothesis


@dataclass(kw_only=True)
class Branch:
    """One word of one beginning. `parent`: its place in the list of all branches, -1 for a first word.

    `score`: log probability of the beginning up to here, None where nobody kept it; `place`: how good the beginning was among those of its
    step, 0 for the best; `texts`: the whole texts that go through here, 0 for the winner; `ends`: the one that ends here.
    """

    word: int
    parent: int
    step: int
    place: int
    score: float | None
    texts: tuple[int, ...] = ()
    ends: int | None = None


def watch(steps: Generator[BeamStep, None, list[list[Hypothesis]]]) -> tuple[list[BeamStep], list[list[Hypothesis]]]:
    """Run a search to its end: its steps, which nobody keeps otherwise, and its texts."""
    kept = []
    while True:
        try:
            kept.append(next(steps))
        except StopIteration as end:
            return kept, end.value


def grow(steps: list[BeamStep], found: list[Hypothesis], *, row: int = 0) -> list[Branch]:
    """The tree of one row of a search, in the order in which it grew. `found`: the whole texts of that row, best first."""
    branches: list[Branch] = []
    children: dict[tuple[int, int], int] = {}  # (place of the parent, word) -> place of the branch
    lines: dict[int, int] = {}  # the beginnings of the step before
    longest = max(len(text.ids) for text in found) if found else len(steps)
    for number, step in enumerate(steps[:longest]):
        if row not in step.rows:
            break
        line = step.rows.index(row)
        columns = zip(step.ids[line].tolist(), step.parents[line].tolist(), step.scores[line].tolist())
        grown = {}
        for place, (word, parent, score) in enumerate(columns):
            before = lines.get(parent, -1)
            if score < NEVER / 2 or (number and before < 0):  # not a real beginning: those that had to be filled up, or had ended
                continue
            grown[place] = children[before, word] = len(branches)
            branches.append(Branch(word=word, parent=before, step=number, place=place, score=score))
        lines = grown
    for rank, text in enumerate(found):
        at = -1
        for number, word in enumerate(text.ids):
            if (at, word) not in children:  # the last word of a text that was cut off
                children[at, word] = len(branches)
                place = sum(branch.step == number for branch in branches)
                branches.append(Branch(word=word, parent=at, step=number, place=place, score=None))
            at = children[at, word]
            branches[at].texts += (rank,)
        if at >= 0:
            branches[at].ends = rank
    return branches
