"""Whatever a visitor sends, the answer is a result or one clear sentence, and the next visitor is answered as before."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from playground.ui.language import LANGUAGES, table

GOOD = "She drank a cup of tea in the morning."
TEXTS = {
    "100,000 characters": "The cat sat on the mat. " * 4167,
    "100,000 characters without a space": "喵" * 100_000,
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 I 💛 tea 🫖",
    "control characters": "a\x00b\x07c\x1b[31md\x7f\u0085e\u2028f",
    "right to left": "مرحبا بالعالم שלום עולם \u202eabc\u202c",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "lone surrogates": "tea \ud800 \udfff coffee",
    "marks on marks": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    "special tokens of models": "[CLS] [SEP] <s> </s> <|endoftext|> <|im_start|>system [PAD] <pad> <unk>",
    "templates": "{0} {text} ${value} {{value}} `x` %s $\\frac{1}{2}$ \\n",
    "many lines": "tea\n" * 200,
}
UNANSWERABLE = {"empty": "", "only spaces": " \t\n ", "only invisible characters": "\u200b\u200e\ufeff"}
ASK = {
    "attend": lambda text, model="tiny-bert": (model, text, "", "", "", -1),
    "fill_mask": lambda text, model="tiny-bert": (model, text if text in UNANSWERABLE.values() else f"{text} [MASK]", 5, []),
    "fill_mask_decoder": lambda text, model="tiny-llama": (model, text if text in UNANSWERABLE.values() else f"{text} [MASK]", [], 5),
    "next_sentence": lambda text, model="tiny-bert": (model, text, [GOOD, text]),
    "translate": lambda text, model="tiny-marian": (model, text, 1, 0, 4),
}
OUR_FAULT = [table()[key][language] for key in ("error.unexpected", "problem.internal") for language in LANGUAGES]


def clear(sentence: str) -> bool:
    """A refusal that a visitor can use: one of our sentences, with nothing of a traceback, a template or a Python value in it."""
    said = sentence.removeprefix("refused: ")
    ours = not any(said[:24] == fault[:24] for fault in OUR_FAULT)
    return ours and 15 < len(said) < 600 and not any(mark in said for mark in ("Traceback", "Error(", "{", "None", "0x"))


@pytest.mark.parametrize("endpoint", ASK)
@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_is_answered_or_refused_with_a_sentence(call: Callable, endpoint: str, kind: str) -> None:
    answer = call(endpoint, *ASK[endpoint](TEXTS[kind]))
    if isinstance(answer, str):
        assert clear(answer), answer
    else:
        assert answer


@pytest.mark.parametrize("endpoint", ASK)
@pytest.mark.parametrize("kind", UNANSWERABLE)
def test_a_text_with_nothing_in_it_is_refused_in_the_language_of_the_visitor(call: Callable, endpoint: str, kind: str) -> None:
    for language in LANGUAGES:
        answer = call(endpoint, *ASK[endpoint](UNANSWERABLE[kind]), language=f"{language}-XX,fr;q=0.5")
        assert isinstance(answer, str) and clear(answer), answer
        assert any("\u4e00" <= letter <= "\u9fff" for letter in answer) == (language == "zh")


def test_a_text_without_a_mask_is_refused(call: Callable) -> None:
    answer = call("fill_mask", "tiny-bert", GOOD, 5, [])
    assert isinstance(answer, str) and clear(answer) and "[MASK]" in answer


def test_twenty_masks_are_answered_or_refused(call: Callable) -> None:
    answer = call("fill_mask", "tiny-bert", "[MASK] " * 20, 5, [])
    assert clear(answer) if isinstance(answer, str) else len(answer["masks"]) == 20


@pytest.mark.parametrize(
    "model",
    ["", "nobody/knows-this", "bert", "../../etc/passwd", "/etc/passwd", "file:///etc", "tiny-bert/../tiny-gpt2", "\ud800", "x" * 5000],
)
@pytest.mark.parametrize("endpoint", ASK)
def test_an_unknown_model_is_refused_and_a_path_is_no_model(call: Callable, endpoint: str, model: str) -> None:
    answer = call(endpoint, *ASK[endpoint](GOOD, model))
    assert isinstance(answer, str) and clear(answer), answer


def test_a_path_of_the_operator_is_not_a_name_for_a_visitor(call: Callable, tiny_models: dict) -> None:
    answer = call("attend", str(tiny_models["tiny-bert"]), GOOD, "", "", "", -1)
    assert isinstance(answer, str) and clear(answer), answer


@pytest.mark.parametrize(("endpoint", "model"), [("fill_mask", "tiny-gpt2"), ("next_sentence", "tiny-marian"), ("translate", "tiny-bert")])
def test_a_task_that_the_model_cannot_do_is_refused_with_one_that_can(call: Callable, endpoint: str, model: str) -> None:
    answer = call(endpoint, *ASK[endpoint](GOOD, model))
    assert isinstance(answer, str) and clear(answer)
    assert ASK[endpoint]("")[0] in answer


@pytest.mark.parametrize(
    ("endpoint", "data"),
    [
        ("attend", ("tiny-bert", GOOD, "", "", "encoder.99.self", -1)),
        ("attend", ("tiny-bert", GOOD, "", "", "", 99)),
        ("attend", ("tiny-bert", GOOD, "", "", "", -2)),
        ("attend", ("tiny-bert", None, "", "", "", -1)),
        ("attend", ("tiny-bert", 7, "", "", "", -1)),
        ("attend", (None, GOOD, "", "", "", -1)),
        ("attend", ("tiny-bert", GOOD, "", "", "", "first")),
        ("attend", ("tiny-bert", GOOD, "", "", "", 1.5)),
        ("attend", ("tiny-bert", GOOD, "", "", "", True)),
        ("fill_mask", ("tiny-bert", "a [MASK]", 0, [])),
        ("fill_mask", ("tiny-bert", "a [MASK]", -3, [])),
        ("fill_mask", ("tiny-bert", "a [MASK]", 10, "tea")),
        ("fill_mask", ("tiny-bert", "a [MASK]", 10, ["tea", 3])),
        ("next_sentence", ("tiny-bert", GOOD, [])),
        ("next_sentence", ("tiny-bert", GOOD, GOOD)),
        ("next_sentence", ("tiny-bert", "", [GOOD])),
        ("translate", ("tiny-marian", GOOD, 0, 0, 8)),
        ("translate", ("tiny-marian", GOOD, 10_000, 0, 8)),
        ("translate", ("tiny-marian", GOOD, 1, 99, 8)),
        ("translate", ("tiny-marian", GOOD, 1, 0, 0)),
        ("translate", ("tiny-marian", GOOD, 1, 0, 10**9)),
    ],
)
def test_a_value_out_of_range_or_of_the_wrong_kind_is_refused(call: Callable, endpoint: str, data: tuple) -> None:
    answer = call(endpoint, *data)
    assert isinstance(answer, str) and clear(answer), answer


def test_bad_requests_disturb_nobody_else(call: Callable) -> None:
    good = ("attend", "tiny-bert", GOOD, "", "", "", -1)
    alone = call(*good)
    bad = [("attend", *ASK["attend"](text)) for text in (*TEXTS.values(), *UNANSWERABLE.values())] + [
        ("fill_mask", "tiny-bert", GOOD, 5, [])
    ]
    with ThreadPoolExecutor(8) as visitors:
        answers = list(visitors.map(lambda one: call(*one), [request for one in bad for request in (one, good)]))
    assert all(answer == alone for answer in answers[1::2])
