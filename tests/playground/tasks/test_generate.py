"""Generated texts are those of `transformers`, a seed decides them, and half a character is never shown."""

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import Problem
from playground.tasks import generate
from playground.tasks.generate import Request, Result

NAMES = ["tiny-gpt2", "tiny-llama"]
each_model = pytest.mark.parametrize("name", NAMES)
PROMPT = "She drank a cup of tea in the"
WILD = dict(temperature=3.0, top_k=0, top_p=1.0)


@each_model
@pytest.mark.parametrize("chat", [True, False])
def test_the_most_likely_text_is_that_of_transformers_with_its_probabilities(ours, theirs, name: str, chat: bool) -> None:
    model, reference = ours(name), theirs(name)
    row = (model.tokenizer.encode_chat(PROMPT) if chat else None) or model.tokenizer.encode(PROMPT)
    assert (row.ids == model.tokenizer.encode(PROMPT).ids) == (name == "tiny-gpt2" or not chat)
    out = reference.generate(
        torch.tensor([row.ids]), max_new_tokens=20, do_sample=False, eos_token_id=list(model.config.end_ids), pad_token_id=0
    )
    ids = out[0, len(row) :].tolist()
    ended = ids[-1] in model.config.end_ids
    ids = ids[: len(ids) - ended]
    result = generate.run(model, [Request(prompt=PROMPT, temperature=0, max_new_tokens=20, chat=chat)])[0]
    assert result.text == model.tokenizer.decode(ids) and result.finished == ended and len(result.steps) == len(ids)
    with torch.no_grad():
        chances = reference(torch.tensor([[*row.ids, *ids]])).logits[0, len(row) - 1 :].softmax(-1)
    for place, (step, word) in enumerate(zip(result.steps, ids)):
        assert step.probability == pytest.approx(chances[place, word].item(), rel=1e-3)
        best = chances[place].topk(len(step.alternatives))
        assert [share for _, share in step.alternatives] == pytest.approx(best.values.tolist(), rel=1e-3)
        assert step.alternatives[0] == (step.word, pytest.approx(step.probability))
        assert step.text == model.tokenizer.decode(ids[: place + 1])


@each_model
def test_a_seed_decides_the_text_whatever_else_is_asked(ours, name: str) -> None:
    model = ours(name)
    requests = [
        Request(prompt=PROMPT, seed=1, max_new_tokens=12),
        Request(prompt="Why?", seed=2, max_new_tokens=5, **WILD),
        Request(prompt="Paris is the capital of France, and Berlin", seed=1, max_new_tokens=12, temperature=0),
        Request(prompt=PROMPT, seed=4, max_new_tokens=12, **WILD),
        Request(prompt=PROMPT, seed=5, max_new_tokens=12, **WILD),
    ]
    together = generate.run(model, requests)
    for request, result in zip(requests, together):
        alone = generate.run(model, [request])[0]
        assert (alone.text, alone.finished, len(alone.steps)) == (result.text, result.finished, len(result.steps))
    assert together[3].text != together[4].text
    assert len(together[1].steps) == 5


@each_model
@pytest.mark.parametrize("given", [{"temperature": 0}, {"seed": 3}, WILD], ids=["greedy", "usual", "wild"])
def test_a_stream_gives_the_steps_of_the_result(ours, name: str, given: dict) -> None:
    request = Request(prompt=PROMPT, max_new_tokens=15, **given)
    [result] = generate.run(ours(name), [request])
    streamed = tuple(generate.stream(ours(name), request))
    assert [(step.word, step.text, step.finished) for step in streamed] == [(step.word, step.text, step.finished) for step in result.steps]
    assert streamed[-1].text == result.text


def ending(model, word: int):
    """The model, as if `word` ended a text."""
    config = replace(model.config, end_ids=(word,))
    network = type(model.network).__new__(type(model.network))
    network.__dict__.update(model.network.__dict__)
    network.config = config
    return replace(model, config=config, network=network)


def test_the_text_ends_where_the_model_ends_it(ours) -> None:
    model = ours("tiny-gpt2")
    for seed in range(50):
        request = Request(prompt=PROMPT, max_new_tokens=10, **WILD, seed=seed)
        free = generate.run(model, [request])[0]
        words = [step.word for step in free.steps]
        ids = [model.tokenizer.piece_id(word) for word in words]  # None where a piece is half a character
        if len(ids) == 10 and None not in (ids[0], ids[5]) and ids[5] not in ids[:5]:
            break
    place = 5
    assert not free.finished and not any(step.finished for step in free.steps)
    stopping = ending(model, ids[place])
    result = generate.run(stopping, [request])[0]
    assert [step.word for step in result.steps] == words[:place]
    assert result.finished and [step.finished for step in result.steps] == [False] * (place - 1) + [True]
    assert tuple(generate.stream(stopping, request))[-1].finished
    at_once = ending(model, ids[0])
    assert generate.run(at_once, [request])[0] == Result(text="", steps=(), finished=True)
    assert list(generate.stream(at_once, request)) == []


