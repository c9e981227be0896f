"""From a cell of the map to the arithmetic of its weight, by mouse and from the keyboard."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
WEIGHT = re.compile(r"(?:weight|权重) (\S+)")


def test_a_click_shows_the_arithmetic_of_the_weight_that_hovering_told(visit: Callable[..., Page]) -> None:
    page = visit()
    title = page.locator("#attention-chart .infolayer .g-gtitle")
    expect(title).to_contain_text("Encoder layer 3")
    page.get_by_role("radio", name="One head as lines", exact=True).check()  # another kind of figure in the same place, and back
    expect(page.locator("#attention-chart .chart")).not_to_have_attribute("tabindex", "0")
    page.get_by_role("radio", name="One head", exact=True).check()
    expect(page.locator("#attention-chart .chart")).to_have_attribute("tabindex", "0")
    area = page.locator("#attention-chart .nsewdrag").first
    box = area.bounding_box()
    at = {"x": box["width"] * 0.3, "y": box["height"] * 0.4}
    area.hover(position=at)
    label = page.locator("#attention-chart .hoverlayer")
    expect(label).to_contain_text("weight")
    hovered = label.text_content()
    area.click(position=at)
    story = page.locator("#arithmetic-panel .cell-title")
    expect(story).to_contain_text("on average over all heads")
    expect(story.locator("b").last).to_have_text(WEIGHT.search(hovered)[1])
    expect(page.locator("#part-arithmetic")).to_be_in_viewport()
    page.locator("#arithmetic-panel .bar-choice", has_text="Head 2").click()
    expect(page.locator("#arithmetic-panel .step")).to_have_count(7)
    expect(title).to_contain_text("Head 2")
    page.locator("#attention-chart").scroll_into_view_if_needed()
    area.hover(position=at)
    expect(label).to_contain_text(story.locator("b").last.inner_text())
    page.get_by_label("Word looked at").click()
    page.get_by_role("option", name="1 · [CLS]").click()
    expect(story).to_contain_text("looks at [CLS] with weight")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    faults = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert not faults, [(one["id"], one["nodes"][0]["html"][:200]) for one in faults]


def test_the_map_is_walked_on_with_arrows_and_opened_with_enter(visit: Callable[..., Page]) -> None:
    page = visit(query="?lang=zh&__theme=dark", width=390)
    chart = page.locator("#attention-chart .chart")
    expect(chart).to_have_attribute("tabindex", "0")
    expect(page.locator("#attention-chart .only-heard td").nth(1)).to_have_text(re.compile(r"^0|^1$"))
    chart.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    heard = page.locator("#attention-chart [aria-live]")
    expect(heard).to_contain_text("关注 [CLS]，权重")  # the first arrow brings the cursor, the left edge stops it
    expect(page.locator("#attention-chart .cell-cursor")).to_be_visible()
    weight = WEIGHT.search(heard.inner_text())[1]
    page.keyboard.press("Enter")
    story = page.locator("#arithmetic-panel .cell-title")
    expect(story.locator("b").last).to_have_text(weight)
    expect(page.locator("#arithmetic-panel .bar-choice")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
