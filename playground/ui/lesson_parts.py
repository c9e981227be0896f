"""What the lessons tab says around a step: where one is, what the buttons do, what is still missing."""

from collections.abc import Mapping

import gradio as gr

from playground.lessons.content import Lesson
from playground.lessons.walk import Walk
from playground.ui.language import text
from playground.ui.reading import escape_html

# Not `gr.Walkthrough`: the number of its steps is fixed when the page is built, it counts hidden ones ("Step 4/8" of 6) and shows those it
# has passed all the same, it says "Step" in English in any language, and it lets nobody jump ahead.
CLICK = """element.addEventListener('click', (event) => {
  const step = event.target.closest('[data-index]');
  if (step) trigger('select', { index: Number(step.dataset.index) });
})"""
# A long step leaves the reader at its end; the next one begins at its beginning.
TO_THE_TOP = "() => { const top = document.getElementById('lesson-steps'); if (top.getBoundingClientRect().top < 0) top.scrollIntoView(); }"


def steps_bar() -> gr.HTML:
    """An empty line of steps; `.select` brings the index of the clicked one."""
    return gr.HTML("", js_on_load=CLICK, elem_id="lesson-steps", elem_classes="lesson-steps")


def steps(lessons: Mapping[str, Lesson], walk: Walk, language: str) -> str:
    """The lesson, how long it takes, and its steps as buttons: which is this one, and where something was predicted already."""
    lesson = lessons[walk.lesson]
    title = text("lessons.title", language, title=lesson.title[language], minutes=lesson.minutes)
    place = text("lessons.place", language, number=walk.index + 1, count=len(lesson.steps))
    items = []
    for index, step in enumerate(lesson.steps):
        name = escape_html(step.title[language])
        here = ' aria-current="step"' if index == walk.index else ""
        done = ' class="done"' if (walk.lesson, index) in walk.answers else ""
        items.append(f'<li><button type="button" data-index="{index}"{here}{done}><b>{index + 1}</b> <span>{name}</span></button></li>')
    return (
        f'<p class="lesson-place"><strong>{escape_html(title)}</strong> <span>{escape_html(place)}</span></p>'
        f'<nav aria-label="{escape_html(text("lessons.steps", language))}"><ol>{"".join(items)}</ol></nav>'
    )


def chooser(lessons: Mapping[str, Lesson], language: str) -> list[tuple[str, str]]:
    """The lessons as options: numbered in their order, whatever numbers their files give."""
    return [(f"{number} · {lesson.title[language]}", lesson.key) for number, lesson in enumerate(lessons.values(), 1)]


def onward(lessons: Mapping[str, Lesson], walk: Walk, language: str) -> tuple[str, bool]:
    """What the button forward says, and whether it leads anywhere: to the next step, the next lesson, or nowhere."""
    if walk.index + 1 < len(lessons[walk.lesson].steps):
        return text("lessons.next", language), True
    following = walk.after(lessons)
    if following is None:
        return text("lessons.end", language), False
    return text("lessons.next_lesson", language, title=lessons[following].title[language]), True
