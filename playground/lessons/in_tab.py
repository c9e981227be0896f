"""What a step shows, as the link that opens it in the tab where everything about it can be changed."""

from collections.abc import Callable, Mapping
from typing import Any

from models.errors import Problem
from playground.lessons.kinds import View, candidates, generation_request, masked_request, translation_request
from playground.lessons.maps import Answer
from playground.ui.links import MARK, encode, link_state

Values = dict[str, Any]


def address(view: View, model: str, answer: Any) -> str:
    """The view of a step, answered by `model`, as the href of a link within the page; empty where the text is too long for one."""
    try:
        return MARK + encode(link_state(view["show"], model=model, **VALUES[view["show"]](view, answer)))
    except Problem:
        return ""


def attention(view: View, answer: Answer) -> Values:
    layout = view.get("layout", "row")
    there = {"site": answer.found.site, "head": answer.found.head, "view": "one" if layout == "row" else layout}
    return taken(view, "text", "second", "target") | there


def masked_word(view: View, answer: Any) -> Values:
    request = masked_request(view)
    return {"text": request.text, "candidates": ", ".join(request.candidates), "top_k": request.top_k}


def next_sentence(view: View, answer: Any) -> Values:
    return taken(view, "first") | {"seconds": "\n".join(candidates(view))}


def translation(view: View, answer: Any) -> Values:
    request = translation_request(view)
    return {"text": request.text, "beams": request.beams, "others": request.alternatives}


def generation(view: View, answer: Any) -> Values:
    request = generation_request(view)
    return taken(vars(request), "prompt", "temperature", "top_k", "top_p", "seed", "chat") | {"length": request.max_new_tokens}


def tuning(view: View, answer: Any) -> Values:
    return taken(view, "task", "methods") | {"budget": "steps", "amount": view["steps"]}


VALUES: Mapping[str, Callable[[View, Any], Values]] = {
    made.__name__: made for made in (attention, masked_word, next_sentence, translation, generation, tuning)
}


def taken(view: View, *names: str) -> Values:
    """Those of the view's fields that it has."""
    return {name: view[name] for name in names if name in view}
