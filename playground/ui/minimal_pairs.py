"""Minimal pairs for the next sentence: two pairs of sentences that differ in one thing, and whether the model notices it.

The right one follows; the wrong one is a random sentence, one of the same topic at the wrong time, the same two the other way round, or the
opposite of what follows. Their probabilities are the chosen model's own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from playground.tasks.next_sentence import Request, Result
from playground.ui.language import text
from playground.ui.look import ASSETS
from playground.ui.reading import escape_html, percent


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two questions; the model should find the first more probable."""

    kind: str
    right: Request
    wrong: Request


@cache
def pairs() -> tuple[Pair, ...]:
    """The pairs that ship, kind after kind, the easiest first."""
    read = json.loads((ASSETS / "minimal_pairs_en.json").read_text(encoding="utf-8"))
    return tuple(
        Pair(kind=group["kind"], **{name: Request(first=first, second=second) for name, (first, second) in pair.items()})
        for group in read
        for pair in group["pairs"]
    )


def questions() -> list[Request]:
    """All that has to be asked: each pair's right one and its wrong one."""
    return [request for pair in pairs() for request in (pair.right, pair.wrong)]


def table(results: Sequence[Result], language: str) -> str:
    """How many of each kind are told apart, and what is said of each pair. `results` answer `questions()`."""
    chances = [result.probability for result in results]
    found = list(zip(pairs(), chances[::2], chances[1::2], strict=True))
    heads = "".join(f'<th scope="col">{escape_html(text(f"pairs.{name}", language))}</th>' for name in ("kind", "told", "right", "wrong"))
    rows, details = [], []
    for kind in dict.fromkeys(pair.kind for pair in pairs()):
        own = [one for one in found if one[0].kind == kind]
        told = sum(right > wrong for _, right, wrong in own)
        means = [sum(one[side] for one in own) / len(own) for side in (1, 2)]
        name = escape_html(text(f"pairs.{kind}", language))
        cells = [text("pairs.of", language, told=told, all=len(own)), *map(percent, means)]
        rows.append(f'<tr><th scope="row">{name}</th>{"".join(f"<td>{escape_html(cell)}</td>" for cell in cells)}</tr>')
        details.append(f"<details><summary>{name}</summary><ul>{''.join(map(lines, own))}</ul></details>")
    return (
        f'<div class="wide"><table class="numbers"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f'<p class="hint">{escape_html(text("pairs.chance", language))}</p><div class="pairs">{"".join(details)}</div>'
    )


def lines(one: tuple[Pair, float, float]) -> str:
    """One pair with its two probabilities; the one that the model prefers in bold."""
    pair, right, wrong = one
    made = []
    for sign, request, chance, other in (("✓", pair.right, right, wrong), ("✗", pair.wrong, wrong, right)):
        shown = f"{sign} {escape_html(request.first)} → {escape_html(request.second)} <span>{percent(chance)}</span>"
        made.append(f"<strong>{shown}</strong>" if chance > other else f"<span>{shown}</span>")
    return f"<li>{'<br>'.join(made)}</li>"
