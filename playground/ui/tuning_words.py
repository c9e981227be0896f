"""What the tuning tab says in words and tables."""

from collections.abc import Sequence
from typing import Literal

from playground.service.kept import Kept
from playground.service.runs import Look, Outcome
from playground.service.trials import Tried
from playground.ui.language import text
from playground.ui.notice import refusal, remark
from playground.ui.reading import escape_html, percent, readable
from playground.ui.wording import sentence

COLUMNS = ("method", "trainable", "share", "dev", "test", "pace", "memory", "size")
LESSONS = ("variants", "ask_teacher")  # stages before the first method begins
ENDS = {"done": "tuning.status.done", "stopped": "tuning.status.stopped"}


def status(look: Look | None, language: str) -> str:
    """What the run does now, in one line; empty where there never was one."""
    if look is None:
        return ""
    if look.over:
        if look.state == "failed" and look.problem:
            return refusal(sentence(look.problem, language))
        badly = look.state == "done" and any(outcome.problem for outcome in look.outcomes)
        return remark(text("tuning.status.done_badly" if badly else ENDS[look.state], language))
    if look.position:
        return remark(text("tuning.status.waiting", language, position=look.position))
    last = look.points[-1] if look.points else None
    if look.held and not look.stage:
        if last is None:
            return remark(text("tuning.status.held_before", language))
        return remark(text("tuning.status.held", language, method=method_name(last.method, language), step=last.step))
    if look.stage and look.stage.method:
        return remark(text(f"tuning.status.{look.stage.what}", language, method=method_name(look.stage.method, language)))
    if look.stage or last is None:
        what = look.stage.what if look.stage and look.stage.what in LESSONS else "load"
        return remark(text(f"tuning.status.{what}", language))
    method = method_name(last.method, language)
    if look.plan.seeds > 1:
        return remark(text("tuning.status.running_seed", language, method=method, step=last.step, seed=last.seed))
    return remark(text("tuning.status.running", language, method=method, step=last.step))


def method_name(method: str, language: str) -> str:
    return text(f"tuning.method.{method}", language)


def comparison(outcomes: Sequence[Outcome], language: str) -> str:
    """The table: a row for each method that has ended."""
    if not outcomes:
        return f'<p class="hint">{escape_html(text("tuning.table.empty", language))}</p>'
    head = "".join(f'<th scope="col">{escape_html(text(f"tuning.table.{column}", language))}</th>' for column in COLUMNS)
    rows = "".join(row(outcome, language) for outcome in outcomes)
    caption, note = (escape_html(text(f"tuning.table.{key}", language)) for key in ("caption", "note"))
    if any(outcome.kept and len(outcome.kept.seeds) > 1 for outcome in outcomes):
        note += " " + escape_html(text("tuning.table.seeds", language))
    if teacher := next((outcome.kept.teacher for outcome in outcomes if outcome.kept and outcome.kept.teacher), ""):
        note += " " + escape_html(text("tuning.table.taught", language, teacher=teacher))
    return (
        f'<div class="wide"><table class="numbers"><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'</div><p class="hint">{note}</p>'
    )


def row(outcome: Outcome, language: str) -> str:
    """How one method did; what went wrong takes the place of the numbers, or stands below them."""
    name = f'<th scope="row">{escape_html(method_name(outcome.method, language))}</th>'
    told = (
        f'<td colspan="{len(COLUMNS) - 1}" class="problem">{escape_html(sentence(outcome.problem, language))}</td>'
        if outcome.problem
        else ""
    )
    if outcome.kept is None:
        return f"<tr>{name}{told}</tr>"
    kept = outcome.kept
    cells = (
        f"{kept.trainable:,}",
        percent(kept.share),
        spread(kept, "dev"),
        spread(kept, "test"),
        f"{kept.seconds / kept.steps:.2g}" if kept.trainable and kept.steps else "–",
        size(kept.memory),
        size(kept.n_bytes),
    )
    numbers = f"<tr>{name}{''.join(f'<td>{escape_html(cell)}</td>' for cell in cells)}</tr>"
    return numbers + (f"<tr><th></th>{told}</tr>" if told else "")


def share(value: float | None) -> str:
    """An accuracy: whole per cents are all that some hundred sentences can tell."""
    return "–" if value is None else f"{value:.0%}".replace("%", " %")


def spread(kept: Kept, part: Literal["dev", "test"]) -> str:
    """An accuracy, with several seeds their mean and standard deviation."""
    mean, deviation = kept.over_seeds(part)
    return share(mean) if deviation is None else f"{mean:.0%} ± {100 * deviation:.0f}".replace("%", " %")


def size(n_bytes: int | None) -> str:
    """A size in the unit that suits it; a dash where there is none."""
    if not n_bytes:
        return "–"
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{max(n_bytes / 1e3, 0.1):.1f} kB"


def label_name(kept: Kept, label: str, language: str) -> str:
    return kept.labels.get(label, {}).get(language, label)


def mistakes(kept: Kept, language: str) -> str:
    """The test sentences that were answered wrong."""
    if kept.kind != "classify" or not kept.confusion:
        return ""
    heading = f"<h3>{escape_html(text('tuning.wrong', language))}</h3>"
    if not kept.wrong:
        counted = sum(count for true, row in kept.confusion.items() for guess, count in row.items() if guess != true)
        return heading + f'<p class="hint">{escape_html(text("tuning.wrong_gone" if counted else "tuning.wrong_none", language))}</p>'
    rows = []
    for _, words, answer, guess in kept.wrong:
        names = {"answer": label_name(kept, answer, language), "guess": label_name(kept, guess, language)}
        rows.append(f"<li>{escape_html(words)} <small>{escape_html(text('tuning.wrong_row', language, **names))}</small></li>")
    return f'{heading}<ol class="mistakes">{"".join(rows)}</ol>'


def tried(answer: Tried, kept: Kept, language: str) -> str:
    """Two answers side by side."""
    before = answer.before if answer.before is not None else text("tuning.no_before", language)
    parts = [("tuning.before", before), ("tuning.after", answer.after)]
    return f'<div class="pair">{"".join(half(text(key, language), value, kept, language) for key, value in parts)}</div>'


def half(title: str, value: dict[str, float] | str, kept: Kept, language: str) -> str:
    """One answer: a text, or bars with the likeliest label marked."""
    if isinstance(value, str):
        return f'<div class="result"><small>{escape_html(title)}</small><p>{escape_html(value)}</p></div>'
    best = max(value, key=value.get)
    rows = "".join(
        f'<tr class="{"chosen" if label == best else ""}"><th scope="row">{escape_html(label_name(kept, label, language))}</th>'
        f'<td><span class="bar" style="width:{chance:.1%}"></span></td><td class="share">{percent(chance)}</td></tr>'
        for label, chance in value.items()
    )
    return f'<div class="result"><table class="alternatives"><caption>{escape_html(title)}</caption>{rows}</table></div>'


def nearest_words(kept: Kept, language: str) -> str:
    """For each vector of a soft prompt the words that it is most like."""
    if not kept.prompt:
        return ""
    rows = "".join(
        f'<tr><th scope="row">P{place}</th><td>'
        + " ".join(f'<span class="near">{escape_html(readable(word))} <small>{cosine:.2f}</small></span>' for word, cosine in near)
        + "</td></tr>"
        for place, near in enumerate(kept.prompt["words"], 1)
    )
    title, note = escape_html(text("tuning.words", language)), escape_html(text("tuning.words_note", language))
    table = f'<table class="numbers words"><caption>{title}</caption><tbody>{rows}</tbody></table>'
    return f'<div class="wide">{table}</div><p class="hint">{note}</p>'
