"""What a step of a lesson can show. A new kind is one more entry of `KINDS`; what it asks are questions that the tabs ask too."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from models.errors import Problem
from playground.figures.alignment import alignment
from playground.figures.bars import mask_bars, ranking_bars
from playground.lessons import maps
from playground.service.library import Progress
from playground.service.offers import TUNE
from playground.service.playground import Playground
from playground.tasks import attend, fill_mask, generate, next_sentence, translate
from playground.ui.chart import drawn
from playground.ui.coloured import alternatives, level
from playground.ui.language import text
from playground.ui.reading import escape_html, percent, readable

View = Mapping[str, Any]
MOST_TOKENS = 60  # of a text that is generated in a lesson


class Shown(NamedTuple):
    """What a step shows: the value of a chart, HTML above it, and a line that says what it is."""

    figure: dict[str, Any] | None = None
    html: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of view. `boxes` are the fields of a view that a visitor may change, each with the key of its label.

    `ask(playground, model, view, progress)` gives what `draw(answer, view, language)` shows and `measure(answer, view, what)` reads a
    number off: a share of 1, or a count; None where there is no such thing. `faults(view)` names what is wrong with one of a file.
    """

    task: str
    needs: tuple[str, ...]
    may: tuple[str, ...]
    boxes: tuple[tuple[str, str], ...]
    ask: Callable[[Playground, str, View, Progress | None], Any]
    draw: Callable[[Any, View, str], Shown]
    measure: Callable[[Any, View, Mapping[str, Any]], float | None]
    faults: Callable[[View], Iterator[str]] = lambda view: iter(())


def ask_map(playground: Playground, model: str, view: View, progress: Progress | None) -> maps.Answer:
    """The attention of the text, and where to look at it: the head is looked for in the lesson's own text, which a visitor's is not."""
    request = attend.Request(text=view["text"], second=view.get("second", ""), target=view.get("target", ""))
    result = playground.ask(model, attend.NAME, request, progress=progress)
    find = view.get("find")
    if not find:
        return maps.Answer(result=result, found=maps.fixed(result, view.get("site"), view.get("head", -1)))
    looked_in = view.get("find_in") or view.get("lesson_text", view["text"])
    other = result if looked_in == view["text"] else playground.ask(model, attend.NAME, attend.Request(text=looked_in))
    return maps.Answer(result=result, found=maps.find(other, find))


def draw_map(answer: maps.Answer, view: View, language: str) -> Shown:
    return Shown(maps.pictured(answer, view, language), note=maps.told(answer, view, language))


def ask_masked(playground: Playground, model: str, view: View, progress: Progress | None) -> fill_mask.Result:
    return playground.ask(model, fill_mask.NAME, masked_request(view), progress=progress)


def masked_request(view: View) -> fill_mask.Request:
    return fill_mask.Request(text=view["text"], candidates=tuple(view.get("candidates", ())), top_k=8)


def draw_masked(result: fill_mask.Result, view: View, language: str) -> Shown:
    best = text("list.comma", language).join(mask.candidates[0].word for mask in result.masks)
    return Shown(drawn(mask_bars(result, language=language), text("masked_word.description", language, best=best)))


def measure_masked(result: fill_mask.Result, view: View, what: Mapping[str, Any]) -> float | None:
    """The probability of a word behind the first mask."""
    found = {candidate.word: candidate.probability for candidate in result.masks[0].candidates}
    return found.get(what.get("word"), 0.0)


def ask_following(playground: Playground, model: str, view: View, progress: Progress | None) -> list[next_sentence.Result]:
    requests = [next_sentence.Request(first=view["first"], second=second) for second in candidates(view)]
    return playground.ask_all(model, next_sentence.NAME, requests, progress=progress)


def draw_following(results: list[next_sentence.Result], view: View, language: str) -> Shown:
    sentences, chances = candidates(view), [result.probability for result in results]
    figure = ranking_bars(sentences, chances, first=view["first"], language=language)
    return Shown(drawn(figure, text("next_sentence.description", language, best=sentences[chances.index(max(chances))])))


def measure_following(results: list[next_sentence.Result], view: View, what: Mapping[str, Any]) -> float | None:
    """The probability that a sentence, counted from 1, follows the first."""
    number = what.get("sentence", 1)
    return results[number - 1].probability if number <= len(results) else None


def candidates(view: View) -> list[str]:
    """The sentences that might follow: a list in a file, lines in a box."""
    seconds = view["seconds"]
    lines = seconds.splitlines() if isinstance(seconds, str) else seconds
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise Problem("no_candidates")
    return found


def ask_translation(playground: Playground, model: str, view: View, progress: Progress | None) -> translate.Result:
    return playground.ask(model, translate.NAME, translation_request(view), progress=progress)


def translation_request(view: View) -> translate.Request:
    return translate.Request(text=view["text"], beams=4, alternatives=view.get("alternatives", 0))


