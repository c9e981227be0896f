"""The attention heat map."""

import re
import subprocess
import sys

import numpy as np
import pytest
from decoding import array, sent, strings

from playground.figures.cells import EXACT
from playground.figures.heatmap import heatmap, unseen

RNG = np.random.default_rng(0)
LARGE = int(EXACT**0.5) + 40


def attention(n_queries: int, n_keys: int, sharpness: float = 0.2) -> np.ndarray:
    return RNG.dirichlet(np.full(n_keys, sharpness), n_queries).astype(np.float32)


def words(count: int) -> list[str]:
    return [f"word{place % 40}" for place in range(count)]


def written(figure: dict) -> np.ndarray:
    """The weights as the hover text writes them, for either way they travel."""
    trace = figure["data"][0]
    z = array(trace["z"])
    if z.dtype == np.float32:
        assert "%{z:.3~g}" in trace["hovertemplate"]
        return z
    digits = int(re.search(r"0\.%\{z:0(\d)d\}", trace["hovertemplate"])[1])
    return np.array([[float(f"0.{value:0{digits}d}") for value in row] for row in z])


def test_repeated_words_keep_rows_and_columns_of_their_own() -> None:
    figure = sent(heatmap(attention(4, 4), ["the", "cat", "the", "the"], ["the", "cat", "the", "the"], site="encoder.0.self"))
    assert array(figure["data"][0]["x"]).tolist() == array(figure["data"][0]["y"]).tolist() == [0, 1, 2, 3]
    assert figure["layout"]["xaxis"]["labelalias"] == {"0": "the", "1": "cat", "2": "the", "3": "the"}


def test_queries_are_rows_from_top_to_bottom_and_keys_columns() -> None:
    weights = attention(3, 5)
    figure = sent(heatmap(weights, list("abc"), list("vwxyz"), site="decoder.1.cross", head=0))
    assert array(figure["data"][0]["z"]).shape == (3, 5)
    assert figure["layout"]["yaxis"]["range"] == [2.5, -0.5] and figure["layout"]["xaxis"]["range"] == [-0.5, 4.5]
    assert list(figure["layout"]["yaxis"]["labelalias"].values()) == list("abc")
    assert list(figure["layout"]["xaxis"]["labelalias"].values()) == list("vwxyz")


def test_the_weights_of_a_text_of_128_words_travel_unchanged_in_120_kb() -> None:
    weights = attention(128, 128)
    figure = heatmap(weights, words(128), words(128), site="encoder.3.self", head=2)
    assert np.array_equal(array(sent(figure)["data"][0]["z"]), weights)
    assert len(figure.to_json().replace('"', '\\"').encode()) <= 120_000  # a page sends it as a string inside JSON


@pytest.mark.parametrize("sharpness", [0.01, 1.0, 50.0])
def test_the_weights_of_a_long_text_travel_as_decimal_fractions(sharpness: float) -> None:
    weights = attention(LARGE, LARGE, sharpness)
    figure = sent(heatmap(weights, words(LARGE), words(LARGE), site="encoder.3.self"))
    assert array(figure["data"][0]["z"]).dtype == np.uint16
    digits = 4 if weights.max() > 0.065 else 5
    assert np.abs(written(figure) - weights).max() <= 1.01 * 10.0**-digits


def test_a_text_of_512_words_stays_under_a_megabyte() -> None:
    figure = heatmap(attention(512, 512), words(512), words(512), site="encoder.3.self")
    assert len(figure.to_json()) < 800_000


@pytest.mark.parametrize("count", [6, LARGE])
def test_what_a_causal_position_cannot_see_is_empty(count: int) -> None:
    weights = np.tril(attention(count, count)) + np.float32(1e-12)
    figure = sent(heatmap(weights, words(count), words(count), site="decoder.0.self", causal=True))
    trace = figure["data"][0]
    z, above = array(trace["z"]), np.triu(np.ones((count, count), dtype=bool), k=1)
    if z.dtype == np.float32:
        assert np.array_equal(np.isnan(z), above)
    else:
        assert np.array_equal(z == 0, above)
        clear = [place for place, colour in trace["colorscale"] if colour == "rgba(0, 0, 0, 0)"]
        assert max(clear) * trace["zmax"] < 1  # 1 is the smallest weight that is seen


def test_a_sliding_window_hides_what_lies_behind_it() -> None:
    hidden = unseen(5, 5, window=2)
    assert (~hidden).sum(axis=1).tolist() == [1, 2, 2, 2, 2]
    assert not hidden.diagonal().any() and not hidden.diagonal(-1).any() and hidden.diagonal(-2).all()


