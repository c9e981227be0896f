"""A small picture of each method of tuning: the boxes of a Transformer layer, and which of them learn."""

from models.tuning import methods
from playground.ui.language import text
from playground.ui.reading import escape_html

WIDTH, ROW, GAP = 230, 30, 8  # pixels
ROWS = ("rest", "feedforward", "attention", "words")  # from the answer down to the words
EXTRAS = {"attention": "keys", "words": "input"}  # what may stand in front of a box


def pictures(language: str) -> str:
    """All methods in the order of the list, each with its picture and one sentence."""
    return f'<div class="methods">{"".join(described(name, method.moves, language) for name, method in methods().items())}</div>'


def described(name: str, moves: tuple[str, ...], language: str) -> str:
    """One method."""
    title, sentence = text(f"tuning.method.{name}", language), text(f"tuning.explain.{name}", language)
    return f"<figure>{picture(moves, title, language)}<figcaption><b>{escape_html(title)}</b> {escape_html(sentence)}</figcaption></figure>"


def picture(moves: tuple[str, ...], title: str, language: str) -> str:
    """The boxes as SVG; those that learn are filled, and the picture's description names them."""
    boxes, y = [], 1
    for row in ROWS:
        extra = EXTRAS.get(row)
        x = 1
        if extra and extra in moves:
            boxes.append(box(extra, 1, y, 72, True, language))
            x = 1 + 72 + GAP
        boxes.append(box(row, x, y, WIDTH - x - 1, row in moves, language))
        y += ROW + GAP
    learning = text("list.comma", language).join(text(f"tuning.box.{part}", language) for part in moves)
    said = f"{title}: {learning} ({text('tuning.box.learns', language)})" if moves else f"{title}: {text('tuning.box.fixed', language)}"
    height = y - GAP + 1
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape_html(said)}">{"".join(boxes)}</svg>'


def box(part: str, x: int, y: int, width: int, learns: bool, language: str) -> str:
    """One part of the layer."""
    shown = escape_html(text(f"tuning.box.{part}", language))
    return (
        f'<g class="{"learns" if learns else "fixed"}"><rect x="{x}" y="{y}" width="{width}" height="{ROW}" rx="6"></rect>'
        f'<text x="{x + width / 2:g}" y="{y + ROW / 2 + 4:g}" text-anchor="middle">{shown}</text></g>'
    )