def draw_translation(result: translate.Result, view: View, language: str) -> Shown:
    others = "".join(f"<li>{escape_html(other.text)}</li>" for other in result.alternatives)
    listed = f'<p class="hint">{escape_html(text("translation.others", language))}</p><ol>{others}</ol>' if others else ""
    words = escape_html(" ".join(result.translation.split()))
    html = f'<div class="result"><p>{words}</p></div><div class="considered">{listed}</div>'
    if not result.sentences:
        return Shown(html=html)
    first = result.sentences[0]
    described = text("translation.description", language, source=" ".join(first.source_words), target=first.text)
    return Shown(drawn(alignment(result.sentences, sentence=0, language=language), described), html)


def measure_translation(result: translate.Result, view: View, what: Mapping[str, Any]) -> float | None:
    """How much the target word `row` looks at the source word `word`, in the first sentence; a word is all pieces that are part of it."""
    if not result.sentences:
        return None
    one = result.sentences[0]
    rows = [place for place, word in enumerate(one.target_words) if maps.same(word, what.get("row", view.get("row", "")))]
    columns = [place for place, word in enumerate(one.source_words) if (bare := readable(word)) and bare in what.get("word", "")]
    return float(one.alignment[rows[0], columns].sum()) if rows else None


def ask_generated(playground: Playground, model: str, view: View, progress: Progress | None) -> generate.Result:
    return playground.ask(model, generate.NAME, generation_request(view), progress=progress)


def generation_request(view: View) -> generate.Request:
    return generate.Request(
        prompt=view["prompt"],
        max_new_tokens=min(view.get("length", 24), MOST_TOKENS),
        temperature=view.get("temperature", 0),
        top_k=50,
        seed=view.get("seed", 0),
        chat=view.get("chat", False),
    )


def draw_generated(result: generate.Result, view: View, language: str) -> Shown:
    """The text with its colours, and what else the first word might have been."""
    pieces, before = [], ""
    for step in result.steps:
        added = step.text[len(before) :] if step.text.startswith(before) else ""
        pieces.append(
            f'<span class="token level-{level(step.probability)}" title="{percent(step.probability)}">{escape_html(added)}</span>'
        )
        before = step.text
    prompt = f'<span class="prompt">{escape_html(view["prompt"])}</span>'
    first = alternatives(result.steps, 0, language) if result.steps else ""
    return Shown(html=f'<div class="tokens">{prompt}{"".join(pieces)}</div>{first}')


def measure_generated(result: generate.Result, view: View, what: Mapping[str, Any]) -> float | None:
    """The probability of a word, or of its beginning, as the first that is written."""
    if not result.steps:
        return None
    found = [chance for word, chance in result.steps[0].alternatives if (bare := readable(word)) and what.get("word", "").startswith(bare)]
    return float(max(found, default=0.0))


def no_answer(playground: Playground, model: str, view: View, progress: Progress | None) -> None:
    """A tuning run is started by hand and watched, not asked."""


def faults_of_run(view: View) -> Iterator[str]:
    if not isinstance(view.get("methods"), Sequence) or isinstance(view.get("methods"), str):
        yield '"methods" has to be a list of ways to tune'
    if not isinstance(view.get("steps"), int) or not 1 <= view["steps"] <= 200:
        yield '"steps" has to be a whole number from 1 to 200'


KINDS: dict[str, Kind] = {
    "attention": Kind(
        task=attend.NAME,
        needs=("model", "text"),
        may=("second", "target", "layout", "row", "site", "head", "find", "find_in"),
        boxes=(("text", "attention.text"), ("second", "attention.second")),
        ask=ask_map,
        draw=draw_map,
        measure=maps.measure,
        faults=maps.faults,
    ),
    "masked_word": Kind(
        task=fill_mask.NAME,
        needs=("model", "text"),
        may=("candidates",),
        boxes=(("text", "masked_word.text"),),
        ask=ask_masked,
        draw=draw_masked,
        measure=measure_masked,
    ),
    "next_sentence": Kind(
        task=next_sentence.NAME,
        needs=("model", "first", "seconds"),
        may=(),
        boxes=(("first", "next_sentence.first"), ("seconds", "next_sentence.seconds")),
        ask=ask_following,
        draw=draw_following,
        measure=measure_following,
    ),
    "translation": Kind(
        task=translate.NAME,
        needs=("model", "text"),
        may=("row", "alternatives"),
        boxes=(("text", "translation.text"),),
        ask=ask_translation,
        draw=draw_translation,
        measure=measure_translation,
    ),
    "generation": Kind(
        task=generate.NAME,
        needs=("model", "prompt"),
        may=("length", "temperature", "seed", "chat"),
        boxes=(("prompt", "generation.prompt"),),
        ask=ask_generated,
        draw=draw_generated,
        measure=measure_generated,
    ),
    "tuning": Kind(
        task=TUNE,
        needs=("model", "task", "methods", "steps"),
        may=(),
        boxes=(),
        ask=no_answer,
        draw=lambda answer, view, language: Shown(),
        measure=lambda answer, view, what: None,
        faults=faults_of_run,
    ),
}
