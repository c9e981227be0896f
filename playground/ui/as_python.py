"""A view as the few lines of Python that give its numbers in a notebook. What a visitor typed appears as Python literals only."""

from collections.abc import Callable, Mapping
from typing import Any

from playground.tabs.masked_word import SEPARATOR
from playground.tasks.fill_mask import MASK
from playground.tasks.fill_masks import MOST_MASKS
from playground.tasks.measures import DEEPER, MAX, MEAN
from playground.ui.links import State

Values = Mapping[str, Any]
WORDS = "queries, keys = result.words_at(site)  # the tokens of the rows and of the columns"


def as_python(state: State) -> str:
    """The lines for the state of a link; empty for a tab that has none."""
    write = WRITERS.get(state["tab"])
    values = state["values"]
    return write(values) if write and values.get("model") else ""


def attention(values: Values) -> str:
    """One head, all heads of a layer, or all of the model, in the measure and of the words that the view shows."""
    site, head, single = values.get("site"), values.get("head", MEAN), values.get("view", "one") in ("one", "lines")
    measure, words = values.get("measure", "weights"), {name: True for name in ("whole", "hide") if values.get(name)}
    request = call("attend.Request", text=values["text"], **given(values, "second", "target"))
    lines = [asked("attend", values, request), f"site = {site!r}" if site else "site = result.sites[-1]"]
    if measure == "weights" and not words and single and head >= MEAN:
        return "\n".join(
            [*lines, f"weights = result.weights(site, head={head!r})  # (Q, K), rows sum to 1; head -1: their mean", WORDS, ""]
        )
    more = ""
    if measure in DEEPER:
        more = ", more"
        lines = [lines[0].replace("import attend", "import attend, attribute"), f"[more] = attribute.run(model, [{request}])", *lines[1:]]
    lines.append("from playground.tasks.measures import maps, over_heads, rollout_sites\nfrom playground.tasks.words import merged")
    lines.append(f"found = maps(result, {measure!r}{more})")
    map_of = f"merged(found(site), *result.sides(site{''.join(f', {name}=True' for name in words)}))"
    if single:
        lines.append(f"weights = over_heads({map_of}, {head!r})  # (Q, K); {MEAN}: the mean of the heads, {MAX}: the largest")
    elif values["view"] == "heads":
        lines.append(f"weights = {map_of}  # (H, Q, K)")
    else:
        sites = "rollout_sites(result)" if measure == "rollout" else "result.sites"
        lines.append(f"weights = {{site: {map_of} for site in {sites}}}  # (H, Q, K) each")
    return "\n".join([*lines, WORDS, ""])


def masked_word(values: Values) -> str:
    """The candidates for each gap, several gaps filled together, and what a decoder says where one was asked."""
    words = tuple(dict.fromkeys(word.strip() for word in SEPARATOR.split(values.get("candidates") or "") if word.strip()))
    more = {"candidates": words} if words else {}
    request = call("fill_mask.Request", text=values["text"], top_k=int(values.get("top_k", 10)), **more)
    lines = [asked("fill_mask", values, request)]
    lines.append("for mask in result.masks:\n    print([(one.word, round(one.probability, 4)) for one in mask.candidates])")
    if 1 < values["text"].count(MASK) <= MOST_MASKS:
        lines[0] = lines[0].replace("import fill_mask", "import fill_mask, fill_masks")
        lines.append(f"\n[together] = fill_masks.run(model, [{call('fill_masks.Request', text=values['text'])}])")
        lines.append("for filling in together.fillings:\n    print(filling.way, round(filling.score, 2), filling.text)")
    if values.get("decoder"):
        lines.append("")
        lines.append(
            asked(
                "fill_mask_decoder", values | {"model": values["decoder"]}, call("fill_mask_decoder.Request", text=values["text"], **more)
            )
        )
        lines.append("print([(one.word, round(one.left, 4), round(one.both, 4)) for one in result.candidates])")
    return "\n".join([*lines, ""])


def next_sentence(values: Values) -> str:
    """How probable each candidate is."""
    seconds = [line.strip() for line in values["seconds"].splitlines() if line.strip()]
    lines = [
        start("next_sentence", values),
        f"seconds = {seconds!r}",
        f"requests = [next_sentence.Request(first={values['first']!r}, second=second) for second in seconds]",
        "for request, result in zip(requests, next_sentence.run(model, requests)):",
        "    print(round(result.probability, 4), request.second)",
    ]
    return "\n".join([*lines, ""])


def translation(values: Values) -> str:
    """The translation, the others, and the alignment of each sentence."""
    wide = {"beams": int(values.get("beams", 1)), "alternatives": int(values.get("others", 0)), **given(values, "prefix", "prefix_at")}
    lines = [
        asked("translate", values, call("translate.Request", text=values["text"], **wide)),
        "print(result.translation)",
        "for other in result.alternatives:\n    print(round(other.score, 3), other.text)",
        "alignment = [sentence.alignment for sentence in result.sentences]  # (target words, source words) each",
    ]
    return "\n".join([*lines, ""])


def generation(values: Values) -> str:
    """The text, and each token with its probability."""
    names = {"length": "max_new_tokens", "temperature": "temperature", "top_k": "top_k", "top_p": "top_p", "seed": "seed", "chat": "chat"}
    settings = {names[name]: values[name] for name in names if values.get(name) is not None}
    lines = [
        start("generate", values),
        f"steps = list(generate.stream(model, {call('generate.Request', prompt=values['prompt'], **settings)}))",
        "print(steps[-1].text)",
        "print([(step.word, round(step.probability, 4)) for step in steps])",
    ]
    return "\n".join([*lines, ""])


WRITERS: Mapping[str, Callable[[Values], str]] = {
    "attention": attention,
    "masked_word": masked_word,
    "next_sentence": next_sentence,
    "translation": translation,
    "generation": generation,
}


def start(task: str, values: Values) -> str:
    """The imports and the model."""
    return f"import models\nfrom playground.tasks import {task}\n\nmodel = models.load({values['model']!r})"


def asked(task: str, values: Values, request: str) -> str:
    """The imports, the model and the result of one request."""
    return f"{start(task, values)}\n[result] = {task}.run(model, [{request}])"


def call(name: str, **arguments: Any) -> str:
    """A call with keyword arguments."""
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def given(values: Values, *names: str) -> dict[str, Any]:
    """Those of the values that are not empty."""
    return {name: values[name] for name in names if values.get(name)}
