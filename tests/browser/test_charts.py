"""How a chart comes to its figure: large ones apart, the new weights of a map before plotly is done."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from playground.ui import chart
from tests.browser.test_tabs import choose, press, title

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
TEXT = "The sky is blue, and nobody knows why."
# From now on plotly draws only when it is let.
HOLD = (
    "() => { const { react } = Plotly; Plotly.react = (...given) => new Promise((done) => { window.let = () => done(react(...given)); }); }"
)
# The colours at the middles of all cells: of our own picture, and of plotly's.
COLOURS = """(own) => {
  const place = document.querySelector("#attention-chart .chart"), image = place.querySelector(".heatmaplayer image");
  const [width, height] = ["width", "height"].map((name) => Number(image.getAttribute(name)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height }), context = canvas.getContext("2d");
  context.drawImage(own ? place.querySelector("canvas.preview") : image, 0, 0, width, height);
  const side = place._fullData[0].z.length, middles = Array.from({ length: side }, (_, at) => (at + 0.5) / side);
  return middles.flatMap((row) => middles.map((column) => [...context.getImageData(column * width, row * height, 1, 1).data]));
}"""


def other_words(page: Page) -> None:
    """Another text than the one that is shown at first, and its map."""
    expect(title(page, "attention-chart")).to_be_visible()
    page.get_by_label("Text", exact=True).fill(TEXT)
    press(page, "attention")
    expect(page.locator("#attention-chart .ytick", has_text="sky")).to_be_visible()


@pytest.mark.parametrize(("model", "view"), [("tiny-bert", ""), ("tiny-gpt2", "hidden cells")])
def test_the_new_weights_are_seen_before_plotly_has_drawn_them(visit: Visit, model: str, view: str) -> None:
    page = visit()
    choose(page, "attention", "Model", model)
    other_words(page)
    canvas = page.locator("#attention-chart canvas.preview")
    page.evaluate(HOLD)
    choose(page, "attention", "Head", "Head 3")
    expect(canvas).to_be_visible()
    expect(title(page, "attention-chart")).not_to_contain_text("Head 3")
    page.wait_for_function("() => window.let")
    early = page.evaluate(COLOURS, True)
    page.evaluate("() => window.let()")
    expect(title(page, "attention-chart")).to_contain_text("Head 3")
    expect(canvas).to_be_hidden()
    expect(page.locator("#attention-chart .heatmaplayer")).to_be_visible()
    late = page.evaluate(COLOURS, False)
    assert len(early) == len(late) > 40 and len({tuple(colour) for colour in early}) > 10
    assert max(abs(one - other) for pair in zip(early, late) for one, other in zip(*pair)) <= 4
    assert (0 in {colour[3] for colour in late}) == bool(view)


def test_the_words_stay_beside_a_map_that_became_smaller(visit: Visit) -> None:
    page = visit()
    other_words(page)
    word = page.locator("#attention-chart .ytick text").first.bounding_box()
    first = page.locator("#attention-chart .heatmaplayer image").bounding_box()
    assert 0 < first["x"] - word["x"] - word["width"] < 20
    page.locator("#attention-chart .nsewdrag").first.click(position={"x": 20, "y": 20})  # it can still be clicked
    expect(page.locator("#part-arithmetic .arithmetic")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_figure_is_as_wide_as_the_room_inside_its_frame(visit: Visit, width: int) -> None:
    page = visit(width=width)
    expect(title(page, "attention-chart")).to_be_visible()
    frame = page.locator("#attention-chart .chart").bounding_box()
    drawn = page.locator("#attention-chart .main-svg").first.bounding_box()
    assert abs((drawn["x"] - frame["x"]) - (frame["x"] + frame["width"] - drawn["x"] - drawn["width"])) <= 1
    assert frame["width"] - 24 < drawn["width"] < frame["width"]


def test_other_words_or_a_zoomed_map_are_left_to_plotly(visit: Visit) -> None:
    page = visit()
    other_words(page)
    page.evaluate("() => Plotly.relayout(document.querySelector('#attention-chart .chart'), { 'xaxis.range': [1.5, 4.5] })")
    choose(page, "attention", "Head", "Head 2")
    expect(title(page, "attention-chart")).to_contain_text("Head 2")
    assert page.locator("#attention-chart canvas.preview").count() == 0


def test_a_large_figure_comes_apart_and_one_that_is_lost_says_so(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "LARGE", 100)
    page, fetched = visit(), []
    expect(title(page, "attention-chart")).to_be_visible()
    page.on("request", lambda request: fetched.append(request.url) if "/parcels/" in request.url else None)
    choose(page, "attention", "Head", "Head 3")
    expect(title(page, "attention-chart")).to_contain_text("Head 3")
    assert len(fetched) == 1
    page.evaluate("() => document.body.classList.toggle('dark')")  # drawn anew, and not fetched
    expect(page.locator("#attention-chart .main-svg").first).to_be_visible()
    page.locator("#attention-chart .chart").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#attention-chart .cell-cursor")).to_be_visible()
    assert len(fetched) == 1

    def lose(route: Route) -> None:
        route.fulfill(status=200, body="")

    page.route("**/parcels/*", lose)
    choose(page, "attention", "Head", "Head 4")
    expect(page.locator("#attention-chart .lost")).to_have_text("This figure did not arrive. Choose the view again.")
    page.unroute("**/parcels/*")
    choose(page, "attention", "Head", "Head 2")
    expect(title(page, "attention-chart")).to_contain_text("Head 2")
    expect(page.locator("#attention-chart .lost")).to_have_count(0)
