"""Masks filled together: the words to put in by hand, and the three ways side by side."""

from playground.tasks import fill_mask
from playground.tasks.fill_masks import Filling, Result
from playground.ui.language import text
from playground.ui.reading import escape_html, percent, readable

MOST = 6  # words offered for one gap


def chips(result: fill_mask.Result, language: str) -> str:
    """The best words of each gap as buttons, numbered through: see `chip`."""
    rows, index = [], 0
    for number, mask in enumerate(result.masks, 1):
        buttons = []
        for candidate in mask.candidates[:MOST]:
            title = f' title="{percent(candidate.probability)}"'
            buttons.append(
                f'<button type="button" class="pick" data-index="{index}"{title}>{escape_html(readable(candidate.word))}</button>'
            )
            index += 1
        rows.append(f"<li><small>{escape_html(text('masked_word.gap', language, number=number))}</small> {' '.join(buttons)}</li>")
    return f'<p>{escape_html(text("masked_word.put_in", language))}</p><ul class="chips">{"".join(rows)}</ul>'


def chip(result: fill_mask.Result, index: int) -> tuple[fill_mask.Mask, fill_mask.Candidate] | None:
    """The gap and the word of the button with this number."""
    offered = [(mask, candidate) for mask in result.masks for candidate in mask.candidates[:MOST]]
    return offered[index] if 0 <= index < len(offered) else None


def together(result: Result, language: str) -> str:
    """The three fillings, one under the other, with what each costs and what the model thinks of it."""
    lead = text("fillings.lead" if result.differing else "fillings.same", language)
    items = "".join(item(result, filling, language) for filling in result.fillings)
    return (
        f'<h3>{escape_html(text("fillings.title", language))}</h3><p class="hint">{escape_html(lead)}</p>'
        f'<ol class="fillings">{items}</ol><p class="hint">{escape_html(text("fillings.note", language))}</p>'
    )


def item(result: Result, filling: Filling, language: str) -> str:
    """One way: its name, the text, how it came about."""
    best = result.differing and filling.score == result.best
    mark = f'<span class="badge">{escape_html(text("fillings.best", language))}</span>' if best else ""
    facts = [
        text("fillings.score", language, score=f"{filling.score:.2f}".replace("-", "−")),
        text("fillings.passes", language, count=filling.passes),
    ]
    how = [text(f"fillings.{filling.way}_how", language)]
    if len(filling.rounds) > 1:
        joint = text("list.comma", language)
        said = " → ".join(joint.join(map(readable, words)) for words in filling.rounds)
        how.append(text("fillings.rounds", language, rounds=said))
    how += [] if filling.settled else [text("fillings.restless", language)]
    return (
        f'<li class="{"best" if best else ""}"><p class="way"><strong>{escape_html(text(f"fillings.{filling.way}", language))}</strong> '
        f'<small>{escape_html(" · ".join(facts))}</small>{mark}</p><p class="filled">{marked(result, filling)}</p>'
        f'<p class="how">{" ".join(map(escape_html, how))}</p></li>'
    )


def marked(result: Result, filling: Filling) -> str:
    """The text of a filling, its words in bold, those that are not the same in every way underlined too."""
    made = []
    for piece, order in filling.parts:
        shown = "<br>".join(map(escape_html, piece.split("\n")))
        made.append(shown if order < 0 else f'<mark class="{"differs" if order in result.differing else ""}">{shown}</mark>')
    return "".join(made)
