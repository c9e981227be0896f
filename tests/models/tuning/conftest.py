"""Tiny models with real tokenizers, and tasks of a few sentences."""

from pathlib import Path

import pytest

from models.loading import load
from models.model import Model
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


@pytest.fixture(scope="session")
def tuning_models(tiny_models: dict[str, Path]) -> dict[str, Model]:
    """Loaded once; no test may change them, which is what they are for."""
    return {name.removeprefix("tiny-"): load(folder) for name, folder in tiny_models.items()}
