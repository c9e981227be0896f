"""Tasks of a few sentences."""

from models.tuning.task import Example, Examples, Label, Task

WARM = ["She drank a cup of tea.", "The girl had coffee and tea in the morning.", "He ordered a sandwich and coffee.", "A cup was ordered."]
WET = ["It had been raining all night.", "The streets were still wet.", "Nobody crossed the wet street.", "The sky is blue in Berlin."]
DRINK = Task(
    name="drink",
    kind="classify",
    labels={"drink": Label(word="tea"), "weather": Label(word="blue")},
    template="{text} It was [MASK].",
)
SAY = Task(name="say", kind="rewrite", template="{text}")


def classes(*, train: int = 8) -> Examples:
    rows = [Example(text=text, answer=label) for pair in zip(WARM, WET) for text, label in zip(pair, ("drink", "weather"))]
    return Examples(task=DRINK, train=tuple(rows[:train]), dev=tuple(rows[:4]), test=tuple(rows[4:]))


def rewritten() -> Examples:
    rows = tuple(Example(text=text, answer=other) for text, other in zip(WARM, WET))
    return Examples(task=SAY, train=rows, dev=rows[:2], test=rows[2:])
