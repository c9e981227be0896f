"""A link opened by somebody else shows the same view."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.ui.links import MARK, encode, link_state

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
TITLE = "#attention-chart .infolayer .g-gtitle"


def link_of(page: Page) -> str:
    """The link that the panel gives, from ? on."""
    page.locator("#share").click()
    box = page.locator("#share-link").locator("input, textarea")
    expect(box).to_have_value(re.compile(MARK))
    return "?" + box.input_value().split("?", 1)[1]


def test_a_copied_link_opens_the_same_layer_and_head(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Text", exact=True).fill("Nobody knows why <b>the sky</b> is blue.")
    page.locator("#tab-attention button.primary").click()
    expect(page.locator("#attention-chart .ytick", has_text="nobody")).to_be_visible()
    page.locator("#tab-attention").get_by_label("Layer", exact=True).click()
    page.get_by_role("option", name="Encoder layer 1 · self-attention", exact=True).click()
    expect(page.locator(TITLE)).to_contain_text("Encoder layer 1")
    page.locator("#tab-attention").get_by_label("Head", exact=True).click()
    page.get_by_role("option", name="Head 3", exact=True).click()
    expect(page.locator(TITLE)).to_contain_text("Head 3")
    link = link_of(page)
    expect(page.locator("#share-panel .qr svg")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#share-panel")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").endswith(link)
    figure = page.evaluate("JSON.stringify(document.querySelector('#attention-chart .chart').data)")

    other = visit(query=link)
    expect(other.locator(TITLE)).to_contain_text(re.compile("Encoder layer 1 .*Head 3"))
    expect(other.get_by_label("Text", exact=True)).to_have_value("Nobody knows why <b>the sky</b> is blue.")
    expect(other.locator("#attention-chart .ytick", has_text="nobody")).to_be_visible()
    assert other.evaluate("JSON.stringify(document.querySelector('#attention-chart .chart').data)") == figure


def test_a_teachers_link_to_another_tab_fixes_and_hides(visit: Visit) -> None:
    view = link_state("masked_word", lock=("options", "rest"), model="tiny-bert", text="The cat drank [MASK].", top_k=4)
    page = visit(query=f"?lang=zh{MARK}{encode(view)}")
    expect(page.locator("#masked-word-chart .ytick")).to_have_count(4)
    expect(page.locator("#link-door")).to_contain_text("这个视图由老师准备。")
    expect(page.get_by_role("tab", name="翻译")).to_be_hidden()
    expect(page.get_by_label("显示几个词").first).to_be_hidden()
    page.get_by_role("button", name="显示全部").click()
    expect(page.get_by_role("tab", name="翻译")).to_be_visible()
    expect(page.get_by_label("显示几个词").first).to_be_enabled()


def test_a_broken_link_gives_a_sentence_and_the_usual_page(visit: Visit) -> None:
    page = visit(query=f"{MARK}1.broken")
    expect(page.locator("#link-door")).to_contain_text("This link is damaged")
    expect(page.locator(TITLE)).to_contain_text("Encoder layer 3")
    view = link_state("next_sentence", lock=("options",), model="tiny-bert", first="It rains.", seconds="Wet.\nDry.")
    page.evaluate(f"location.hash = {(MARK + encode(view))!r}")
    expect(page.locator("#next-sentence-chart .bars .point")).to_have_count(2)
    expect(page.locator("#tab-next_sentence").get_by_label("Model", exact=True)).to_be_disabled()
    expect(page.locator("#link-door")).to_contain_text("prepared by a teacher")


def test_a_figure_and_the_view_are_taken_home(visit: Visit, browser: Browser, tmp_path: Path) -> None:
    page = visit()
    page.get_by_label("Text", exact=True).fill("The tea <b>today</b>.")
    page.locator("#tab-attention button.primary").click()
    expect(page.locator("#attention-chart .ytick", has_text="tea")).to_be_visible()
    frame = page.locator("#attention-chart .chart-menu")

    def taken(kind: str) -> Path:
        frame.locator("summary").click()
        with page.expect_download() as waiting:
            frame.get_by_role("button", name=kind, exact=True).click()
        assert waiting.value.suggested_filename.startswith("Attention - Encoder layer 3")
        waiting.value.save_as(tmp_path / f"figure.{kind}")
        return tmp_path / f"figure.{kind}"

    assert taken("PNG").read_bytes().startswith(b"\x89PNG") and "<svg" in taken("SVG").read_text()[:200]
    head, *rows = csv.reader(taken("CSV").read_text(encoding="utf-8-sig").splitlines())
    assert head[0] == "" and "tea" in head and [row[0] for row in rows] == head[1:]
    assert all(sum(map(float, row[1:])) == pytest.approx(1, abs=1e-4) for row in rows)
    [table] = json.loads(taken("JSON").read_text())["tables"]
    assert table["rows"][1][1:] == [float(weight) for weight in rows[1][1:]] and "tea" in table["columns"]
    page.get_by_label("All heads of a layer").check()
    expect(page.locator("#attention-chart .annotation-text", has_text="Head 2")).to_be_visible()
    maps = [row for row in csv.reader(taken("CSV").read_text(encoding="utf-8-sig").splitlines()) if row]
    assert [row[0] for row in maps][:2] == ["Head 1", "Head 2"] and all("looks at" in row[1] for row in maps)

    page.locator("#share").click()
    expect(page.locator("#share-panel .qr svg")).to_be_visible()
    with page.expect_download() as waiting:
        page.locator("#share-file").click()
    waiting.value.save_as(tmp_path / "view.html")
    context = browser.new_context(offline=True)
    alone = context.new_page()
    alone.goto((tmp_path / "view.html").as_uri())
    expect(alone.locator(".g-gtitle")).to_contain_text("Encoder layer 3")
    expect(alone.locator("dl")).to_contain_text("The tea <b>today</b>.")
    context.close()
