"""The lessons tab over HTTP: predict, see what the model does, go on."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest
from starlette.testclient import TestClient

from playground.lessons.content import lessons

ASK = ("said", "picture", "told", "found", "timer", "run", "hint", "notice")


@pytest.fixture
def press(tiny_page: gr.Blocks, client: TestClient) -> Callable[..., list[Any]]:
    """`press("predict", "en", None, 1)` does what a button of the tab does, for one visitor; None stands for what only the server keeps."""

    def post(handler: str, *data: Any) -> list[Any]:
        function = next(one for one in tiny_page.fns.values() if one.fn and one.fn.__name__ == handler and "lessons" in one.fn.__module__)
        body = {"fn_index": function._id, "data": data, "session_hash": "a class"}
        answer = client.post("/gradio_api/run/predict", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return post


def test_a_prediction_is_answered_and_the_next_step_hides_its_figure_again(press: Callable[..., list[Any]]) -> None:
    first = next(iter(lessons().values())).steps[0]
    assert first.question and first.question.right == "fixed"
    assert dict(zip(ASK, press("ask", "en", None, "")))["picture"] is None
    told = press("predict", "en", None, 1)
    assert first.title["en"] in str(told)
    shown = dict(zip(ASK, press("ask", "zh", None, "")))
    assert "verdict right" in shown["said"] and first.question.why["zh"][:10] in shown["said"]
    assert "figure" in shown["picture"] and "tiny-" in shown["hint"]
    assert lessons()["attention"].steps[1].title["zh"] in str(press("forwards", "zh", None))
    assert dict(zip(ASK, press("ask", "zh", None, "")))["picture"] is None
    assert first.question.why["en"] in dict(zip(ASK, [press("backwards", "en", None), press("ask", "en", None, "")][1]))["said"]
