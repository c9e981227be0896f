"""What the page does with a link, and what it puts into one."""

import os
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

import models
from models.errors import Problem
from playground.lessons.content import lessons
from playground.lessons.in_tab import address
from playground.lessons.stage import Stage
from playground.lessons.walk import Walk
from playground.service.long_links import LongLinks
from playground.service.playground import Playground
from playground.tasks import attend
from playground.tasks.fill_masks import WAYS
from playground.tasks.measures import MEASURES, over_heads
from playground.ui.as_python import WRITERS, as_python
from playground.ui.attention_link import hear, tell
from playground.ui.attention_view import Seen, deeper, numbers
from playground.ui.link_fields import fits
from playground.ui.linking import KEPT, Links, again, teachers_line
from playground.ui.links import LONGEST, MARK, decode, encode, link_state
from playground.ui.look import launch_settings
from playground.ui.share import qr_code

VIEWS = {
    "attention": {"model": "tiny-bert", "text": "The cat sat.", "second": "It slept.", "target": "", "site": "encoder.1.self", "head": 2},
    "masked_word": {"model": "tiny-bert", "text": "Tea or [MASK]?", "candidates": "coffee, milk", "top_k": 7, "decoder": "tiny-llama"},
    "next_sentence": {"model": "tiny-bert", "first": "It rained.", "seconds": "The street is wet.\nParis is big."},
    "translation": {"model": "tiny-marian", "text": "今天下雨了。", "beams": 2, "others": 1},
    "generation": {"model": "tiny-gpt2", "prompt": "The 'cat'\n\"sat\"", "length": 5, "temperature": 0, "top_k": 0, "top_p": 1, "seed": 3},
    "tuning": {"model": "tiny-bert", "methods": ["prefix"], "budget": "seconds", "amount": 5, "length": 4, "rate": 0.001},
}  # fmt: skip


def named(page: gr.Blocks, name: str) -> Any:
    """A handler of the page."""
    ours = ("playground.page", "playground.ui.share", "playground.ui.linking")
    return next(one for one in page.fns.values() if one.fn and one.fn.__name__ == name and one.fn.__module__ in ours)


def links_of(page: gr.Blocks) -> Links:
    """The registry of the page."""
    return named(page, "ask").fn.__self__


def opened(page: gr.Blocks, link: str, language: str = "en") -> dict[str, Any]:
    """What opening a link changes, by the name of the field; the rest by the component's class."""
    links = links_of(page)
    [tabs] = [block for block in page.blocks.values() if isinstance(block, gr.Tabs)]
    updates = links.open(link, language, tabs)
    tab = updates.get(tabs, {}).get("selected")
    names = {block: name for name, block in links._linked[tab].blocks().items()} if tab in links._linked else {}
    told = {
        names.get(block, type(block).__name__): value.get("value") if isinstance(value, dict) else value for block, value in updates.items()
    }
    return told | {"tab": tab}


@pytest.mark.parametrize("tab", VIEWS)
def test_a_link_fills_the_fields_of_its_tab(tiny_page: gr.Blocks, tab: str) -> None:
    told = opened(tiny_page, encode(link_state(tab, **VIEWS[tab])))
    assert told["tab"] == tab and told["HTML"] == ""
    assert {name: value for name, value in told.items() if name in VIEWS[tab]}.items() <= VIEWS[tab].items()
    assert told["model"] == VIEWS[tab]["model"] and links_of(tiny_page).asks(encode(link_state(tab, **VIEWS[tab]))) == tab


def test_what_a_link_leaves_out_is_as_on_a_fresh_page(tiny_page: gr.Blocks) -> None:
    told = opened(tiny_page, encode(link_state("generation", model="tiny-gpt2", prompt="Hello")))
    assert told["length"] == 64 and told["chat"] is True and told["prompt"] == "Hello"
    assert opened(tiny_page, "?tab=translation") == {"HTML": "", "Tabs": None, "tab": "translation"}
    assert links_of(tiny_page).asks("?tab=translation") is links_of(tiny_page).asks("") is links_of(tiny_page).asks("1.x") is None


@pytest.mark.parametrize(
    ("tab", "bad"),
    [
        ("attention", {"model": "no-such-model"}), ("attention", {"model": "/etc/passwd"}), ("attention", {"model": 3}),
        ("attention", {"site": "../x"}), ("attention", {"head": -3}), ("attention", {"head": True}), ("attention", {"view": "all"}),
        ("attention", {"text": ["a"]}), ("masked_word", {"top_k": 51}), ("masked_word", {"top_k": 2.5}), ("masked_word", {"top_k": True}),
        ("masked_word", {"decoder": "tiny-bert"}), ("masked_word", {"model": "tiny-gpt2"}), ("generation", {"chat": 1}),
        ("generation", {"seed": -1}), ("generation", {"temperature": "hot"}), ("tuning", {"methods": ["magic"]}),
        ("tuning", {"methods": ["prefix", "prefix"]}), ("tuning", {"task": "../../x"}), ("nowhere", {}),
    ],
)  # fmt: skip
def test_a_link_with_something_that_does_not_fit_gives_a_sentence_and_changes_nothing(tiny_page: gr.Blocks, tab: str, bad: dict) -> None:
    link = encode(link_state(tab, **VIEWS.get(tab, {}) | bad))
    english, chinese = opened(tiny_page, link), opened(tiny_page, link, "zh")
    assert set(english) == {"HTML", "tab"} and english["tab"] is None and "problem" in english["HTML"]
    assert english["HTML"] != chinese["HTML"] and links_of(tiny_page).asks(link) is None


