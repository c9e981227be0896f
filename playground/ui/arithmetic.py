"""One attention weight, told step by step: the formula, the real numbers in it, and what they are numbers of.

The steps and their letters are those of Vaswani et al. 2017: equation 1 of section 3.2.1, then the heads of section 3.2.2.
"""

from collections.abc import Sequence

import numpy as np

from playground.tasks.weigh import Result
from playground.ui.formula import answer, exp, formula, name, number, over, root, sign, total, value
from playground.ui.language import text
from playground.ui.naming import head_name, site_name
from playground.ui.reading import escape_html, readable
from playground.ui.strips import all_numbers, choices, strips

ROWS = 16  # words of a softmax that are listed; of a longer row the heaviest


def told(one: Result, language: str) -> str:
    """The whole story of one weight, as HTML."""
    steps = (dot_product, scaling, mask, softmax, share, mixing, joining)
    told_ = "".join(
        f'<li class="step"><h4>{escape_html(text(f"arithmetic.{step.__name__}", language))}</h4>{step(one, language)}</li>'
        for step in steps
    )
    place = {"site": site_name(one.site, language), "head": head_name(one.head, language)}
    pair = {"query": shown(one.words_query[one.query]), "key": shown(one.words_key[one.key])}
    title = text("arithmetic.title", language, weight=f"<b>{number(one.weight)}</b>", **pair)
    where = escape_html(text("arithmetic.where", language, **place))
    return story(title, where, f'<ol class="steps">{told_}</ol>')


def heads_of_cell(weights: np.ndarray, query: str, key: str, site: str, language: str) -> str:
    """The weights (H,) of one cell in every head, to choose one: their mean was not computed by the model, each of them was."""
    title = text("arithmetic.mean", language, weight=f"<b>{number(float(weights.mean()))}</b>", query=shown(query), key=shown(key))
    names = [head_name(head, language) for head in range(len(weights))]
    bars = choices(text("arithmetic.heads", language), names, weights)
    return story(title, escape_html(site_name(site, language)), paragraph("choose_head", language) + bars)


def story(title: str, where: str, rest: str) -> str:
    """A heading, which a screen reader announces, and what follows."""
    return f'<div class="arithmetic"><p class="cell-title" role="status">{title}<br/><small>{where}</small></p>{rest}</div>'


def dot_product(one: Result, language: str) -> str:
    """q . k"""
    query, key = shown(one.words_query[one.query]), shown(one.words_key[one.key])
    q, k, product = (f"<math><mrow>{part}</mrow></math>" for part in (name("q"), name("k"), name("q", "i") + name("k", "i")))
    vectors = strips((f"{q} {query}", one.q), (f"{k} {key}", one.k)) + strips((product, one.products))
    numbers = all_numbers(text("arithmetic.all_numbers", language, count=len(one.q)), (q, k, product), (one.q, one.k, one.products))
    line = formula(name("q"), sign("·"), name("k"), sign("="), total("i", name("q", "i") + name("k", "i")), answer(one.total))
    shared = "" if one.key_head == one.head else paragraph("shared_keys", language, head=one.head + 1, key_head=one.key_head + 1)
    return paragraph("dot_product_note", language, query=query, key=key) + shared + vectors + line + numbers


def scaling(one: Result, language: str) -> str:
    """q . k / sqrt(D)"""
    width = len(one.q)
    above = name("q") + sign("·") + name("k")
    numbers = over(value(one.total), root(f"<mn>{width}</mn>"))
    line = formula(name("s"), sign("="), over(above, root(name("d", "k"))), sign("="), numbers, answer(float(one.before[one.key])))
    return paragraph("scaling_note", language, width=width) + line


def mask(one: Result, language: str) -> str:
    """What the query may not see."""
    count = int(np.isneginf(one.scores).sum())
    note = "mask_none" if not count else "mask_this" if one.hidden else "mask_others"
    line = formula(name("s"), sign("←"), value(float(one.scores[one.key]))) if count else ""
    return paragraph(note, language, count=count, query=shown(one.words_query[one.query]), key=shown(one.words_key[one.key])) + line


def softmax(one: Result, language: str) -> str:
    """The row of scores, made positive."""
    score = float(one.scores[one.key])
    numbers = exp(value(score) + sign("−") + value(one.highest))
    first = formula(exp(name("s") + sign("−") + name("m")), sign("="), numbers, answer(float(one.exps[one.key])))
    second = formula(name("Z"), sign("="), total("j", exp(name("s", "j") + sign("−") + name("m"))), answer(one.denominator))
    return paragraph("softmax_note", language, highest=number(one.highest)) + first + row_of_scores(one, language) + second


