"""The arithmetic of a weight as it is told: real numbers, both languages, and no word of the visitor that could be taken for markup."""

import dataclasses
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from playground.tasks.weigh import Result
from playground.ui import formula
from playground.ui.arithmetic import heads_of_cell, shortened, told
from playground.ui.formula import number
from playground.ui.strips import strips

RANDOM = np.random.default_rng(5)


def weighed(*, keys: int = 6, key: int = 2, hidden: int = 0, words: tuple[str, ...] = ()) -> Result:
    """A consistent result with random numbers; the last `hidden` keys are masked."""
    q, all_k, all_v = (RANDOM.normal(size=size).astype(np.float32) for size in ((8,), (keys, 8), (keys, 8)))
    before = all_k @ q / np.sqrt(8)
    scores = before.copy()
    scores[keys - hidden :] = -np.inf
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    return Result(
        site="decoder.1.self", head=3, query=1, key=key, key_head=1,
        words_query=words or tuple(f"w{place}" for place in range(keys)), words_key=words or tuple(f"w{place}" for place in range(keys)),
        q=q, k=all_k[key], before=before, scores=scores, weights=weights, v=all_v[key], output=weights @ all_v,
        parts=np.array([1, 2, 0.5, 3], dtype=np.float32), update=4.0, bias=0.25,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0709, "0.0709"),
        (-1.5, "−1.5"),
        (12.345, "12.3"),
        (1.234e-7, "1.23 × 10⁻⁷"),
        (5.0e12, "5 × 10¹²"),
        (0, "0"),
        (float("-inf"), "−∞"),
    ],
)
def test_a_number_has_three_digits_that_count(value: float, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("hidden", [0, 2, 4])
def test_every_step_shows_its_numbers(language: str, hidden: int) -> None:
    one = weighed(hidden=hidden, key=2)
    html = told(one, language)
    root = ET.fromstring(html)  # tags are closed, attributes quoted
    steps = root.findall(".//li[@class='step']")
    assert len(steps) == 7
    answers = [node.text for node in root.iter("mn") if node.get("class") == "real answer"]
    expected = [one.total, one.before[2], one.exps[2], one.denominator, one.weight]
    assert answers == [number(float(amount)) for amount in expected]
    assert one.hidden == (hidden == 4) and ("−∞" in html) == (hidden > 0)
    assert [node.get("aria-pressed") for node in root.iter("button")] == ["false", "false", "false", "true"]
    rows = steps[3].findall(".//tbody/tr")
    assert len(rows) == 6 and rows[2].get("class") == "chosen"
    numbers = steps[0].findall(".//details//tbody/tr")
    assert [[cell.text for cell in row.findall("td")] for row in numbers] == [
        [number(value) for value in values] for values in zip(one.q.tolist(), one.k.tolist(), one.products.tolist())
    ]


def test_both_languages_say_the_same_numbers() -> None:
    one = weighed()
    english, chinese = (re.findall(r"<mn[^>]*>([^<]*)", told(one, language)) for language in ("en", "zh"))
    assert english == chinese


def test_words_of_the_visitor_are_shown_as_they_are() -> None:
    words = ("<script>", "{query}", "a&b", "${1+1}", "\u202edrow", "▁tea")
    one = weighed(words=words)
    for html in (
        told(one, "en"),
        told(dataclasses.replace(one, query=0, key=1), "zh"),
        heads_of_cell(one.parts, *words[:2], one.site, "en"),
    ):
        assert "<script>" not in html and "\u202e" not in html
        ET.fromstring(html)
    assert "<b>{query}</b>" in told(dataclasses.replace(one, key=1), "en")


def test_the_mean_of_heads_offers_each_head_with_its_weight() -> None:
    root = ET.fromstring(heads_of_cell(np.array([0.1, 0.3], dtype=np.float32), "it", "animal", "encoder.0.self", "en"))
    buttons = list(root.iter("button"))
    assert [button.get("data-index") for button in buttons] == ["0", "1"]
    assert [button.find("span[@class='amount']").text for button in buttons] == ["0.1", "0.3"]
    assert "0.2" in "".join(root.itertext())


def test_of_a_long_row_the_heaviest_are_listed_and_the_asked_one() -> None:
    weights = np.linspace(1, 0, 50)
    assert list(shortened(weights, 40)) == [*range(15), 40]
    assert list(shortened(weights[:16], 3)) == list(range(16))
    html = told(weighed(keys=30, key=7), "en")
    assert "others: 1" in html  # 30 words: 15 or 16 are listed


def test_strips_share_their_colours_and_say_the_numbers_on_hover() -> None:
    html = strips(("a", np.array([1.0, -2.0])), ("b", np.array([0.5, 0.0])))
    assert re.findall(r'class="(\w+)" style="--a:(\d+)%" title="([^"]+)"', html) == [
        ("plus", "50", "1: 1"), ("minus", "100", "2: −2"), ("plus", "25", "1: 0.5"), ("plus", "0", "2: 0"),
    ]  # fmt: skip
    assert "nan" not in strips(("zero", np.zeros(3)))


def test_formulas_are_well_formed() -> None:
    parts = [
        formula.over(formula.value(-2.0), formula.root(formula.name("d", "k"))),
        formula.sign("+"),
        formula.total("j", formula.name("a")),
    ]
    root = ET.fromstring(formula.formula(*parts, formula.exp(formula.value(1.0)), formula.answer(3.0)))
    assert root.tag == "math" and root.find(".//msqrt") is not None
    assert "(−2)" in "".join(root.itertext())
