"""Which answer is right: as the lesson says, or as the model shows now. A model that was trained anew may make another answer right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.lessons.content import Question
from playground.lessons.kinds import Kind
from playground.ui.language import text
from playground.ui.reading import escape_html, percent


@dataclass(frozen=True, kw_only=True)
class Grade:
    """`right`: index of the right choice, None where what the model did fits none. `measured`: a number for each choice, or one in all."""

    right: int | None
    measured: tuple[float, ...] = ()


def grade(question: Question, kind: Kind | None, answer: Any, view: Mapping[str, Any] | None) -> Grade:
    """`answer` is what the kind's `ask` gave for the lesson's own text; it may be None where the lesson itself knows what is right."""
    if question.right == "fixed":
        return Grade(right=next(place for place, choice in enumerate(question.choices) if choice.right))
    if question.right == "band":
        number = kind.measure(answer, view, question.of)
        if number is None:
            return Grade(right=None)
        bounds = [choice.below if choice.below is not None else float("inf") for choice in question.choices]
        return Grade(right=next(place for place, bound in enumerate(bounds) if number < bound), measured=(number,))
    numbers = [kind.measure(answer, view, choice.measure) for choice in question.choices]
    if None in numbers or max(numbers) <= 0:
        return Grade(right=None)
    return Grade(right=numbers.index(max(numbers)), measured=tuple(numbers))


def verdict(question: Question, grade: Grade, chosen: int, language: str) -> str:
    """What is said about an answer, as HTML: kind, with what was measured, and why."""
    right = None if grade.right is None else question.choices[grade.right]
    if right is None:
        heading = text("lessons.neither", language)
    elif grade.right == chosen:
        heading = text("lessons.right", language)
    else:
        heading = text("lessons.wrong", language, answer=right.text[language])
    reasons = [right.why[language]] if right and right.why else []
    paragraphs = "".join(f"<p>{escape_html(reason)}</p>" for reason in [*reasons, question.why[language]])
    mood = "right" if grade.right == chosen else "other"
    return (
        f'<div class="verdict {mood}"><p><strong>{escape_html(heading)}</strong></p>{numbers(question, grade, language)}{paragraphs}</div>'
    )


def numbers(question: Question, grade: Grade, language: str) -> str:
    """What the page measured, a line for each choice."""
    if not grade.measured:
        return ""
    if question.right == "band":
        return f"<p>{escape_html(text('lessons.measured', language, number=said(grade.measured[0])))}</p>"
    rows = "".join(
        f'<tr class="{"chosen" if place == grade.right else ""}"><th scope="row">{escape_html(choice.text[language])}</th>'
        f'<td><span class="bar" style="width:{number / max(grade.measured):.1%}"></span></td><td class="share">{said(number)}</td></tr>'
        for place, (choice, number) in enumerate(zip(question.choices, grade.measured))
    )
    return f'<table class="alternatives">{rows}</table>'


def said(number: float) -> str:
    """A share in percent, a count as it is. Nothing has no chance at all: what the model did not list is only too small to be listed."""
    return str(number) if isinstance(number, int) else percent(number) if number else "≈ 0 %"
