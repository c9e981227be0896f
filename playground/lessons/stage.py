"""What a step shows to a visitor: the model's own answer, computed when the step is opened, once there was a prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from models.errors import Problem
from playground.figures.curves import curves
from playground.lessons.content import Lesson
from playground.lessons.grading import grade, verdict
from playground.lessons.in_tab import address
from playground.lessons.kinds import KINDS, Kind, Shown, View
from playground.lessons.walk import Walk
from playground.service.library import Progress
from playground.service.playground import Playground
from playground.service.runs import Look, Plan
from playground.ui.about import Row, fetching, find_row
from playground.ui.chart import drawn
from playground.ui.language import text
from playground.ui.pickers import default_model
from playground.ui.tuning_words import comparison, method_name, status


class Revealed(NamedTuple):
    """What there is to see, what is said about the prediction, and where the same stands in a tab of its own."""

    shown: Shown = Shown()
    verdict: str = ""
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The steps of the lessons on the models of one service."""

    playground: Playground
    lessons: Mapping[str, Lesson]

    def view(self, walk: Walk) -> View | None:
        return walk.step(self.lessons).view

    def kind(self, walk: Walk) -> Kind | None:
        view = self.view(walk)
        return KINDS[view["show"]] if view else None

    def row(self, walk: Walk) -> Row | None:
        """The model of this step; where the server does not offer it, the one that the tab of the same task would begin with."""
        view, kind = self.view(walk), self.kind(walk)
        if view is None:
            return None
        return find_row(self.playground, view["model"]) or find_row(self.playground, default_model(self.playground, kind.task))

    def predicted(self, walk: Walk) -> bool:
        """Whether what the step shows may be seen."""
        return walk.answered(walk.step(self.lessons).question)

    def ready(self, walk: Walk) -> bool:
        """Whether it can be computed without fetching anything that nobody has asked for."""
        row = self.row(walk)
        return row is not None and (row["ready"] or walk.place in walk.fetched)

    def fetchable(self, walk: Walk) -> bool:
        row = self.row(walk)
        return row is not None and not self.ready(walk) and not self.playground.offline

    def boxes(self, walk: Walk) -> list[tuple[str, str]]:
        """The fields that the visitor may change: the key of the label, and the text, theirs or the lesson's."""
        view, kind = self.view(walk), self.kind(walk)
        if view is None:
            return []
        own = [(label, view[name]) for name, label in kind.boxes if name in view]
        given = ["\n".join(value) if isinstance(value, list) else value for _, value in own]
        texts = walk.typed.get(walk.place, tuple(given))
        return [(label, written) for (label, _), written in zip(own, texts)]

    def asked(self, walk: Walk) -> View:
        """The view with what the visitor typed in it."""
        view, kind = self.view(walk), self.kind(walk)
        names = [name for name, _ in kind.boxes if name in view]
        return {**view, **dict(zip(names, walk.typed.get(walk.place, ())))} | {"lesson_text": view.get("text", "")}

    def hint(self, walk: Walk, language: str) -> str:
        """What is still missing before there is something to see; empty where nothing is."""
        view, row = self.view(walk), self.row(walk)
        if view is None:
            return ""
        missing = [] if self.predicted(walk) else [text("lessons.predict_first", language)]
        if row is None:
            missing.append(text("about.none", language))
        elif not self.ready(walk):
            missing.append(text("lessons.needs", language, model=row["name"]) + " " + fetching(self.playground, row, language))
        elif row["name"] != view["model"]:
            missing.append(text("lessons.other_model", language, meant=view["model"], model=row["name"]))
        return " ".join(missing)

    def reveal(self, walk: Walk, language: str, progress: Progress | None = None) -> Revealed:
        """The figure and the verdict of a step, as far as they may be seen. Blocks; raises what `Playground.ask` raises."""
        question, kind, view = walk.step(self.lessons).question, self.kind(walk), self.view(walk)
        if not self.predicted(walk):
            return Revealed()
        answer, own, model = None, {**(view or {}), "lesson_text": (view or {}).get("text", "")}, ""
        if self.ready(walk):
            model = self.row(walk)["name"]
            answer = kind.ask(self.playground, model, own, progress)
        said = ""
        if question and (answer is not None or question.right == "fixed"):
            said = verdict(question, grade(question, kind, answer, own), walk.answers[walk.place], language)
        asked = self.asked(walk) if model else own
        if asked != own:
            answer = kind.ask(self.playground, model, asked, progress)
        shown = Shown() if answer is None else kind.draw(answer, asked, language)
        return Revealed(shown, said, address(asked, model, answer) if model else "")

    def plan(self, walk: Walk) -> Plan:
        """The tuning that a step offers to start. Problem no_model_chosen where no model here can learn."""
        view, row = self.view(walk), self.row(walk)
        if row is None:
            raise Problem("no_model_chosen")
        return Plan(model=row["name"], methods=tuple(view["methods"]), task=view["task"], amount=view["steps"])

    def run(self, walk: Walk, visitor: str) -> Look | None:
        """This visitor's run, where it is the one of this step."""
        view = self.view(walk)
        if view is None or view["show"] != "tuning" or not visitor or self.row(walk) is None:
            return None
        found = self.playground.runs.look(visitor)
        return found if found is not None and found.plan == self.plan(walk) else None

    def busy(self, visitor: str) -> bool:
        """Whether something of this visitor is training, of this step or another: there is one at a time."""
        found = self.playground.runs.look(visitor) if visitor else None
        return found is not None and not found.over


def watched(found: Look, language: str) -> Shown:
    """A tuning run as it is now: its curves, what it does, and the methods that have ended side by side."""
    table = comparison(found.outcomes, language) if found.outcomes else ""
    html = status(found, language) + table
    if not found.points:
        return Shown(html=html)
    names = text("list.comma", language).join(method_name(name, language) for name in found.plan.methods)
    figure = curves(found.points, methods=found.plan.methods, language=language)
    return Shown(drawn(figure, text("tuning.figure.described", language, methods=names)), html)
