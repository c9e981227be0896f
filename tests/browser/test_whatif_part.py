"""The parts below the attention map, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def open_part(page: Page, key: str) -> None:
    """Wait for the map, then open what stands below it."""
    expect(page.locator("#attention-chart .ytick").first).to_be_visible(timeout=90_000)  # the first visitor waits for the model
    page.locator(f"#part-{key} > button").click()


def test_a_pressed_head_is_silent_and_a_click_on_the_map_of_heads_presses_it(visit: Visit) -> None:
    page = visit()
    open_part(page, "whatif")
    expect(page.locator("#whatif-difference .g-gtitle")).to_contain_text("0.0 %")
    head = page.locator('[data-part="encoder.0.self:2"]')
    head.focus()
    head.press("Enter")
    expect(head).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#whatif-difference .g-gtitle")).not_to_contain_text(" 0.0 %")
    expect(page.locator("#whatif-guess .g-gtitle")).to_contain_text("The guess moves")
    page.get_by_role("button", name="Let all speak again").click()
    expect(head).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Which head matters most here?").click()
    page.locator("#whatif-heads .nsewdrag").click(position={"x": 12, "y": 12})
    expect(page.locator('[data-part="encoder.0.self:0"]')).to_have_attribute("aria-pressed", "true")
    assert page.locator("#silence-grid [aria-pressed=true]").count() == 1


def test_a_box_of_a_layer_opens_its_vectors_by_keyboard_and_the_layer_follows_the_view(visit: Visit) -> None:
    page = visit(query="?lang=zh", width=390)
    open_part(page, "inside")
    expect(page.locator("#inside-tensor .g-gtitle")).to_contain_text("编码器第 3 层 · 多头注意力")
    box = page.locator("#inside-block [data-index='3']")
    box.focus()
    box.press("Enter")
    expect(page.locator("#inside-tensor .g-gtitle")).to_contain_text("编码器第 3 层 · 前馈网络")
    assert page.locator("#inside-lens tbody tr").count() == 4
    page.locator("#tab-attention").get_by_label("层", exact=True).click()
    page.get_by_role("option", name="编码器第 1 层 · 自注意力", exact=True).click()
    expect(page.locator("#inside-tensor .g-gtitle")).to_contain_text("编码器第 1 层 · 前馈网络")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