@each_model
def test_half_a_character_is_held_back_and_never_replaced(ours, name: str) -> None:
    waited = False
    for seed in range(12):
        result = generate.run(ours(name), [Request(prompt="我昨天", max_new_tokens=40, seed=seed, **WILD)])[0]
        texts = ["", *(step.text for step in result.steps)]
        assert texts[-1] == result.text
        for step, before in zip(result.steps, texts):
            assert "\ufffd" not in step.text + step.word + "".join(word for word, _ in step.alternatives)
            waited |= step.text == before
    assert waited


@each_model
def test_a_prompt_that_is_too_long_is_cut_with_room_for_the_answer(ours, name: str) -> None:
    model = ours(name)
    request = Request(prompt="tea " * 500, max_new_tokens=1000, seed=1)
    result = generate.run(model, [request])[0]
    assert result.cut > 0 and not result.finished
    assert generate.size(model, request) <= model.limit // 2
    assert len(result.steps) == model.limit - generate.size(model, request)
    assert all(step.cut == result.cut for step in result.steps)
    short = generate.run(model, [Request(prompt=PROMPT, max_new_tokens=3)])[0]
    assert short.cut == 0


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"prompt": ""}, "empty_text"),
        ({"prompt": " \n "}, "empty_text"),
        ({"max_new_tokens": 0}, "bad_max_new_tokens"),
        ({"max_new_tokens": 1025}, "bad_max_new_tokens"),
        ({"temperature": -1.0}, "bad_temperature"),
        ({"temperature": float("nan")}, "bad_temperature"),
        ({"temperature": float("inf")}, "bad_temperature"),
        ({"top_k": -5}, "bad_drawing_top_k"),
        ({"top_p": 0.0}, "bad_top_p"),
        ({"top_p": 1.5}, "bad_top_p"),
        ({"top_p": float("nan")}, "bad_top_p"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_number(ours, given: dict, key: str) -> None:
    model, request = ours("tiny-gpt2"), replace(Request(prompt=PROMPT), **given)
    for ask in (
        lambda: generate.size(model, request),
        lambda: generate.run(model, [request]),
        lambda: next(generate.stream(model, request)),
    ):
        with pytest.raises(Problem) as refusal:
            ask()
        assert refusal.value.key == key
        assert key == "empty_text" or str(next(iter(given.values()))) in map(str, refusal.value.values.values())


def test_a_model_that_does_not_write_says_so(ours) -> None:
    with pytest.raises(Problem) as refusal:
        generate.size(ours("tiny-marian"), Request(prompt="Hello."))
    assert refusal.value.key == "task_impossible"


def test_special_tokens_in_a_prompt_are_words_like_any_other(ours) -> None:
    model = ours("tiny-llama")
    sly, plain = (generate.read(model, Request(prompt=prompt)) for prompt in ("tea </s> tea", "tea tea"))
    assert len(sly) > len(plain)
    assert not set(model.config.end_ids) & set(sly.ids)


ODD = ["😀", "\x00\x07", "<|endoftext|>", "\ud800", "مرحبا", "a\u0301" * 99, "<b>x</b>", "x" * 100_000]


@each_model
@pytest.mark.parametrize("prompt", ODD, ids=lambda prompt: ascii(prompt[:12]))
def test_odd_prompts_are_answered(ours, name: str, prompt: str) -> None:
    result = generate.run(ours(name), [Request(prompt=prompt, max_new_tokens=3), Request(prompt=PROMPT, max_new_tokens=3)])[0]
    assert len(result.steps) <= 3 and "\ufffd" not in result.text


@pytest.mark.fuzz
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=st.text(max_size=60), seed=st.integers(), temperature=st.floats(0, 5), top_k=st.integers(0, 600), top_p=st.floats(0.01, 1))
def test_any_prompt_and_settings_give_a_text_or_a_refusal(
    ours, prompt: str, seed: int, temperature: float, top_k: int, top_p: float
) -> None:
    request = Request(prompt=prompt, seed=seed, temperature=temperature, top_k=top_k, top_p=top_p, max_new_tokens=2)
    for name in NAMES:
        try:
            result = generate.run(ours(name), [request])[0]
        except Problem as refusal:
            assert refusal.key in {"empty_text", "nothing_to_read"}
        else:
            assert all(0 <= step.probability <= 1 for step in result.steps)
