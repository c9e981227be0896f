"""The parts for experiments, comparisons and the inside of a layer, with real (tiny) models."""

import json
import math
from collections.abc import Callable
from types import SimpleNamespace

import gradio as gr
import pytest

from playground.service.playground import Playground
from playground.tasks import attend
from playground.ui.attention_view import Seen
from playground.ui.language import text

TEXT = "She drank a cup of tea in the morning."
SITES = {"tiny-bert": "encoder.1.self", "tiny-llama": "decoder.1.self", "tiny-marian": "decoder.0.cross"}


@pytest.fixture
def part(tiny_page: gr.Blocks) -> Callable[..., dict[str, object]]:
    """`part("whatif", "apply", "en", ...)` calls a handler; what it answers, by the component's elem_id or its label."""

    def call(name: str, handler: str, *values: object) -> dict[str, object]:
        known = (f"playground.parts.{name}", handler)
        fn = next(fn for fn in tiny_page.fns.values() if fn.fn and (fn.fn.__module__, fn.fn.__name__) == known)
        answer = fn.fn(*values)
        return {getattr(block, "elem_id", None) or getattr(block, "label", None) or f"{block}": value for block, value in answer.items()}

    return call


def seen(model: str, text: str = TEXT, head: int = 1, second: str = "") -> Seen:
    return Seen(model, attend.Request(text=text, second=second), SITES[model], head, "one")


def test_the_view_of_whole_words_and_of_the_largest_head_is_followed(part: Callable) -> None:
    view = seen("tiny-bert", head=-2)._replace(whole=True, hide=True)
    words = figure(part("whatif", "apply", "en", view, ("encoder.0",), TEXT, None)["whatif-after"])["layout"]["yaxis"][
        "labelalias"
    ].values()
    assert "[CLS]" not in words and "drank" in words
    assert part("compare", "compare", "en", view, TEXT, "tiny-bert")["compare-difference"]


def figure(value: dict[str, str]) -> dict:
    return json.loads(value["figure"])