def test_share_and_open_over_http(client: Any, tiny_page: gr.Blocks, tiny_playground: Any) -> None:
    def send(name: str, data: list) -> dict:
        number = next(number for number, one in tiny_page.fns.items() if one is named(tiny_page, name))
        answer = client.post("/gradio_api/run/predict", json={"data": data, "fn_index": number, "session_hash": "a-visitor"})
        assert answer.status_code == 200, answer.text
        return dict(zip(named(tiny_page, name).outputs, answer.json()["data"], strict=True))

    links = links_of(tiny_page)
    words = links._linked["attention"].blocks()["text"]
    for text, short in (("A <b>short</b> text 短文", True), (os.urandom(3000).hex(), False)):
        values = [text if block is words else None if block.stateful else block.value for block in links.inputs]
        told = send("share", ["en", "http://here/", "attention", ["rest"], *values])
        [link] = [value for value in told.values() if isinstance(value, str) and MARK in value]
        assert link.startswith("http://here/?lang=en" + MARK) and len(link) <= LONGEST
        assert link.split(MARK)[1].startswith("1." if short else KEPT)
        assert any("stored on this server" in str(value) for value in told.values()) is not short
        assert any("<svg" in str(value) for value in told.values()) and any("attend.run" in str(value) for value in told.values())
        opening = named(tiny_page, "open_")
        filled = send("open_", ["zh", link.split(MARK)[1], *[None if block.stateful else block.value for block in opening.inputs[2:]]])
        assert filled[words]["value"] == text and "老师" in str(filled[links.door])
    huge = ["x" * 300_000 if block is words else None if block.stateful else block.value for block in links.inputs]
    assert any("too large for a link" in str(value) for value in send("share", ["en", "http://here/", "attention", [], *huge]).values())


def test_what_attention_shows_travels_with_every_plain_option() -> None:
    seen = Seen("tiny-bert", attend.Request(text="a", second="b"), "encoder.0.self", 3, "heads")
    state = link_state("attention", **tell(seen))
    assert hear(decode(encode(state))["values"]) == seen
    assert hear({"model": "m", "text": "a"}) == Seen("m", attend.Request(text="a"), None, -1, "one")
    with pytest.raises(Problem, match="link_field"):
        hear({"model": "m", "text": 5})


def test_long_views_are_kept_once_bounded_and_whole(tmp_path: Path) -> None:
    kept = LongLinks(tmp_path / "links", most=3, most_bytes=100)
    names = [kept.keep(f"1.{letter * 20}") for letter in "abc"]
    assert kept.keep("1." + "a" * 20) == names[0] and kept.get(names[1]) == "1." + "b" * 20
    for age, name in enumerate([names[2], names[0], names[1]]):
        os.utime(tmp_path / "links" / name, (age, age))
    kept.keep("1." + "d" * 20)
    assert {file.name for file in (tmp_path / "links").iterdir()} == {names[0], names[1], kept.keep("1." + "d" * 20)}
    big = kept.keep("1." + "e" * 90)
    assert [file.name for file in (tmp_path / "links").iterdir()] == [big]
    (tmp_path / "links" / big).write_text("1.other")
    for name, key in (
        (big, "link_lost"),
        (names[2], "link_lost"),
        ("../../etc/passwd", "link_bad"),
        ("", "link_bad"),
        ("A" * 32, "link_bad"),
    ):
        with pytest.raises(Problem, match=key):
            kept.get(name)


