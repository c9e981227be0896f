"""What a visitor really reads: the figures drawn by plotly.js in Chromium."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import plotly
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, Page

from playground.figures.bars import ranking_bars
from playground.figures.grid import grid_of_heads
from playground.figures.heatmap import heatmap

SCRIPT = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
pytestmark = pytest.mark.browser

RNG = np.random.default_rng(0)
Draw = Callable[[go.Figure], Page]


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1000, "height": 1000})
    page.set_content('<meta charset="utf-8"><div id="figure"></div>')
    page.add_script_tag(path=SCRIPT)
    yield page
    page.close()


@pytest.fixture
def draw(tab: Page) -> Draw:
    """Draw a figure as a page does, from its JSON."""

    def drawn(figure: go.Figure) -> Page:
        tab.mouse.move(0, 0)
        tab.evaluate(
            """async ({data, layout}) => {
                const place = document.getElementById("figure");
                window.clicked = null;
                Plotly.purge(place);
                await Plotly.newPlot(place, data, layout, {displayModeBar: false});
                place.on("plotly_click", ({points}) => { window.clicked = points[0].text; });
            }""",
            json.loads(figure.to_json()),
        )
        return tab

    return drawn


def point(page: Page, column: float, row: float) -> None:
    """Move the pointer to this share of the width and of the height of the axes."""
    box = page.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + column * box["width"], box["y"] + row * box["height"])


def hover(page: Page, column: float, row: float) -> list[str]:
    """The lines that a newly drawn figure shows at this place."""
    point(page, column, row)
    shown = page.locator(".hoverlayer .hovertext .nums")
    shown.wait_for(state="attached", timeout=5000)
    return shown.locator("tspan.line").all_text_contents()


def ticks(page: Page, axis: str) -> list[str]:
    return page.locator(f".{axis}tick text").all_text_contents()


@pytest.mark.parametrize("count", [4, 200])
def test_the_pointer_finds_both_words_and_the_weight_of_a_cell(draw: Draw, count: int) -> None:
    weights = RNG.dirichlet(np.full(count, 0.5), count).astype(np.float32)
    words = [f"w{place}" for place in range(count)]
    page = draw(heatmap(weights, words, [word.upper() for word in words], site="encoder.0.self"))
    row, column = 1, 2
    said, weight = hover(page, (column + 0.5) / count, (row + 0.5) / count)
    assert said == "w1 looks at W2"
    assert float(weight.removeprefix("weight ")) == pytest.approx(weights[row, column], abs=6e-5, rel=6e-3)


def test_where_a_position_cannot_look_the_pointer_finds_nothing(draw: Draw) -> None:
    weights = np.tril(np.full((4, 4), 0.25, dtype=np.float32))
    page = draw(heatmap(weights, list("abcd"), list("abcd"), site="decoder.0.self", causal=True))
    assert hover(page, 0.125, 0.875) == ["d looks at a", "weight 0.25"]
    point(page, 0.875, 0.125)
    page.locator(".hoverlayer .hovertext").wait_for(state="detached", timeout=5000)


def test_words_that_look_like_markup_are_read_as_they_were_typed(draw: Draw) -> None:
    words = ["<b>x</b>", "$a^2$", "%{x}", "&lt;", "the", "the"]
    page = draw(heatmap(np.full((6, 6), 1 / 6, dtype=np.float32), words, words, site="encoder.0.self"))
    assert ticks(page, "x") == words and sorted(ticks(page, "y")) == sorted(words)
    assert hover(page, 0.25, 0.08)[0] == "<b>x</b> looks at $a^2$"


def test_many_words_are_labelled_as_far_as_there_is_room(draw: Draw) -> None:
    words = [f"word{place}" for place in range(300)]
    page = draw(heatmap(RNG.random((300, 300)).astype(np.float32), words, words, site="encoder.0.self"))
    assert 10 <= len(ticks(page, "y")) <= 60


def test_a_click_anywhere_on_a_tile_tells_which_head_it_is(draw: Draw) -> None:
    words = list("abcdefgh")
    page = draw(grid_of_heads(RNG.dirichlet(np.ones(8), (12, 8)).astype(np.float32), words, words, site="encoder.0.self"))
    assert hover(page, 0.40, 0.25)[0] == "Head 2"
    point(page, 0.95, 0.95)
    page.locator(".hoverlayer .hovertext", has_text="Head 12").wait_for(state="attached", timeout=5000)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("() => window.clicked !== null", timeout=5000)
    assert page.evaluate("() => window.clicked") == "11"


def test_shares_are_read_beside_their_bars(draw: Draw) -> None:
    page = draw(ranking_bars(["It rains.", "<i>Penguins</i>"], [0.9999, 0.25]))
    assert page.locator(".bartext").all_text_contents() == ["> 99.9 %", "25.0 %"]
    assert page.locator(".annotation-text").all_text_contents() == ["1. It rains.", "2. <i>Penguins</i>"]
