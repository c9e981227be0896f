"""One layer as a picture, after figure 1 of Vaswani et al. 2017: boxes from below, and around each part the way past it."""

from collections.abc import Sequence

import numpy as np

from playground.tasks.inside import Box, Result
from playground.ui.language import text
from playground.ui.reading import escape_html, readable

WIDTH, LEFT, BOX, GAP = 360, 44, 56, 18  # pixels: picture, room for the ways past, height of a box, between boxes
STRIP = 12  # height of the strip of words in a box
MOST = 96  # words that a strip can show side by side


def picture(result: Result, language: str, *, pressed: int = -1) -> str:
    """The layer as SVG; its boxes are buttons with their place in `result.boxes` as data-index, one of them `pressed`."""
    height = len(result.boxes) * (BOX + GAP) + GAP
    tops = [height - (place + 1) * (BOX + GAP) for place in range(len(result.boxes))]
    inside = [arrow(top) for top in tops]
    inside += [way_past(tops, *ends) for ends in ways(result)]
    inside += [drawn(result, place, top, place == pressed, language) for place, top in enumerate(tops)]
    label = escape_html(said(result, language))
    return f'<svg class="block" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="{label}">{"".join(inside)}</svg>'


def drawn(result: Result, place: int, top: int, pressed: bool, language: str) -> str:
    """One box: its name, the mean length of the vectors that leave it, and a strip with the length for each word."""
    box = result.boxes[place]
    name, length = name_of(result, box, language), f"{box.norms.mean():.3g}"
    spoken = f"{name}, {text('inside.length', language, length=length)}"
    kind = "add" if box.kind in ("normed", "stream") else box.part
    state = f'data-index="{place}" aria-pressed="{str(pressed).lower()}" aria-label="{escape_html(spoken)}"'
    return (
        f'<g class="box {kind}" role="button" tabindex="0" {state}>'
        f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - 2}" height="{BOX}" rx="8"></rect>'
        f'<text x="{LEFT + 12}" y="{top + 22}">{escape_html(name)}</text>'
        f'<text class="number" x="{WIDTH - 14}" y="{top + 22}" text-anchor="end">{length}</text>'
        f"{strip(result.words, box.norms, top + BOX - STRIP - 10, language)}</g>"
    )


def strip(words: Sequence[str], norms: np.ndarray, top: int, language: str) -> str:
    """A cell for each word, the stronger the longer its vector; the longest of the box is full."""
    shown, width = min(len(words), MOST), WIDTH - LEFT - 26
    step, full = width / shown, max(float(norms.max()), 1e-9)
    cells = [
        f'<rect class="cell" x="{LEFT + 12 + place * step:.1f}" y="{top}" width="{max(step - 1, 1):.1f}" height="{STRIP}" '
        f'fill-opacity="{0.08 + 0.92 * float(norms[place]) / full:.2f}"><title>'
        f"{escape_html(text('inside.word', language, word=readable(words[place]), length=f'{norms[place]:.3g}'))}</title></rect>"
        for place in range(shown)
    ]
    return "".join(cells)


def ways(result: Result) -> list[tuple[int, int]]:
    """For each part, the box it starts behind and the box in which what went past is added again."""
    found, before = [], 0
    for place, box in enumerate(result.boxes):
        if box.kind == ("stream" if result.norm_first else "normed"):
            found.append((before, place))
            before = place
    return found


def way_past(tops: Sequence[int], start: int, end: int) -> str:
    """A line from between two boxes, around a part, into the side of the box that adds."""
    low, high = tops[start] - GAP / 2, tops[end] + BOX / 2
    middle, out = LEFT + (WIDTH - LEFT) / 2, 14
    return (
        f'<path class="past" d="M {middle} {low} H {out + 8} Q {out} {low} {out} {low - 8} V {high + 8} Q {out} {high} {out + 8} {high} '
        f'H {LEFT - 6}"></path><path class="tip" d="M {LEFT - 8} {high - 4} l 7 4 l -7 4 z"></path>'
    )


def arrow(top: int) -> str:
    """From a box to the one above it."""
    x, end = LEFT + (WIDTH - LEFT) / 2, top - GAP + 6
    return f'<path class="past" d="M {x} {top} V {end}"></path><path class="tip" d="M {x - 4} {end + 2} l 4 -7 l 4 7 z"></path>'


def name_of(result: Result, box: Box, language: str) -> str:
    """What a box is called."""
    stack, layer = result.layer.split(".")
    if box.part == "input":
        return text("inside.input.next", language, layer=int(layer)) if int(layer) else text("inside.input.first", language)
    if box.kind == "normed":
        return text("inside.norm" if result.norm_first else "inside.add_norm", language)
    if box.kind == "stream":
        return text("inside.add", language)
    part = box.part
    if part == "self" and stack == "decoder":
        part = "ssru" if result.recurrent else "masked"
    return text(f"inside.{part}.update", language)


def said(result: Result, language: str) -> str:
    """The picture in words."""
    names = [f"{name_of(result, box, language)} {box.norms.mean():.3g}" for box in result.boxes]
    return text("inside.picture", language, stack=layer_name(result.layer, language), boxes=text("list.comma", language).join(names))


def layer_name(layer: str, language: str) -> str:
    """ "decoder.3" as people say it."""
    stack, number = layer.split(".")
    return text(f"whatif.stack.{stack}", language, layer=int(number) + 1)
