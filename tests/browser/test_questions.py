"""What the tabs of the questions let one do with an answer: put a word in, follow a link, branch off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def test_words_are_put_in_and_linked(visit: Visit) -> None:
    page = visit("masked_word")
    box = page.get_by_label("Text with [MASK]")
    box.fill("She [MASK] a cup of [MASK].")
    page.locator("#tab-masked_word button.primary").click()
    expect(page.locator(".fillings li")).to_have_count(3)
    page.locator(".chips li").nth(1).locator("button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chips li")).to_have_count(1)
    assert box.input_value().startswith("She [MASK] a cup of") and box.input_value().count("[MASK]") == 1

    page.locator("#tab-translation-button").click()
    page.get_by_label("Text to translate").fill("今天下雨了。")
    page.locator("#tab-translation button.primary").click()
    words = page.locator("#linked-words .linked[data-side=t]")
    expect(words.first).to_be_visible()
    words.first.hover()
    expect(page.locator("#linked-words .linked[data-side=s].lit").first).to_be_visible()
    words.first.focus()
    page.keyboard.press("ArrowRight")
    expect(words.nth(1)).to_be_focused()
    expect(words.nth(1)).to_have_class("linked pointed")
    page.keyboard.press("Enter")
    expect(page.get_by_label("The translation begins with (optional)")).not_to_have_value("")
    page.get_by_role("button", name="The beams as a tree").click()
    expect(page.locator("svg.beam-tree g.best").first).to_be_attached()


def test_a_text_branches_and_temperature_is_shown(visit: Visit) -> None:
    page = visit("generation")
    page.locator("#tab-generation button.primary").click()
    expect(page.locator("#generation-chart .main-svg").first).to_be_visible()
    tokens = page.locator("button.token")
    first = page.locator(".tokens").text_content()
    tokens.nth(2).click()
    page.get_by_role("button", name="What temperature does to the probabilities").click()
    expect(page.locator("#temperature-chart .annotation-text", has_text="T = 1.5")).to_be_visible()
    page.locator("table.alternatives .pick").first.click()
    expect(page.locator("#branches input")).to_have_count(2)
    page.locator("#branches input").first.check()
    expect(page.locator(".tokens")).to_have_text(first)
