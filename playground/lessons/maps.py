"""Attention maps for lessons: which head to look at is found in the model itself, so that a lesson outlives a training.

What heads do: Clark et al. 2019, "What Does BERT Look At?": some look at the word before or behind, some at separators, a few at what a
word refers to.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.figures.row import attention_row
from playground.tasks.attend import Request, Result
from playground.ui.attention_view import VIEWS, Seen, picture_of
from playground.ui.chart import drawn
from playground.ui.language import text
from playground.ui.naming import head_name, site_name
from playground.ui.reading import percent, readable


@dataclass(frozen=True)
class Found:
    """One head, and how well it does what was looked for (a share of 1; None where nothing was looked for)."""

    site: str
    head: int
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    result: Result
    found: Found


def _special(result: Result, site: str) -> np.ndarray:
    """(K,) which columns of a site are signs such as [CLS] and [SEP], and words of no text."""
    stack = "encoder" if site.endswith("cross") else site.split(".")[0]
    return np.array([True] * result.before.get(site, 0) + list(result.special[stack]), dtype=bool)


def _diagonal(offset: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The mean weight on the word `offset` places further on. (H, Q, K) -> (H,)"""

    def score(weights: np.ndarray, special: np.ndarray) -> np.ndarray:
        return np.diagonal(weights, offset=offset, axis1=1, axis2=2).mean(-1)

    return score


def _resting(weights: np.ndarray, special: np.ndarray) -> np.ndarray:
    """The share of all attention that falls on signs which are no words. (H, Q, K) -> (H,)"""
    return weights[:, :, special].sum(-1).mean(-1)


HABITS = {"previous": _diagonal(-1), "next": _diagonal(1), "self": _diagonal(0), "separator": _resting}


def same(token: str, word: str) -> bool:
    """Whether a token is the word that a lesson names, however the tokenizer writes it."""
    return readable(token).casefold() == word.casefold()


def columns(words: tuple[str, ...], word: str) -> list[int]:
    return [place for place, token in enumerate(words) if same(token, word)]


def fixed(result: Result, site: str | None, head: int) -> Found:
    """The head that a lesson names, as far as the model has it; otherwise the mean of its last layer."""
    if site not in result.sites:
        return Found(result.sites[-1], -1)
    return Found(site, head if head < result.heads(site) else -1)


def find(result: Result, wanted: str | Mapping[str, str]) -> Found:
    """The head of self-attention that does the most of one thing: a habit, or looking from the word `row` to the word `column`."""
    best = Found(result.sites[-1], -1, None)
    for site in [site for site in result.sites if site.endswith("self")]:
        scores = _scores(result, site, wanted)
        head = int(scores.argmax()) if scores is not None else 0
        if scores is not None and (best.score is None or scores[head] > best.score):
            best = Found(site, head, float(scores[head]))
    return best


def _scores(result: Result, site: str, wanted: str | Mapping[str, str]) -> np.ndarray | None:
    weights = result.all_weights(site)
    if isinstance(wanted, str):
        return HABITS[wanted](weights, _special(result, site))
    asking, asked = result.words_at(site)
    rows, looked_at = columns(asking, wanted["row"]), columns(asked, wanted["column"])
    return weights[:, rows[0], looked_at].sum(-1) if rows and looked_at else None


def measure(answer: Answer, view: Mapping[str, Any], what: Mapping[str, Any]) -> float | None:
    """A weight of the shown head; with `what["found"]` how well that head does what was looked for; or a number of heads."""
    result, found = answer.result, answer.found
    if what.get("found"):
        return found.score
    if "heads" in what:
        return heads_that_look(result, what["heads"]["row"], what["heads"]["column"])
    asking, asked = result.words_at(found.site)
    rows = columns(asking, what.get("row", view.get("row", "")))
    places = columns(asked, what.get("word", ""))
    return float(result.weights(found.site, found.head)[rows[0], places].sum()) if rows and places else None


def heads_that_look(result: Result, row: str, column: str) -> int | None:
    """In how many heads a word looks at another one more than at any other word; signs that are no words do not count."""
    count = 0
    for site in [site for site in result.sites if site.endswith("self")]:
        asking, asked = result.words_at(site)
        rows, places = columns(asking, row), columns(asked, column)
        if not rows or not places:
            return None
        weights = np.where(_special(result, site), 0, result.all_weights(site)[:, rows[0]])
        count += int(np.isin(weights.argmax(-1), places).sum())
    return count


def pictured(answer: Answer, view: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The figure as the value of a chart. A row that the text does not have is answered with the whole map."""
    result, found = answer.result, answer.found
    asking, asked = result.words_at(found.site)
    rows = columns(asking, view.get("row", ""))
    if not rows or view.get("layout", "row") != "row":
        layout = view.get("layout", "one")
        request = Request(text=view.get("text", ""))
        return picture_of(Seen("", request, found.site, found.head, layout if layout in VIEWS else "one"), result, language)
    described = text("attention.description", language, site=site_name(found.site, language), head=head_name(found.head, language))
    weights = result.weights(found.site, found.head)[rows[0]]
    return drawn(attention_row(weights, asked, word=asking[rows[0]], site=found.site, head=found.head, language=language), described)


def told(answer: Answer, view: Mapping[str, Any], language: str) -> str:
    """Which head this is and how it was found."""
    if not view.get("find") or answer.found.score is None or view.get("layout", "row") not in ("row", "one"):
        return ""
    count = sum(answer.result.heads(site) for site in answer.result.sites if site.endswith("self"))
    return text("lessons.found", language, count=count, score=percent(answer.found.score))


def faults(view: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a view of a file."""
    if view.get("layout", "row") not in ("row", *VIEWS):
        yield f'"layout" is one of row, {", ".join(VIEWS)}'
    wanted = view.get("find")
    if isinstance(wanted, str) and wanted not in HABITS:
        yield f'"find" is one of {", ".join(HABITS)}, or has a "row" and a "column"'
    if wanted is not None and not isinstance(wanted, str) and not (isinstance(wanted, dict) and {"row", "column"} <= wanted.keys()):
        yield '"find" needs a "row" and a "column"'
    if "head" in view and "site" not in view:
        yield '"head" needs a "site", such as "encoder.3.self"'
