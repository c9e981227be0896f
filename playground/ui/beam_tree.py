"""The tree of a beam search as a drawing: a column a step, the best beginning on top, lines from each word to what went on from it."""

from playground.tasks.beam_tree import Node, Result
from playground.ui.language import text
from playground.ui.reading import columns, escape_html, readable, shorten

WORD = 14  # columns of a word
LETTER, PAD = 8, 14  # pixels
BOX, ROW = 24, 58  # pixels: of a word's box, and from one beginning to the next
GAP = 26  # pixels between two steps
TOP = 8


def drawn(result: Result, language: str) -> str:
    """The tree as SVG in a frame that scrolls sideways."""
    nodes = result.nodes
    shown = [shorten(readable(node.word), WORD) for node in nodes]
    steps = max((node.step for node in nodes), default=-1) + 1
    widths = [max((width(shown[n]) for n, node in enumerate(nodes) if node.step == step), default=0) for step in range(steps)]
    lefts = [TOP + sum(widths[:step]) + GAP * step for step in range(steps)]
    rows = max((node.place for node in nodes), default=0) + 1
    lines, boxes = [], []
    for number, node in enumerate(nodes):
        x, y = lefts[node.step], TOP + ROW * node.place
        if node.parent >= 0:
            before = nodes[node.parent]
            start = lefts[before.step] + width(shown[node.parent]), TOP + ROW * before.place + BOX / 2
            middle = x - GAP / 2
            lines.append(
                f'<path class="{state(node)}" d="M{start[0]} {start[1]}C{middle} {start[1]} {middle} {y + BOX / 2} {x} {y + BOX / 2}"/>'
            )
        boxes.append(box(result, node, shown[number], x, y, language))
    best = result.texts[0].text if result.texts else ""
    pruned = sum(state(node) == "pruned" for node in nodes)
    said = text("tree.description", language, beams=result.beams, nodes=len(nodes), pruned=pruned, best=best)
    size = f"{lefts[-1] + widths[-1] + TOP + 60 if steps else 60} {TOP + ROW * rows}"
    wide, high = size.split()
    return (
        f'<p class="hint">{escape_html(said)}</p><div class="wide" tabindex="0" role="region" aria-label="{escape_html(said)}">'
        f'<svg class="beam-tree" width="{wide}" height="{high}" viewBox="0 0 {size}" role="img" aria-label="{escape_html(said)}">'
        f"{''.join(sorted(lines, key=lambda line: 'best' in line))}{''.join(boxes)}</svg></div>"
    )


def box(result: Result, node: Node, shown: str, x: int, y: int, language: str) -> str:
    """One word, below it the log probability of the beginning up to it, or the place and score of the whole text that ends here."""
    score = "" if node.score is None else f"{node.score:.2f}".replace("-", "−")
    below = score
    if node.ends is not None:
        below = f"#{node.ends + 1} {result.texts[node.ends].score:.2f}".replace("-", "−")
    title = text("tree.word", language, word=readable(node.word), score=score or "–")
    across = width(shown)
    return (
        f'<g class="{state(node)}{" ends" if node.ends is not None else ""}"><title>{escape_html(title)}</title>'
        f'<rect x="{x}" y="{y}" width="{across}" height="{BOX}" rx="6"/>'
        f'<text x="{x + across / 2}" y="{y + 17}">{escape_html(shown)}</text>'
        f'<text class="score" x="{x + across / 2}" y="{y + BOX + 13}">{escape_html(below)}</text></g>'
    )


def state(node: Node) -> str:
    """Whether a word is on the winner's path, on that of another text, or on none."""
    return "pruned" if not node.texts else "best" if 0 in node.texts else "kept"


def width(shown: str) -> int:
    """Pixels of a word's box; a score fits below it."""
    return max(44, PAD + LETTER * columns(shown))
