"""An experiment on the view of the attention tab: what is silent, which text is read instead, and what comes of it."""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from models.ablation import Ablation
from models.errors import Problem
from playground.figures.bars import context
from playground.figures.moved import moved
from playground.service.playground import Playground
from playground.tasks import attend, next_sentence, predict, whatif
from playground.tasks.fill_mask import MASK, Mask, Result
from playground.ui.attention_view import Seen
from playground.ui.chart import drawn
from playground.ui.language import text
from playground.ui.pairing import follow
from playground.ui.reading import escape_plotly, join, percent, readable
from playground.ui.side_by_side import answer, beside
from playground.ui.wording import escape_html

AROUND = 6  # words that are shown in front of a decoder's guess


class Experiment(NamedTuple):
    """A model, the text as it was and as it is read now, and what is silent now; `place` of the guess, None where nobody chose one."""

    model: str
    before: attend.Request
    after: attend.Request
    ablation: Ablation
    place: int | None

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to see: the same text, and nothing silent."""
        return self.before == self.after and not self.ablation


def set_up(playground: Playground, seen: Seen, silent: tuple[str, ...], words: str, place: int | None) -> Experiment:
    """The experiment that a visitor means. A translator reads its own first translation both times, so that the maps can be compared."""
    result = playground.ask(seen.model, attend.NAME, seen.request)
    before = seen.request
    if "encoder" in result.words and "decoder" in result.words and not before.target.strip():
        before = replace(before, target=join(result.words["decoder"][1:]))
    return Experiment(seen.model, before, replace(before, text=words), Ablation.of(silent), place)


def ask(playground: Playground, experiment: Experiment, task: str, question: Any) -> Any:
    """A question under the conditions of the experiment."""
    return playground.ask(experiment.model, whatif.NAME, whatif.Request(task=task, question=question, ablation=experiment.ablation))


def maps(playground: Playground, experiment: Experiment, seen: Seen, language: str) -> tuple[dict[str, str], dict[str, str]]:
    """The attention of the current view afterwards, and what changed."""
    before = answer(partial(playground.ask, seen.model), experiment.before, seen)
    after = answer(partial(ask, playground, experiment), experiment.after, seen)
    titles = (text("whatif.after", language), text("whatif.difference", language))
    return beside(before, after, seen, (seen.site, seen.head), titles=titles, language=language)


def guessed(playground: Playground, experiment: Experiment, language: str) -> tuple[dict[str, str] | None, predict.Result | None]:
    """The figure of a guess before and after, and the guess before; None for a model that cannot guess."""
    place = experiment.place
    looked = [playground.ask(experiment.model, attend.NAME, about) for about in (experiment.before, experiment.after)]
    try:
        before = playground.ask(experiment.model, predict.NAME, predict.Request(about=experiment.before, place=place))
    except Problem as problem:
        if problem.key != "cannot_guess":
            raise
        return None, None
    stack = "decoder" if experiment.before.target else next(iter(looked[0].words))
    place_now = follow(before.place, *(result.words[stack] for result in looked))
    question = predict.Request(about=experiment.after, place=place_now, words=before.ids)
    after = ask(playground, experiment, predict.NAME, question)
    words = {one.word: (one.probability, other.probability) for one, other in zip(before.candidates, after.asked)}
    best = after.candidates[0]
    # The new first guess, and the word that really stands there, may not be among the old guesses.
    others = tuple(dict.fromkeys(index for index in (after.ids[0], before.covered_id) if index is not None and index not in before.ids))
    if others:
        ask_before = predict.Request(about=experiment.before, place=place, words=others)
        ask_after = predict.Request(about=experiment.after, place=place_now, words=others)
        old = playground.ask(experiment.model, predict.NAME, ask_before).asked
        new = ask(playground, experiment, predict.NAME, ask_after).asked
        words |= {one.word: (one.probability, other.probability) for one, other in zip(old, new)}
    figure = moved(list(words), *zip(*words.values()), subtitle=said_of(before, language), language=language)
    first = before.candidates[0]
    return drawn(figure, f"{text('whatif.moved.title', language)}: {readable(first.word)} → {readable(best.word)}"), before


def said_of(found: predict.Result, language: str) -> str:
    """What is guessed: the words around the place, escaped."""
    if found.words[found.place] == MASK:
        around = context(Result(words=found.words, masks=(Mask(position=found.place, candidates=()),)), found.place)
        return text("whatif.moved.masked", language, word=escape_plotly(found.covered or MASK), context=around)
    first = max(0, found.place - AROUND)
    words = join(found.words[first : found.place + 1])
    return text("whatif.moved.next", language, context=escape_plotly("… " * bool(first) + words))


def told(playground: Playground, experiment: Experiment, tasks: list[str], language: str) -> str:
    """What else moved, as HTML: whether the second text follows, or the translation."""
    said = []
    if next_sentence.NAME in tasks and experiment.before.second.strip():
        old, new = (next_sentence.Request(first=request.text, second=request.second) for request in (experiment.before, experiment.after))
        before, after = playground.ask(experiment.model, next_sentence.NAME, old), ask(playground, experiment, next_sentence.NAME, new)
        said.append(text("whatif.follows", language, before=percent(before.probability), after=percent(after.probability)))
    if "translate" in tasks:
        free = replace(experiment.after, target="")
        after = join(ask(playground, experiment, attend.NAME, free).words["decoder"][1:])
        said.append(text("whatif.translation", language, before=experiment.before.target, after=after))
    return "".join(f"<p>{escape_html(line)}</p>" for line in said)
