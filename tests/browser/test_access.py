"""The page can be used by everybody: axe-core finds nothing serious, in any tab, light or dark."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
RESULTS = {
    "attention": "#attention-chart .main-svg",
    "masked_word": "#masked-word-chart .main-svg",
    "next_sentence": "#next-sentence-chart .main-svg",
    "translation": "#translation-chart .main-svg",
    "generation": "#generation-chart .main-svg",
    "tuning": "#tuning-chart .main-svg",
}
PARTS = {
    "arithmetic": "#arithmetic-panel button",
    "heads": "#head-table tr",
    "saliency": "#saliency-strip .saliency",
    "whatif": "#whatif-guess .main-svg",
    "compare": "#compare-difference .main-svg",
    "inside": "#inside-lens tr",
}


@pytest.mark.parametrize("look", ["?__theme=light&lang=en", "?__theme=dark&lang=zh"])
def test_no_tab_has_a_serious_fault(visit: Callable[..., Page], look: str) -> None:
    page = visit(query=look)
    faults = []
    for tab, result in RESULTS.items():
        page.locator(f"#tab-{tab}-button").click()
        if tab != "attention":
            faults += serious(page, f"{tab}, empty")
            page.locator(f"#tab-{tab} button.primary").click()
        expect(page.locator(result).first).to_be_visible()
        faults += serious(page, tab)
    assert not faults


@pytest.mark.parametrize("look", ["?__theme=light&lang=zh", "?__theme=dark&lang=en"])
def test_nothing_that_opens_below_a_map_has_one_either(visit: Callable[..., Page], look: str) -> None:
    page = visit(query=look)
    expect(page.locator(RESULTS["attention"]).first).to_be_visible()
    for part, result in PARTS.items():
        page.locator(f"#part-{part} > button").click()
        expect(page.locator(result).first).to_be_visible()
    expect(page.locator(".pending")).to_have_count(0)  # Gradio lets what is being computed fade,
    page.wait_for_timeout(400)  # and come back slowly
    assert not serious(page, "opened parts")


def serious(page: Page, where: str) -> list[str]:
    """What axe-core calls serious or critical, with the first element that has it."""
    found = Axe().run(page).response["violations"]
    return [f"{where}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")]
