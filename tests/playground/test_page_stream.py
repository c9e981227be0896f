"""Generation over a real connection: token by token, to be stopped, and nobody's loss when a page is closed."""

from collections.abc import Iterator
from threading import Event

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from models.model import Model
from playground.page import build_page
from playground.service.playground import Playground
from playground.tasks import generate
from playground.ui.look import launch_settings

TOKEN_SECONDS = 0.3  # of the slow task
PATIENCE = 25.0  # seconds after which a test takes something for lost
SAY = {"api_name": "/generate", "max_new_tokens": 12, "temperature": 1.0, "top_k": 0, "top_p": 1.0}


@pytest.fixture(scope="module")
def address(tiny_playground: Playground) -> Iterator[str]:
    page = build_page(tiny_playground).queue(default_concurrency_limit=None)
    page.launch(prevent_thread_lock=True, quiet=True, inbrowser=False, **launch_settings())
    yield page.local_url
    page.close()


@pytest.fixture(scope="module")
def visitor(address: str) -> Client:
    return Client(address, verbose=False)


def test_text_grows_token_by_token_with_each_probability(visitor: Client) -> None:
    items = list(visitor.submit("tiny-gpt2", "She drank", seed=3, **SAY))
    assert [len(item["tokens"]) for item in items] == sorted({len(item["tokens"]) for item in items})
    assert len(items) > 1 and len(items[-1]["tokens"]) <= 12
    for before, after in zip(items, items[1:]):
        assert after["tokens"][: len(before["tokens"])] == before["tokens"]
    for token in items[-1]["tokens"]:
        assert 0 < token["probability"] <= 1
        assert {"word", "probability"} == set(token["alternatives"][0])
        shares = [other["probability"] for other in token["alternatives"]]
        assert shares == sorted(shares, reverse=True)


def test_the_same_seed_gives_the_same_text_and_another_one_another(visitor: Client) -> None:
    once, again, other = (visitor.predict("tiny-gpt2", "She drank", seed=seed, **SAY) for seed in (1, 1, 2))
    assert once == again != other


def test_temperature_zero_always_takes_the_likeliest_token(visitor: Client) -> None:
    answer = visitor.predict("tiny-llama", "She drank", seed=0, **(SAY | {"temperature": 0.0}))
    assert answer["tokens"]
    assert all(token["probability"] == token["alternatives"][0]["probability"] for token in answer["tokens"])


@pytest.mark.parametrize("model", ["nobody", "tiny-bert"])
def test_a_refusal_of_a_stream_is_a_sentence(visitor: Client, model: str) -> None:
    with pytest.raises(AppError, match="tiny-"):
        visitor.predict(model, "She drank", **SAY)


class Held:
    """The task of generation, so slow that it can be interrupted; `ended` tells that a stream is over, however it ended."""

    NAME = generate.NAME

    def __init__(self) -> None:
        self.hurry, self.ended = Event(), Event()
        self.made = 0

    def size(self, model: Model, request: generate.Request) -> int:
        return generate.size(model, request)

    def stream(self, model: Model, request: generate.Request) -> Iterator[generate.Step]:
        try:
            for step in generate.stream(model, request):
                self.made += 1
                yield step
                self.hurry.wait(TOKEN_SECONDS)
        finally:
            self.ended.set()


@pytest.fixture
def held(tiny_playground: Playground) -> Iterator[tuple[Held, str]]:
    """The held task, and the address of a page that uses it."""
    task = Held()
    with Playground(tiny_playground.catalogue, "cpu", offline=True, find_task=lambda name: task) as playground:
        page = build_page(playground).queue(default_concurrency_limit=None)
        page.launch(prevent_thread_lock=True, quiet=True, inbrowser=False, **launch_settings())
        yield task, page.local_url
        task.hurry.set()
        page.close()


def test_a_cancelled_request_ends_the_work_and_nobody_elses(held: tuple[Held, str]) -> None:
    task, address = held
    visitor = Client(address, verbose=False)
    job = visitor.submit("tiny-gpt2", "It had been raining", seed=5, **(SAY | {"max_new_tokens": 100}))
    assert len(next(iter(job))["tokens"]) == 1
    job.cancel()
    assert task.ended.wait(PATIENCE)
    assert task.made < 90
    task.hurry.set()
    assert visitor.predict("tiny-gpt2", "She drank", seed=1, **SAY)["tokens"]


def test_a_closed_page_ends_its_work_and_nobody_elses(held: tuple[Held, str]) -> None:
    task, address = held
    leaver, stayer = Client(address, verbose=False), Client(address, verbose=False)
    job = leaver.submit("tiny-gpt2", "It had been raining", seed=6, **(SAY | {"max_new_tokens": 100}))
    next(iter(job))
    leaver.close()
    assert task.ended.wait(PATIENCE)
    assert task.made < 90
    task.hurry.set()
    assert stayer.predict("tiny-gpt2", "She drank", seed=1, **SAY)["tokens"]
