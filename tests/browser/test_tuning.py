"""A short run in a real browser: seen learning, compared, tried, and found again by who comes back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
TAB = "#tab-tuning"
DATA = "text,label\n" + "\n".join(f"{('tea', 'rain')[place % 2]} {place},{('drink', 'weather')[place % 2]}" for place in range(16))


def test_a_run_is_seen_learning_and_found_again(visit: Callable[..., Page]) -> None:
    page = visit("tuning")
    tab = page.locator(TAB)
    tab.get_by_label("Task", exact=True).click()
    page.get_by_role("option", name="My own data").click()
    tab.get_by_label("Labelled sentences").fill(DATA)
    tab.get_by_role("button", name="Read the data").click()
    expect(tab.get_by_text("16 rows can be used")).to_be_visible()
    expect(tab.get_by_label("Column with the label")).to_have_value("label")
    tab.get_by_text("Template and label words").click()
    tab.get_by_role("button", name="Check with this model").click()
    expect(tab.get_by_text("The model can use this template.")).to_be_visible()
    tab.get_by_text("Settings", exact=True).click()
    tab.get_by_label("How many").fill("4")
    tab.locator("button.primary").click()
    expect(page.locator("#tuning-table tbody tr")).to_have_count(3, timeout=150_000)  # three methods, one after the other
    expect(page.locator("#tuning-status")).to_contain_text("Done")
    expect(page.locator("#tuning-chart .scatterlayer .trace")).to_have_count(5)
    frame = page.locator("#tuning-chart .chart").bounding_box()
    for number in page.locator("#tuning-chart .ytick text, #tuning-chart .y2tick text").all():  # in sight, after so many drawings
        assert number.bounding_box()["x"] > frame["x"]
    expect(page.locator("#tuning-confusion .main-svg").first).to_be_visible()
    tab.get_by_label("A text to try it on").fill("He ordered tea.")
    tab.get_by_role("button", name="Before and after").click()
    expect(page.locator("#tuning-tried .result")).to_have_count(2)
    teacher = tab.get_by_label("Teacher", exact=True)
    teacher.click()
    page.get_by_role("option").nth(1).click()  # after "nobody" the newest; the first of the run is the one that is looked at
    asked = teacher.input_value()
    assert asked != tab.get_by_label("Kept results", exact=True).input_value()
    tab.get_by_role("button", name="Delete", exact=True).click()
    tab.get_by_role("button", name="Yes, delete").click()
    expect(tab.get_by_text("is deleted.")).to_be_visible()
    expect(teacher).to_have_value(asked)  # another one was deleted
    page.reload()
    expect(page.locator("#attention-chart .main-svg").first).to_be_visible()  # the page has opened before the tab is
    page.locator(f"{TAB}-button").click()
    expect(page.locator("#tuning-table tbody tr")).to_have_count(3)
    page.get_by_label("中文").check()
    expect(page.locator("#tuning-table")).to_contain_text("完形填空")
