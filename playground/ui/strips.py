"""Vectors as strips of colour, amounts as bars, and the numbers behind both as tables."""

from collections.abc import Sequence

import numpy as np

from playground.ui.formula import number
from playground.ui.reading import escape_html


def strip(label: str, values: np.ndarray, *, largest: float) -> str:
    """One row of cells: blue above zero, orange below, clear at zero, full colour at `largest`. `label` is HTML.

    Blue and orange are told apart with every kind of colour vision (Okabe & Ito 2008).
    """
    cells = "".join(
        f'<i class="{"minus" if value < 0 else "plus"}" style="--a:{min(abs(value) / (largest or 1), 1):.0%}" '
        f'title="{place}: {number(value)}"></i>'
        for place, value in enumerate(values.tolist(), start=1)
    )
    ends = f"{number(float(values.min()))} … {number(float(values.max()))}"
    return (
        f'<div class="strip-row"><span class="strip-label">{label}</span>'
        f'<span class="strip" aria-hidden="true">{cells}</span><span class="strip-ends">{ends}</span></div>'
    )


def strips(*rows: tuple[str, np.ndarray]) -> str:
    """Strips below each other, in the same colours for the same numbers."""
    most = max(float(np.abs(values).max()) for _, values in rows)
    return f'<div class="strips">{"".join(strip(label, values, largest=most) for label, values in rows)}</div>'


def all_numbers(summary: str, heads: Sequence[str], columns: Sequence[np.ndarray]) -> str:
    """A table of vectors that opens on demand; it is what a screen reader gets of the strips. `heads` are HTML."""
    rows = "".join(
        f'<tr><th scope="row">{place}</th>{"".join(f"<td>{number(value)}</td>" for value in values)}</tr>'
        for place, values in enumerate(zip(*(column.tolist() for column in columns)), start=1)
    )
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    return (
        f'<details class="all-numbers"><summary>{escape_html(summary)}</summary><div class="wide" tabindex="0">'
        f'<table class="numbers"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


def choices(label: str, names: Sequence[str], amounts: np.ndarray, *, chosen: int = -1) -> str:
    """A button for each name with a bar of its amount, to be clicked; its place in the list is in `data-index`."""
    most = float(amounts.max()) or 1.0
    buttons = "".join(
        f'<button type="button" class="bar-choice" data-index="{place}" aria-pressed="{"true" if place == chosen else "false"}">'
        f'<span>{escape_html(name)}</span><span class="bar-room"><span class="bar" style="width:{amount / most:.1%}"></span></span>'
        f'<span class="amount">{number(amount)}</span></button>'
        for place, (name, amount) in enumerate(zip(names, amounts.tolist()))
    )
    return f'<div class="bar-choices" role="group" aria-label="{escape_html(label)}">{buttons}</div>'
