"""A matrix of weights between two rows of words, as a plotly trace and its axes.

Positions are the coordinates and words only their labels, so the same word twice stays two rows; plotly shows as many labels as fit, and
more on zooming in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.figures.style import TITLE, colourscale
from playground.ui.reading import columns as columns_of
from playground.ui.reading import label, readable

EXACT = 160 * 160  # cells up to here travel as float32 (4 bytes a cell); more as decimal fractions in uint16
CLIP = 1000  # with more cells than this, half of the rows may reach above the last colour: one weight of 1 would leave all others dark
WORD = 14  # columns of a label
CELL = 46  # pixels that a cell would like to be high
HIGHEST = 620  # pixels that a matrix may be high


@dataclass(frozen=True)
class Packed:
    """Weights as they travel: `z` for plotly, the template that writes one, a weight of 1 in units of `z`, whether 0 means hidden."""

    z: np.ndarray
    number: str
    unit: float = 1.0
    hidden: bool = False


def packed(weights: np.ndarray, hidden: np.ndarray | None) -> Packed:
    """Few cells: float32, NaN where hidden. Many: whole numbers of 1e-4 (less where the largest weight allows) in uint16, half the bytes.

    In the whole numbers 0 means hidden, and what is seen is at least 1.
    """
    if weights.size <= EXACT:
        return Packed(weights if hidden is None else np.where(hidden, np.float32("nan"), weights), "%{z:.3~g}")
    digits = 4
    while weights.max() * 10 ** (digits + 1) < 2**16 and digits < 9:
        digits += 1
    # A weight of 1 is written 0.9999: one more digit would need another template.
    whole = np.clip(np.rint(weights * 10.0**digits), 1, min(10**digits, 2**16) - 1).astype(np.uint16)
    if hidden is not None:
        whole[hidden] = 0
    return Packed(whole, f"0.%{{z:0{digits}d}}", 10.0**digits, hidden is not None)


def cells(weights: np.ndarray, *, hidden: np.ndarray | None = None, hover: str) -> go.Heatmap:
    """The cells of `weights` (rows, columns), none below 0; those where `hidden` (rows, columns) is True stay empty.

    `hover` is plotly's template, with {weight} where the number goes.
    """
    weights = np.asarray(weights, dtype=np.float32)
    data = packed(weights, hidden)
    n_rows, n_columns = weights.shape
    largest = max(float(weights.max()), 1e-9)
    top = float(np.median(weights.max(axis=1))) if weights.size > CLIP else largest
    if not 0 < top < 0.9 * largest:
        top = largest
    gap = 1 if max(n_rows, n_columns) <= 48 else 0
    return go.Heatmap(
        z=data.z,
        x=np.arange(n_columns, dtype=np.uint16),
        y=np.arange(n_rows, dtype=np.uint16),
        meta=data.unit,
        zmin=0,
        zmax=top * data.unit,
        colorscale=colourscale(clear_below=0.5 / (top * data.unit) if data.hidden else 0.0),
        colorbar=colourbar(top, unit=data.unit, clipped=top < largest),
        hovertemplate=hover.replace("{weight}", data.number) + "<extra></extra>",
        hoverongaps=False,
        xgap=gap,
        ygap=gap,
    )


def colourbar(top: float, *, unit: float = 1.0, clipped: bool = False) -> dict[str, Any]:
    """A short bar under the figure: 0, the middle and `top`; `unit` is a weight of 1 in the data."""
    return {
        "orientation": "h",
        "x": 0.5,
        "xanchor": "center",
        "y": 0,
        "yanchor": "top",
        "ypad": 14,
        "lenmode": "pixels",
        "len": 220,
        "thickness": 10,
        "outlinewidth": 0,
        "tickvals": [0, top / 2 * unit, top * unit],
        "ticktext": ["0", f"{top / 2:.2g}", ("≥ " if clipped else "") + f"{top:.2g}"],
        "ticks": "",
    }


def word_axes(rows: Sequence[str], columns: Sequence[str], *, row_title: str, column_title: str) -> dict[str, Any]:
    """The layout of a matrix of words: rows from top to bottom, columns named above, square cells unless that would make a thin strip.

    `meta["fit"]` is a pair (pixels, share): a page narrower than the figure would like may draw it `pixels + share * width` high.
    """
    n_rows, n_columns = len(rows), len(columns)
    row_labels, column_labels = [label(word, WORD) for word in rows], [label(word, WORD) for word in columns]
    size = 14 if max(n_rows, n_columns) <= 12 else 12 if max(n_rows, n_columns) <= 24 else 11
    square = 1 / 4 <= n_rows / n_columns <= 8
    side = min(max(n_rows * CELL, 96), HIGHEST) if square else min(max(n_rows * 28, 96), HIGHEST)
    above = round(TITLE + 28 + widest(columns) * size * 0.55)
    beside = round(40 + widest(rows) * size * 0.62)
    common = {"type": "category", "tickfont": {"size": size}, "ticks": "", "showgrid": False, "zeroline": False}
    common |= {"showline": False, "ticklabelstandoff": 4}
    heading = {"standoff": 6, "font": {"size": 12}}
    xaxis = common | {
        "title": heading | {"text": column_title},
        "labelalias": {str(place): word for place, word in enumerate(column_labels)},
        "side": "top",
        "autotickangles": [0, -60, -90],
        "range": [-0.5, n_columns - 0.5],
    }
    yaxis = common | {
        "title": heading | {"text": row_title},
        "labelalias": {str(place): word for place, word in enumerate(row_labels)},
        "range": [n_rows - 0.5, -0.5],
    }
    layout = {"xaxis": xaxis, "yaxis": yaxis, "height": above + side + 56, "margin": {"l": beside, "r": 16, "t": above, "b": 56}}
    if square:
        xaxis["constrain"] = "domain"
        yaxis |= {"scaleanchor": "x", "constrain": "domain", "constraintoward": "top"}
        share = n_rows / n_columns
        layout["meta"] = {"fit": [round(above + 56 - share * (beside + 16)), round(share, 3)]}
    return layout | {"dragmode": "zoom" if max(n_rows, n_columns) > 24 else False}


def widest(words: Sequence[str]) -> int:
    """Columns of the widest label of these words."""
    return max((min(columns_of(readable(word)), WORD) for word in words), default=0)
