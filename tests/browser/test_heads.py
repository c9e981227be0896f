"""Words, measures, lines and the table of heads, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def test_words_measures_lines_and_the_table_of_heads(visit: Visit) -> None:
    page = visit()
    chart, title = page.locator("#attention-chart"), page.locator("#attention-chart .infolayer .g-gtitle")
    expect(title).to_contain_text("Encoder layer 3")
    page.get_by_label("Whole words").check()
    page.get_by_label("Hide special tokens").check()
    expect(title).to_contain_text("whole words · without special tokens")
    expect(chart.locator(".ytick", has_text="[CLS]")).to_have_count(0)
    page.get_by_label("One head as lines").check()
    expect(chart.locator("figure.lines path").first).to_be_attached()
    chart.locator("figure.lines text").first.focus()
    page.keyboard.press("ArrowDown")
    expect(chart.locator("text:focus")).to_have_attribute("data-row", "1")
    assert chart.locator("path.lit").count() > 0
    page.get_by_role("button", name="Every head in numbers").click()
    rows = page.locator("table.head-table tbody tr")
    expect(rows).to_have_count(12)
    heads = page.locator("table.head-table thead th")
    heads.nth(3).get_by_role("button").press("Enter")
    expect(heads.nth(3)).to_have_attribute("aria-sort", "descending")
    shown = [float(cell) for cell in page.locator("table.head-table tbody td:nth-child(4)").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    page.get_by_label("One head", exact=True).check()
    expect(title).to_contain_text("Mean of all heads")
    rows.nth(2).get_by_role("button").press("Enter")
    expect(title).to_contain_text(re.compile(r"Head \d"))
    page.get_by_role("button", name="Which words the prediction hangs on").click()
    expect(page.locator("#saliency-strip span").first).to_be_visible()
