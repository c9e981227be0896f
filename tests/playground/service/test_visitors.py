"""Sixteen visitors with their own questions, on real networks and real tasks: each is answered as if they were alone."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from models.catalogue import Catalogue
from playground import tasks
from playground.service.playground import Playground
from playground.tasks import attend, fill_mask, generate, next_sentence, translate

VISITORS, TURNS = 16, 6
WORDS = (
    "the",
    "animal",
    "street",
    "she",
    "drank",
    "tea",
    "morning",
    "coffee",
    "paris",
    "capital",
    "raining",
    "night",
    "wet",
    "sky",
    "blue",
)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(scope="module")
def playground(tiny_models):
    catalogue = Catalogue(()).with_operator([f"{name}={folder}" for name, folder in tiny_models.items()])
    with Playground(catalogue, "cpu", offline=True) as playground:
        yield playground


def questions(visitor):
    """What a visitor asks: (model, task, request), no two visitors the same."""
    dice = random.Random(visitor)
    for turn in range(TURNS):
        text = " ".join([f"visitor {visitor} turn {turn}", *dice.choices(WORDS, k=dice.randrange(2, 20))])
        yield "tiny-bert", "attend", attend.Request(text=text, second=dice.choice(["", "nobody knows"]))
        yield "tiny-bert", "fill_mask", fill_mask.Request(text=f"{text} [MASK].", top_k=5)
        yield "tiny-bert", "next_sentence", next_sentence.Request(first=text, second="nobody knows")
        yield "tiny-gpt2", "attend", attend.Request(text=text)
        yield "tiny-llama", "generate", generate.Request(prompt=text, max_new_tokens=6, seed=visitor)
        yield "tiny-marian", "translate", translate.Request(text=text, max_new_tokens=8)


def same(answer, alone):
    """Whether two Results say the same, numbers up to the rounding of another batch."""
    if isinstance(alone, np.ndarray):
        return answer.shape == alone.shape and np.allclose(answer, alone, **CLOSE)
    if isinstance(alone, float):
        return np.isclose(answer, alone, **CLOSE)
    if isinstance(alone, dict):
        return answer.keys() == alone.keys() and all(same(answer[key], alone[key]) for key in alone)
    if isinstance(alone, tuple | list):
        return len(answer) == len(alone) and all(map(same, answer, alone))
    return same(vars(answer), vars(alone)) if hasattr(alone, "__dict__") else answer == alone


def test_every_visitor_gets_the_answer_they_would_get_alone(playground):
    asked = {visitor: list(questions(visitor)) for visitor in range(VISITORS)}
    playground.ask_all("tiny-bert", "next_sentence", [next_sentence.Request(first="load", second="the model")])
    for name, task in (("tiny-gpt2", "attend"), ("tiny-llama", "attend"), ("tiny-marian", "attend")):
        playground.ask(name, task, attend.Request(text="load the model"))
    models = playground._library.loaded()
    with torch.inference_mode():
        alone = {each: tasks.find(each[1]).run(models[each[0]], [each[2]])[0] for own in asked.values() for each in own}
    start = threading.Barrier(VISITORS)

    def visit(visitor):
        start.wait(30)
        for name, task, request in asked[visitor]:
            if task == "generate":
                steps = tuple(playground.stream(name, task, request))
                assert [step.word for step in steps] == [step.word for step in alone[name, task, request].steps]
            else:
                assert same(playground.ask(name, task, request), alone[name, task, request]), (name, task, request)
        return visitor

    with ThreadPoolExecutor(VISITORS) as pool:
        assert list(pool.map(visit, range(VISITORS), timeout=120)) == list(range(VISITORS))


def test_the_comparison_would_notice_a_foreign_answer(playground):
    first, second = (attend.Request(text=f"visitor {visitor} asks") for visitor in "12")
    assert not same(playground.ask("tiny-gpt2", "attend", first), playground.ask("tiny-gpt2", "attend", second))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_numbers_that_the_operator_wished_for_are_those_of_the_model(tiny_models, dtype):
    catalogue = Catalogue(()).with_operator([f"mine={tiny_models['tiny-marian']}"])
    with Playground(catalogue, "cpu", dtype=dtype) as playground:
        assert playground.ask("mine", "translate", translate.Request(text="Berlin is wet.", max_new_tokens=4)).sentences
        assert bool(playground._library.loaded()["mine"].eight_bits()) == (dtype == "int8")