def test_the_last_query_of_a_continued_text_stands_at_its_last_key() -> None:
    assert unseen(2, 5).tolist() == [[False] * 4 + [True], [False] * 5]


def test_one_weight_of_1_does_not_darken_a_long_text() -> None:
    weights = np.full((64, 64), 1 / 64, dtype=np.float32)
    weights[0] = np.eye(64, dtype=np.float32)[0]
    trace = sent(heatmap(weights, words(64), words(64), site="encoder.0.self"))["data"][0]
    assert trace["zmax"] == pytest.approx(1 / 64) and trace["colorbar"]["ticktext"][-1] == "≥ 0.016"


def test_a_long_text_in_which_every_word_looks_at_one_keeps_the_whole_scale() -> None:
    trace = sent(heatmap(np.eye(200, dtype=np.float32), words(200), words(200), site="encoder.0.self"))["data"][0]
    assert trace["zmax"] == 10_000 and trace["colorbar"]["ticktext"] == ["0", "0.5", "1"]


def test_the_colour_bar_names_the_largest_weight_of_a_short_text() -> None:
    weights = np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32)
    trace = sent(heatmap(weights, list("ab"), list("ab"), site="encoder.0.self"))["data"][0]
    assert (trace["zmin"], trace["zmax"]) == (0, 0.75) and trace["colorbar"]["ticktext"] == ["0", "0.38", "0.75"]


def test_no_word_means_anything_to_plotly(nasty: tuple[str, ...]) -> None:
    weights = attention(len(nasty), len(nasty))
    figure = sent(heatmap(weights, nasty, nasty, site="encoder.0.self"))
    for axis in ("xaxis", "yaxis"):
        for shown in figure["layout"][axis]["labelalias"].values():
            assert shown and not set("<>$%\n\x00\u202e") & set(shown) and len(shown) < 60
    assert all("$" not in one for one in strings(figure))


@pytest.mark.parametrize(("language", "chinese"), [("en", False), ("zh", True)])
def test_everything_written_is_in_the_language_asked_for(language: str, chinese: bool) -> None:
    figure = sent(heatmap(attention(3, 3), list("abc"), list("abc"), site="encoder.0.self", head=1, language=language))
    layout = figure["layout"]
    written_by_us = [layout["title"]["text"], layout["title"]["subtitle"]["text"], figure["data"][0]["hovertemplate"]]
    written_by_us += [layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]]
    assert [bool(re.search("[\u4e00-\u9fff]", one)) for one in written_by_us] == [chinese] * 5


@pytest.mark.parametrize(("n_queries", "n_keys"), [(1, 1), (5, 5), (3, 200), (200, 3), (512, 512), (40, 7)])
def test_a_figure_is_of_a_size_for_a_screen(n_queries: int, n_keys: int) -> None:
    layout = sent(heatmap(attention(n_queries, n_keys), words(n_queries), words(n_keys), site="decoder.0.cross"))["layout"]
    assert 200 <= layout["height"] <= 900
    square = layout["yaxis"].get("scaleanchor") == "x"
    assert square == (n_queries / n_keys >= 0.25 and n_queries / n_keys <= 8)
    if square:
        pixels, share = layout["meta"]["fit"]
        assert share == pytest.approx(n_queries / n_keys, abs=1e-3) and pixels + share * 2000 > 100


def test_text_takes_its_colour_from_one_place_and_the_ground_is_transparent() -> None:
    figure = sent(heatmap(attention(3, 3), list("abc"), list("abc"), site="encoder.0.self"))
    layout = figure["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0, 0, 0, 0)"
    assert "color" in layout["font"] and "color" not in layout["title"]["font"] and "color" not in layout["xaxis"]["tickfont"]
    assert len(str(layout["template"])) < 100  # plotly's own would be 7 KB in every figure


def test_the_same_question_gives_the_same_figure() -> None:
    weights = attention(8, 8)
    made = [heatmap(weights, words(8), words(8), site="encoder.0.self").to_json() for _ in range(2)]
    assert made[0] == made[1]


def test_the_weights_that_were_given_are_left_as_they_are() -> None:
    for count in (5, LARGE):
        weights = attention(count, count)
        before = weights.copy()
        heatmap(weights, words(count), words(count), site="decoder.0.self", causal=True)
        assert np.array_equal(weights, before)


def test_figures_bring_neither_torch_nor_gradio() -> None:
    names = ["heatmap", "grid", "bars", "alignment", "tokens"]
    code = (
        ";".join(f"import playground.figures.{name}" for name in names) + ";import sys;print(sorted({'torch','gradio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
