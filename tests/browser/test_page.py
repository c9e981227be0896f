"""What holds for the page as a whole: two languages, two themes, narrow screens, long and hostile input."""

import re
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from playwright.sync_api import Page, expect

from models.model import Model
from playground.page import build_page
from playground.service.playground import Playground
from playground.tasks import generate
from playground.ui.look import launch_settings

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
TABS = ("attention", "masked_word", "next_sentence", "translation", "generation", "tuning")
ALL = (*TABS, "lessons")  # lessons quote English sentences in Chinese
# Names and technical terms that stay as they are in Chinese.
TERMS = re.compile(
    r"Transformer|English|BERT|API|Apache-2\.0|MASK|Top [kp]|Language|tiny-\w+|Hugging Face|hub|MB|[kqv]\b|bank|\[[A-Z]+\]|--?\w+"
)


def open_tab(page: Page, tab: str) -> None:
    page.locator(f"#tab-{tab}-button").click()
    expect(page.locator(f"#tab-{tab} button.primary")).to_be_visible()


def test_the_language_changes_at_once_everywhere_and_is_remembered(visit: Visit) -> None:
    page = visit()
    expect(page.locator("#attention-chart")).to_contain_text("self-attention")
    page.get_by_label("中文").check()
    expect(page.get_by_role("tab", name="注意力")).to_be_visible()
    expect(page.locator("#attention-chart")).to_contain_text("自注意力")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.reload()
    expect(page.get_by_role("tab", name="注意力")).to_be_visible()
    page.get_by_label("English").check()
    expect(page.get_by_role("tab", name="Attention")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_in_chinese_no_tab_shows_an_english_sentence(visit: Visit) -> None:
    page = visit(query="?lang=zh")
    expect(page.get_by_role("tab", name="注意力")).to_be_visible()
    for tab in TABS:
        open_tab(page, tab)
        seen = "\n".join(page.locator(place).first.inner_text() for place in (f"#tab-{tab}", ".page-head", "#tabs", ".page-foot"))
        charts = page.locator(f"#tab-{tab} .chart").all_inner_texts()
        for chart in charts:
            seen = seen.replace(chart, "")
        english = re.findall(r"[A-Za-z]{2,}(?: [A-Za-z]{2,})+", TERMS.sub("·", seen))
        assert not english, (tab, english)
        labels = page.locator(f"#tab-{tab}").get_by_role("textbox").evaluate_all("all => all.map((one) => one.placeholder)")
        assert not re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", " ".join(labels))


def test_a_refused_text_is_explained_beside_the_button_and_nothing_is_lost(visit: Visit) -> None:
    page = visit("masked_word", query="?lang=zh")
    box = page.get_by_label("含有 [MASK] 的文本")
    box.fill("这里没有空。")
    page.locator("#tab-masked_word button.primary").click()
    notice = page.locator("#tab-masked_word .notice.problem")
    expect(notice).to_contain_text("[MASK]")
    expect(box).to_have_value("这里没有空。")
    box.fill("She drank [MASK].")
    page.locator("#tab-masked_word button.primary").click()
    expect(page.locator("#masked-word-chart .bars .point").first).to_be_visible()
    expect(notice).to_have_count(0)


def test_a_long_text_is_cut_and_the_page_says_so(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Text", exact=True).fill("The cat sat on the mat. " * 400)
    page.locator("#tab-attention button.primary").click()
    expect(page.locator("#tab-attention .notice")).to_contain_text("reads the first 128 tokens")


@pytest.mark.parametrize("tab", TABS)
def test_what_a_visitor_types_is_never_run(visit: Visit, tab: str) -> None:
    page = visit(tab)
    hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> ${window.hacked=1} {{window.hacked=1}} `[MASK]'
    for box in page.locator(f"#tab-{tab} textarea:visible:enabled").all():
        box.fill(hostile)
    page.locator(f"#tab-{tab} button.primary").click()
    drawn = page.locator(f"#tab-{tab} .chart .main-svg").first
    expect(drawn.or_(page.locator(f"#tab-{tab} .notice.problem")).first).to_be_visible()
    if tab == "generation":
        expect(page.locator("button.token").first).to_be_visible()
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_tab_is_wider_than_a_telephone(visit: Visit, language: str) -> None:
    page = visit(query=f"?lang={language}", width=390)
    expect(page.locator("#attention-chart .main-svg").first).to_be_visible()
    for tab in ALL:
        open_tab(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab


def test_figures_take_the_colours_of_the_theme(visit: Visit) -> None:
    colours = []
    for theme in ("light", "dark"):
        page = visit(query=f"?__theme={theme}")
        word = page.locator("#attention-chart .ytick text").first
        expect(word).to_be_visible()
        colours.append(
            (
                word.evaluate("e => getComputedStyle(e).fill"),
                page.evaluate("getComputedStyle(document.querySelector('.gradio-container')).color"),
            )
        )
    for drawn, written in colours:
        assert drawn == written
    assert colours[0] != colours[1]


def test_every_control_has_a_name(visit: Visit) -> None:
    page = visit()
    for tab in ALL:
        open_tab(page, tab)
        nameless = page.locator("#tabs input:visible, #tabs textarea:visible, #tabs button:visible").evaluate_all(
            """all => all.filter((one) => !(one.getAttribute('aria-label') || one.labels?.length || one.getAttribute('aria-labelledby')
               || one.innerText.trim() || one.title)).map((one) => one.outerHTML.slice(0, 200))"""
        )
        assert not nameless, (tab, nameless)


def test_the_api_page_opens_from_the_footer(visit: Visit) -> None:
    page = visit()
    with page.expect_request("**/info*"):
        page.get_by_role("link", name="API").click()
    expect(page.get_by_text("/next_sentence").first).to_be_visible()


class Held:
    """The task of generation, which waits at `gate` after its third token."""

    NAME = generate.NAME

    def __init__(self) -> None:
        self.gate, self.ended = Event(), Event()

    def size(self, model: Model, request: generate.Request) -> int:
        return generate.size(model, request)

    def stream(self, model: Model, request: generate.Request) -> Iterator[generate.Step]:
        try:
            for number, step in enumerate(generate.stream(model, request), 1):
                yield step
                if number == 3:
                    self.gate.wait(30)
        finally:
            self.ended.set()


def test_stop_ends_a_generation_and_keeps_what_was_made(visit: Visit, tiny_playground: Playground) -> None:
    task = Held()
    with Playground(tiny_playground.catalogue, "cpu", offline=True, find_task=lambda name: task) as playground:
        served = build_page(playground).queue(default_concurrency_limit=None)
        served.launch(prevent_thread_lock=True, quiet=True, inbrowser=False, **launch_settings())
        page = visit("generation", at=served.local_url)
        page.locator("#tab-generation button.primary").click()
        expect(page.locator("button.token").first).to_be_visible()
        page.locator("#tab-generation").get_by_role("button", name="Stop").click()
        task.gate.set()
        expect(page.locator("#tab-generation .notice")).to_contain_text("Stopped")
        assert task.ended.wait(30)
        assert 1 <= page.locator("button.token").count() <= 4
        page.close()
        served.close()