@pytest.mark.parametrize("tab", WRITERS)
@pytest.mark.parametrize("view", ["one", "model"])
def test_the_python_of_a_view_gives_its_numbers(tab: str, view: str, tiny_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = {}

    def load(name: str) -> Any:
        return loaded.setdefault(name, real(str(tiny_models[name]), device="cpu"))

    real = models.load
    monkeypatch.setattr(models, "load", load, raising=False)
    code = as_python(link_state(tab, **VIEWS[tab], view=view))
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - what it says is what is tested
    assert len(code.splitlines()) <= 14
    if tab == "attention":
        [result] = attend.run(loaded["tiny-bert"], [attend.Request(text="The cat sat.", second="It slept.")])
        weights = found["weights"] if view == "one" else found["weights"]["encoder.1.self"][2]
        np.testing.assert_array_equal(weights, result.weights("encoder.1.self", 2))
        assert found["queries"] == result.words_at("encoder.1.self")[0]
    if tab == "generation":
        assert len(found["steps"]) == 5


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("view", "head"), [("one", -2), ("lines", 1), ("heads", -1), ("layers", -1)])
def test_the_python_of_every_measure_gives_what_is_drawn(
    view: str, head: int, measure: str, tiny_playground: Any, tiny_models: Any, monkeypatch: Any
) -> None:
    seen = Seen("tiny-bert", attend.Request(text="The animal didn't cross."), "encoder.1.self", head, view, measure, True, True)
    model = models.load(str(tiny_models["tiny-bert"]), device="cpu")
    monkeypatch.setattr(models, "load", lambda name: model, raising=False)
    found: dict[str, Any] = {}
    exec(as_python(link_state("attention", **tell(seen))), found)  # noqa: S102
    weights, _ = numbers(tiny_playground.ask("tiny-bert", "attend", seen.request), seen, deeper(tiny_playground, seen))
    drawn = weights("encoder.1.self")
    wanted = over_heads(drawn, head) if view in ("one", "lines") else drawn
    got = found["weights"]["encoder.1.self"] if view == "layers" else found["weights"]
    np.testing.assert_allclose(got, wanted if view != "lines" or measure != "weights" else drawn[0], rtol=1e-4, atol=1e-6)


def test_the_python_of_several_gaps_fills_them_together(tiny_models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.load(str(tiny_models["tiny-bert"]), device="cpu")
    monkeypatch.setattr(models, "load", lambda name: model, raising=False)
    found: dict[str, Any] = {}
    exec(as_python(link_state("masked_word", model="tiny-bert", text="She [MASK] a [MASK].", top_k=5)), found)  # noqa: S102
    assert [filling.way for filling in found["together"].fillings] == list(WAYS)


def test_what_a_visitor_typed_stays_text_in_python() -> None:
    text = "\"); import os; os.system(\"x\") #\n'''"
    code = as_python(link_state("generation", model="m", prompt=text))
    assert repr(text) in code and code.count("\n") <= 7
    assert as_python(link_state("tuning", model="m")) == as_python(link_state("attention")) == ""


def test_lines_and_pictures_are_safe_and_in_both_languages() -> None:
    line = teachers_line(["options"], "en")
    assert "teacher" in line and "老师" in again("zh", line) and 'data-lock="options"' in again("zh", line)
    assert again("zh", "") == again("zh", None) == again("zh", "<p>Something else</p>") == teachers_line([], "en") == ""
    assert "<svg" in qr_code("http://x/" + "a" * 1880, '"<b>') and '"<b>' not in qr_code("http://x/", '"<b>')


def test_a_field_takes_only_what_could_have_been_put_there() -> None:
    with gr.Blocks():
        slider, number, words = gr.Slider(0, 2, 1, step=0.05), gr.Number(1, minimum=0), gr.Textbox(max_length=3)
        many = gr.Dropdown([("A", "a"), ("B", 1)], multiselect=True)
        unknown = gr.HTML("")
    assert fits(slider, 0.5) and fits(number, None) and fits(number, 7.5) and fits(words, "abc") and fits(many, ["a", 1])
    for field, bad in [
        (slider, 2.1),
        (slider, None),
        (number, -1),
        (number, 1e300),
        (words, "abcd"),
        (many, ["1"]),
        (many, [True]),
        (unknown, "x"),
    ]:
        assert not fits(field, bad), (field, bad)


def test_the_scripts_of_the_page_do_not_end_before_their_end() -> None:
    head = launch_settings()["head"]
    assert head.count("</script") == 1 and head.endswith("</script>") and "script.save_figure" in head


@pytest.mark.parametrize(("key", "index"), [(key, place) for key, lesson in lessons().items() for place, _ in enumerate(lesson.steps)])
def test_every_step_opens_in_its_tab(tiny_page: gr.Blocks, tiny_playground: Playground, key: str, index: int) -> None:
    stage, step = Stage(playground=tiny_playground, lessons=lessons()), lessons()[key].steps[index]
    walk = Walk(lesson=key).go(lessons(), index).answer(step.question, 0)
    if step.view is None:
        assert stage.reveal(walk, "en").address == ""
        return
    opened = links_of(tiny_page).read(stage.reveal(walk, "en").address.removeprefix(MARK))[0]
    assert opened["tab"] == step.view["show"] and opened["values"]["model"] == stage.row(walk)["name"]
    assert opened["values"].items() >= {name: step.view[name] for name in ("text", "first", "prompt", "task") if name in step.view}.items()
    if step.view["show"] == "generation":  # what the tab begins with is not what a lesson takes where it says nothing
        assert opened["values"]["chat"] is step.view.get("chat", False) and opened["values"]["length"] == step.view.get("length", 24)
    if step.view["show"] == "tuning":
        assert (opened["values"]["budget"], opened["values"]["amount"]) == ("steps", step.view["steps"])


def test_a_text_too_long_for_a_link_is_shown_all_the_same() -> None:
    assert address({"show": "masked_word", "text": "".join(map(chr, range(40, 200_000, 3)))}, "m", None) == ""