@pytest.mark.parametrize("model", SITES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_silent_head_moves_attention_and_guess(part: Callable, model: str, language: str) -> None:
    first = part("whatif", "arrive", language, True, seen(model), None, (), "", None, None)
    assert "data-part" in first["silence-grid"] and figure(first["whatif-guess"])["data"][0]["x"]
    stack = SITES[model].split(".")[0]
    event = SimpleNamespace(parts=[f"{stack}.0.self:1", f"{stack}.0.feedforward"])
    after = part("whatif", "press", language, seen(model), TEXT, None, event)
    before, now = figure(after["whatif-guess"])["data"]
    assert before["x"][:8] == figure(first["whatif-guess"])["data"][0]["x"][:8] != now["x"][:8]
    assert after["whatif-difference"] != first["whatif-difference"]


def test_a_closed_part_computes_nothing(tiny_page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Playground, "ask", lambda *given, **more: pytest.fail("the model was asked"))
    for name, rest in (("whatif", ((), "", None, None)), ("compare", ("", "")), ("inside", ("", 1, None))):
        fn = next(fn for fn in tiny_page.fns.values() if fn.fn and fn.fn.__name__ == "arrive" and fn.fn.__module__.endswith(name))
        assert fn.fn("en", False, seen("tiny-bert"), None, *rest) == gr.skip()


def test_which_head_matters_is_told_and_a_click_silences_it(part: Callable) -> None:
    answer = part("whatif", "try_heads", "en", seen("tiny-bert"), TEXT, None)
    assert figure(answer["whatif-heads"])["data"][0]["zmax"] > 0
    asked = next(value for value in answer.values() if type(value).__name__ == "Request")
    clicked = part("whatif", "take", "en", seen("tiny-bert"), asked, ("encoder.0",), TEXT, None, SimpleNamespace(x=2.0, y=1.0))
    assert ("encoder.0", "encoder.1.self:2") in clicked.values()
    assert clicked["silence-grid"].count('aria-pressed="true"') == 2


def test_a_pair_tells_whether_it_still_follows(part: Callable) -> None:
    view = seen("tiny-bert", second="He ordered coffee.")
    said = " ".join(map(str, part("whatif", "apply", "en", view, ("encoder.1",), TEXT, None).values()))
    assert "That the second sentence follows the first" in said


def test_another_text_and_another_model_stand_beside_the_view(part: Callable) -> None:
    other = "She drank a small cup of coffee in the morning."
    answer = part("compare", "compare", "en", seen("tiny-bert"), other, "tiny-bert")
    words = figure(answer["compare-difference"])["layout"]["yaxis"]["labelalias"].values()
    assert "drank" in words and "small" not in words and "tea" not in words
    assert part("compare", "compare", "en", seen("tiny-llama"), TEXT, "tiny-gpt2")["compare-other"]
    elsewhere = part(
        "compare", "compare", "zh", Seen("tiny-bert", attend.Request(text=TEXT), "encoder.2.self", 1, "one"), TEXT, "tiny-bert"
    )
    assert any("请改动其中一个" in str(value) for value in elsewhere.values())


@pytest.mark.parametrize("model", SITES)
def test_the_inside_of_a_layer_opens_with_its_lens(part: Callable, model: str) -> None:
    answer = part("inside", "arrive", "en", True, seen(model), None, "", 1, None)
    assert "<svg" in answer["inside-block"] and "table" in answer["inside-lens"] and figure(answer["inside-tensor"])["data"]
    layer = SITES[model].rpartition(".")[0]
    box = part("inside", "open_box", "zh", seen(model), layer, SimpleNamespace(index=0))
    assert box["inside-tensor"] != answer["inside-tensor"]


@pytest.mark.parametrize("model", SITES)
def test_programs_can_silence_parts_and_read_every_layer(call: Callable, model: str) -> None:
    stack = SITES[model].split(".")[0]
    whole = call("ablate", model, TEXT, [], "", "", -1, 5)
    assert whole["before"] == whole["after"] and len(whole["before"]) == 5
    silent = call("ablate", model, TEXT, [f"{stack}.0.self:1", f"{stack}.1.feedforward"], "", "", -1, 5)
    assert silent["before"] == whole["before"] != silent["after"]
    lens = call("logit_lens", model, TEXT, "", "", -1, 5)
    assert (lens["words"], lens["position"]) == (whole["words"], whole["position"])
    for mine, theirs in zip(lens["layers"][-1]["candidates"], whole["before"]):
        assert mine["word"] == theirs["word"] and math.isclose(mine["probability"], theirs["probability"], rel_tol=1e-3)


def test_what_is_not_there_is_a_sentence_in_both_languages(call: Callable) -> None:
    assert "no part called encoder.9.self:3" in call("ablate", "tiny-bert", TEXT, ["encoder.9.self:3"], "", "", -1, 5)
    assert "没有可猜的词" in call("logit_lens", "tiny-bert", TEXT, "", "", 0, 5, language="zh")
    assert "no word to guess at place 200" in call("logit_lens", "tiny-llama", TEXT, "", "", 200, 5)


@pytest.mark.parametrize(
    ("model", "measure"),
    [("tiny-bert", "value"), ("tiny-bert", "rollout"), ("tiny-llama", "gradient"), ("tiny-marian", "value"), ("tiny-marian", "gradient")],
)
def test_what_is_measured_above_is_compared_below(part: Callable, model: str, measure: str) -> None:
    view = seen(model)._replace(measure=measure, head=-1)
    name = text(f"measure.{measure}", "en")
    other = part("compare", "compare", "en", view, "A dog ran.", view.model)["compare-other"]
    silent = ("decoder.0.feedforward" if model == "tiny-llama" else "encoder.0.feedforward",)
    now = part("whatif", "apply", "en", view, silent, TEXT, None)
    unlike = part("whatif", "apply", "en", view._replace(measure="weights"), silent, TEXT, None)
    assert all(name in figure(one)["layout"]["title"]["subtitle"]["text"] for one in (other, now["whatif-after"]))
    assert figure(now["whatif-difference"])["data"] != figure(unlike["whatif-difference"])["data"]
    assert ("attention elsewhere" in now["whatif-difference"]["description"]) == (measure == "rollout")
