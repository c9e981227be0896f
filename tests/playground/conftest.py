"""The page around the tiny models, reached over HTTP without a port."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import pytest
from gradio.routes import App
from starlette.testclient import TestClient

from playground.page import build_page
from playground.service.playground import Playground


@pytest.fixture(scope="session")
def tiny_page(tiny_playground: Playground) -> gr.Blocks:
    """The whole page."""
    return build_page(tiny_playground).queue()


@pytest.fixture(scope="session")
def client(tiny_page: gr.Blocks) -> Iterator[TestClient]:
    """A visitor without a browser."""
    with TestClient(App.create_app(tiny_page)) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def call(client: TestClient) -> Callable[..., Any]:
    """`call("attend", "tiny-bert", "text")` gives the endpoint's answer, or the sentence of its refusal with "refused: " before it."""

    def post(endpoint: str, *data: Any, language: str = "en") -> Any:
        body = json.dumps({"data": data})  # in ASCII, as browsers do not: a lone surrogate can travel as an escape only
        headers = {"content-type": "application/json", "accept-language": language}
        answer = client.post(f"/gradio_api/run/{endpoint}", content=body, headers=headers)
        body = answer.json()
        if answer.status_code == 200:
            return body["data"][0]
        assert set(body) >= {"error"} and isinstance(body["error"], str), body
        return f"refused: {body['error']}"

    return post