def share(one: Result, language: str) -> str:
    """The weight itself."""
    parts = over(exp(name("s") + sign("−") + name("m")), name("Z")), over(value(float(one.exps[one.key])), value(one.denominator))
    return paragraph("share_note", language) + formula(name("a"), sign("="), parts[0], sign("="), parts[1], answer(one.weight))


def mixing(one: Result, language: str) -> str:
    """What the weight does: it decides how much of v is taken."""
    query, key = shown(one.words_query[one.query]), shown(one.words_key[one.key])
    v, part = (f"<math><mrow>{letters}</mrow></math>" for letters in (name("v"), name("a") + name("v")))
    others, output = (escape_html(text(f"arithmetic.{what}", language)) for what in ("others", "head_output"))
    shrunk = strips((f"{v} {key}", one.v), (part, one.weighted))
    added = strips((part, one.weighted), (f"+ {others}", one.others), (f"= {output}", one.output))
    line = formula("<mtext>head</mtext>", sign("="), total("j", name("a", "j") + name("v", "j")))
    columns = {v: one.v, part: one.weighted, others: one.others, output: one.output}
    numbers = all_numbers(text("arithmetic.all_numbers", language, count=len(one.v)), list(columns), list(columns.values()))
    return paragraph("mixing_note", language, query=query, key=key) + shrunk + line + added + numbers


def joining(one: Result, language: str) -> str:
    """All heads side by side, projected: the same as each head projected alone, and the sum."""
    names = [head_name(head, language) for head in range(len(one.parts))]
    multi = "<mtext>Concat</mtext>" + sign("(") + "<msub><mtext>head</mtext><mn>1</mn></msub>" + sign("…")
    multi += "<msub><mtext>head</mtext><mi>H</mi></msub>" + sign(")") + "<msup><mi>W</mi><mi>O</mi></msup>"
    line = formula(
        multi, sign("="), total("h", "<msub><mtext>head</mtext><mi>h</mi></msub><msubsup><mi>W</mi><mi>h</mi><mi>O</mi></msubsup>")
    )
    bars = choices(text("arithmetic.parts", language), names, one.parts, chosen=one.head)
    lengths = {"part": number(float(one.parts[one.head])), "update": number(one.update), "bias": number(one.bias)}
    query = shown(one.words_query[one.query])
    summed = paragraph("joining_sum" if one.bias else "joining_sum_no_bias", language, query=query, **lengths)
    return paragraph("joining_note", language, query=query) + line + bars + summed


def row_of_scores(one: Result, language: str) -> str:
    """The softmax of the whole row; of a long row the heaviest words, this one among them, and the others together."""
    listed = shortened(one.weights, one.key)
    masked = bool(np.isneginf(one.scores).any())
    columns = ["word", *(["before"] if masked else []), "score", "exp", "weight"]
    most = float(one.weights.max())
    rows = []
    for place in listed:
        cells = [*([number(one.before[place])] if masked else []), number(one.scores[place]), number(one.exps[place])]
        bar = f'<span class="bar" style="width:{one.weights[place] / most:.1%}"></span>'
        rows.append(
            f'<tr class="{"chosen" if place == one.key else "other"}"><th scope="row">{shown(one.words_key[place])}</th>'
            f"{''.join(f'<td>{cell}</td>' for cell in cells)}<td class='share'>{number(one.weights[place])}{bar}</td></tr>"
        )
    if rest := sorted(set(range(len(one.weights))) - set(listed)):
        left = escape_html(text("arithmetic.rest", language, count=len(rest)))
        sums = f"<td>{number(one.exps[rest].sum())}</td><td class='share'>{number(one.weights[rest].sum())}</td>"
        rows.append(f'<tr class="other"><th scope="row">{left}</th>{"<td></td>" * (1 + masked)}{sums}</tr>')
    head = "".join(f'<th scope="col">{escape_html(text(f"arithmetic.column_{column}", language))}</th>' for column in columns)
    table = f'<table class="numbers scores"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return f'<div class="wide" tabindex="0">{table}</div>'


def shortened(weights: np.ndarray, key: int) -> Sequence[int]:
    """The places to list, in the order of the text."""
    if len(weights) <= ROWS:
        return range(len(weights))
    return sorted({*np.argsort(-weights, kind="stable")[: ROWS - 1].tolist(), key})


def shown(word: str) -> str:
    """A word of the visitor's text, as HTML."""
    return f"<b>{escape_html(readable(word))}</b>"


def paragraph(sentence: str, language: str, /, **values: object) -> str:
    """A sentence of the table; values that are words of the visitor are HTML already."""
    return f"<p>{text(f'arithmetic.{sentence}', language, **values)}</p>"
