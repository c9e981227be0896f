"""A lesson in a real browser: predict, see, go on, come back, in the other language; and a figure that keeps its height."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from playground.lessons.content import lessons

pytestmark = pytest.mark.browser


def test_one_predicts_then_sees_and_goes_on(visit: Callable[..., Page]) -> None:
    page = visit("lessons")
    first, second = lessons()["attention"].steps[:2]
    chart, verdict = page.locator("#lesson-chart .main-svg").first, page.locator("#lesson-verdict .verdict")
    expect(page.locator("#lesson-text")).to_contain_text(first.title["en"])
    expect(chart).to_have_count(0)
    page.get_by_label(first.question.choices[1].text["en"]).focus()
    page.keyboard.press("Space")
    expect(verdict).to_contain_text("Yes, exactly.")
    expect(chart).to_be_visible()
    height = page.locator("#lesson-chart .chart").bounding_box()["height"]
    page.set_viewport_size({"width": 1280, "height": 700})
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 300)))")
    assert page.locator("#lesson-chart .chart").bounding_box()["height"] == height > 300
    page.locator("#lesson-next").click()
    expect(page.locator("#lesson-steps [aria-current]")).to_contain_text(second.title["en"])
    expect(verdict).to_have_count(0)
    page.get_by_label("中文").check()
    expect(page.locator("#lesson-text")).to_contain_text(second.title["zh"])
    expect(page.locator("#lesson-question")).to_contain_text(second.question.ask["zh"])
    page.locator("#lesson-back").click()
    expect(verdict).to_contain_text("答对了")
    expect(chart).to_be_visible()
    page.evaluate("window.unchanged = true")
    page.locator("#tab-lessons a[href^='#show=']").click()
    expect(page.locator("#tab-attention-button")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#attention-chart .ytick", has_text="animal").first).to_be_visible()
    assert page.evaluate("window.unchanged")  # the page was not loaded anew
    page.locator("#tab-lessons-button").click()
    expect(verdict).to_contain_text("答对了")
    faults = Axe().run(page).response["violations"]
    assert not [one["id"] for one in faults if one["impact"] in ("serious", "critical")]
