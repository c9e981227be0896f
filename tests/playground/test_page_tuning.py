"""The tuning tab and its endpoints over HTTP, with a tiny model; and what stands in it."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from models.errors import Problem
from models.tuning import methods
from models.tuning.examples import read_task
from models.tuning.own_data import guess_columns, read_table
from models.tuning.worded import Spelt
from playground.page import build_page
from playground.service.kept import Kept, Seeded
from playground.service.playground import Playground
from playground.service.runs import Look, Outcome, Plan, Point, Stage
from playground.service.trials import Tried
from playground.ui.examples import examples
from playground.ui.language import LANGUAGES, table
from playground.ui.look import launch_settings
from playground.ui.method_pictures import pictures
from playground.ui.own_data import examples_of, listed, told
from playground.ui.task_words import lines_of, spoken, words_of
from playground.ui.tuning_form import plan_of, task_choices
from playground.ui.tuning_words import comparison, mistakes, nearest_words, status, tried

DATA = "text,label\n" + "\n".join(f"{text} {place},{('drink', 'weather')[place % 2]}" for place, text in enumerate(["tea", "rain"] * 6))
SHORT = {"steps": 2, "length": 2, "api_name": "/tune"}
KEPT = Kept(
    name="m + prompt, drinks",
    base="m",
    method="prompt",
    task="drinks",
    labels={"a": {"en": "a <b>drink</b>", "zh": "饮料"}, "b": {"en": "weather", "zh": "天气"}},
    parameters=1000,
    trainable=64,
    steps=10,
    seconds=2.0,
    dev=0.5,
    test=0.75,
    n_bytes=12_345,
    memory=78_900_000,
    confusion={"a": {"a": 3, "b": 1}, "b": {"a": 0, "b": 0}},
    wrong=((7, "<script>x</script>", "a", "b"),),
    seeds=(Seeded(1, 0.5, 0.75), Seeded(2, 0.6, 0.65)),
    prompt={"words": [[("tea", 0.5)], [("##y", 0.25)]], "cosines": [[1, 0], [0, 1]], "drift": [0.1, 0.2]},
)


@pytest.fixture(scope="module")
def visitor(tiny_playground: Playground) -> Iterator[Client]:
    page = build_page(tiny_playground).queue(default_concurrency_limit=None)
    page.launch(prevent_thread_lock=True, quiet=True, inbrowser=False, **launch_settings())
    yield Client(page.local_url, verbose=False)
    page.close()


def test_a_program_follows_a_run_lists_its_result_and_takes_it_home(visitor: Client) -> None:
    items = list(visitor.submit("tiny-bert", "", ["prompt", "prefix"], data=DATA, **SHORT))
    assert all(set(item) == {"method", "step", "seconds", "loss", "accuracy", "seed", "table"} for item in items)
    assert {(item["method"], item["step"]) for item in items} <= {(way, step) for way in ("prompt", "prefix") for step in (1, 2)}
    assert [row["method"] for row in items[-1]["table"]] == ["prompt", "prefix"] and not any(row["problem"] for row in items[-1]["table"])
    name = items[-1]["table"][0]["name"]
    assert name in [row["name"] for row in visitor.predict(api_name="/tuned")]
    with zipfile.ZipFile(visitor.predict(name, api_name="/export")) as archive:
        assert {"adapter_config.json", "adapter_model.safetensors", "tuned.json", "tuned.safetensors"} <= set(archive.namelist())
    seen = visitor.predict(name, "She drank tea.", "", "", "", -1, api_name="/attend")
    assert seen["words_key"][0].startswith("[P1]") or "[P1]" in seen["words_key"]


def test_a_program_may_put_the_task_in_its_own_words_and_ask_for_seeds(visitor: Client) -> None:
    setup = {"template": "{text} A cup of [MASK].", "words": ["drink = tea"], "seeds": 2, "place": "end", "start": "labels", "shots": 2}
    items = list(visitor.submit("tiny-gpt2", "", ["cloze", "prompt"], data=DATA, **SHORT, **setup))
    cloze, prompt = items[-1]["table"]
    assert not cloze["problem"] and not prompt["problem"] and prompt["test_spread"] is not None and prompt["memory"] is not False
    with pytest.raises(AppError, match="label .neutral."):
        visitor.predict("tiny-gpt2", "", ["cloze"], data=DATA, words=["neutral = tea"], **SHORT)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("tiny-nobody", "reviews_en", ["prompt"]), "tiny-bert"),
        (("tiny-bert", "nothing", ["prompt"]), "reviews_en"),
        (("tiny-bert", "reviews_en", []), "method"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_a_sentence(visitor: Client, asked: tuple, said: str) -> None:
    with pytest.raises(AppError, match=said):
        visitor.predict(*asked, **SHORT)
    with pytest.raises(AppError, match="does not fetch data sets from the hub"):
        visitor.predict("tiny-bert", "", ["cloze"], hub_data="nobody/reviews", **SHORT)
    with pytest.raises(AppError, match="no kept result"):
        visitor.predict("../../etc", api_name="/export")


def test_the_form_becomes_a_plan_and_says_what_is_missing() -> None:
    setup = ("end", "text", "hello", 2, "mean", 0.002, 3, 0.2, "a result", 2, "{text} [MASK]!", "positive = good\n\nnegative = bad")
    asked = ("m", "reviews_en", ["prefix", "cloze"], "steps", 50, 8, 4, 0, 3, 2, *setup, "", None, None, None, None)
    same = {
        "place": "end",
        "start": "text",
        "text": "hello",
        "shots": 2,
        "template": "{text} [MASK]!",
        "reading": "mean",
        "head_rate": 0.002,
        "soup": 3,
        "adversarial": 0.2,
        "teacher": "a result",
        "variants": 2,
    }
    same |= {"words": (("positive", "good"), ("negative", "bad")), "length": 8, "rank": 4, "seed": 3, "seeds": 2}
    assert plan_of(*asked) == Plan(model="m", methods=("cloze", "prefix"), task="reviews_en", amount=50, **same)
    wrong = [
        (10, "up", "unknown_choice"),
        (12, " ", "no_prompt_text"),
        (14, "backwards", "unknown_choice"),
        (15, -1, "bad_rate"),
        (16, 11, "bad_soup"),
        (17, 1.1, "bad_push"),
        (19, 9, "bad_variants"),
        (20, "no gap for a text", "no_text_in_template"),
    ]
    wrong += [(21, "positive good", "bad_label_line"), (21, "neutral = fine", "unknown_label")]
    for place, value, key in (
        (0, None, "no_model_chosen"),
        (1, None, "no_task_chosen"),
        (2, [], "no_methods"),
        (4, None, "bad_amount"),
        *wrong,
    ):
        with pytest.raises(Problem, match=key):
            plan_of(*asked[:place], value, *asked[place + 1 :])
    with pytest.raises(Problem, match="no_data"):
        plan_of("m", "own", *asked[2:])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_task_and_preset_has_its_words(language: str) -> None:
    for name in methods():
        assert {f"tuning.method.{name}", f"tuning.explain.{name}"} <= set(table())
    assert pictures(language).count("<svg") == len(methods())
    assert all(label for label, _ in task_choices(language))
    for preset in examples("tuning"):
        assert set(preset["methods"]) <= set(methods()) and preset["look"][language]
        Plan(model="m", methods=tuple(preset["methods"]), task=preset["task"], budget=preset["budget"], amount=preset["amount"])


def look(**values) -> Look:
    plain = {"state": "running", "held": False, "position": 0, "version": (), "stage": None, "points": (), "outcomes": (), "problem": None}
    return Look(plan=Plan(model="m", methods=("prompt",), task="reviews_en"), **plain | values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_line_above_the_curves_says_what_happens(language: str) -> None:
    point, bad = Point("prompt", 7, 1.0, 0.5, None), Outcome(method="prompt", problem=Problem("tuning_memory"))
    cases = [
        look(state="waiting", position=3), look(), look(stage=Stage("load")), look(stage=Stage("measure", "prompt")), look(points=(point,)),
        look(points=(point,), held=True), look(held=True), look(state="done"), look(state="done", outcomes=(bad,)), look(state="stopped"),
        look(state="failed", problem=Problem("job_deadline", seconds=600.0)),
    ]  # fmt: skip
    said = [status(case, language) for case in cases]
    assert len(set(said)) == len(cases) - 1 and all(re.search(r"<p class=.notice", line) for line in said)
    assert status(None, language) == "" and "3" in said[0] and "600" in said[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_show_numbers_and_never_run_what_they_show(language: str) -> None:
    shown = comparison([Outcome(method="prompt", kept=KEPT), Outcome(method="lora", problem=Problem("tuning_memory"))], language)
    assert (
        "6.4 %" in shown
        and "70 % ± 7" in shown
        and "0.2" in shown
        and "12.3 kB" in shown
        and "78.9 MB" in shown
        and shown.count("<tr>") == 3
    )
    shown += mistakes(KEPT, language) + nearest_words(KEPT, language)
    shown += tried(Tried(after={"a": 0.9, "b": 0.1}, before=None), KEPT, language) + tried(Tried(after="<b>", before="<i>"), KEPT, language)
    assert "<script>" not in shown and "<b>" not in shown and "tea" in shown


def test_words_of_labels_are_told_as_the_model_reads_them() -> None:
    words = (
        Spelt(label="a", word="tea", pieces=("tea",), compared=1),
        Spelt(label="b", word="coffee cup", pieces=("coffee", "<cup>"), compared=2),
        Spelt(label="c", word="coffee pot", pieces=("coffee", "pot"), compared=1),
    )
    for language in LANGUAGES:
        shown = spoken(words, language)
        assert shown.count("<li>") == 3 and "&lt;cup&gt;" in shown and spoken((), language) and len(set(shown.split("<li>"))) == 4
    assert words_of(lines_of(read_task("topics_en"))) == tuple((name, label.word) for name, label in read_task("topics_en").labels.items())


def test_own_data_are_told_line_by_line() -> None:
    content = DATA + "\n,drink\nmore,\n" + DATA.splitlines()[1]
    parsed = read_table(content)
    for language in LANGUAGES:
        shown = told(parsed, guess_columns(parsed), language)
        assert "14" in shown and "15" in shown and "16" in shown and "drink" in shown
    assert examples_of(DATA, None, "text", "label", "").task.kind == "classify"
    assert {row.answer for row in examples_of(DATA, None, None, None, None).train} == {"drink", "weather"}
    assert listed((), "en") == ""


def test_an_uploaded_file_is_read_and_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text(DATA, encoding="utf-8")
    assert len(examples_of("", str(file), None, None, None).train) == 8
    file.write_bytes(b"\xff\xfe\x00" * 9)
    with pytest.raises(Problem, match="not_utf8"):
        examples_of("", str(file), None, None, None)
    file.write_bytes(b"a" * 2_000_001)
    with pytest.raises(Problem, match="data_too_large"):
        examples_of("", str(file), None, None, None)
