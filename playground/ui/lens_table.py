"""The guess after every layer as a table: a row for each layer, the likeliest words beside it, tinted by their probability."""

from playground.tasks.fill_mask import MASK
from playground.tasks.logit_lens import Layer, Result
from playground.ui.language import text
from playground.ui.reading import escape_html, percent, readable


def lens_table(result: Result, language: str) -> str:
    """The table as HTML; where a layer names the word that the whole model puts first, it is bold."""
    word = readable(result.word)
    ranks = "".join(
        f'<th scope="col">{escape_html(text("lens.rank", language, rank=rank + 1))}</th>'
        for rank in range(len(result.layers[-1].candidates))
    )
    head = (
        f'<tr><th scope="col">{escape_html(text("lens.layer", language))}</th>{ranks}'
        f'<th scope="col">{escape_html(text("lens.final", language, word=word))}</th></tr>'
    )
    rows = "".join(row(layer, result.word, language) for layer in reversed(result.layers))
    caption = f"<caption>{escape_html(asked(result, language))}</caption>"
    note = f'<p class="hint">{escape_html(text("lens.note", language))}</p>'
    return f'<div class="wide"><table class="numbers lens">{caption}<thead>{head}</thead><tbody>{rows}</tbody></table></div>{note}'


def row(layer: Layer, final: str, language: str) -> str:
    """One layer; the last stands on top, as in the picture of a layer."""
    cells = "".join(
        f'<td style="--share:{candidate.probability:.0%}" class="{"final" if candidate.word == final else ""}">'
        f"{escape_html(readable(candidate.word))} <small>{percent(candidate.probability)}</small></td>"
        for candidate in layer.candidates
    )
    _, number = layer.site.split(".")
    name = text("lens.embeddings", language) if number == "embeddings" else text("lens.number", language, layer=int(number) + 1)
    return f'<tr><th scope="row">{escape_html(name)}</th>{cells}<td class="share">{percent(layer.final)}</td></tr>'


def asked(result: Result, language: str) -> str:
    """What is guessed."""
    if result.words[result.place] == MASK:
        return text("lens.masked", language, word=readable(result.covered or MASK))
    return text("lens.next", language, word=readable(result.words[result.place]))
