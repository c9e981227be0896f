"""Small multiples of attention maps."""

import re

import numpy as np
import pytest
from decoding import array, sent, strings

from playground.figures.grid import LARGEST, even_columns, grid_of_heads, grid_of_layers, grid_of_model, resized, tile_size

RNG = np.random.default_rng(0)


def attention(n_heads: int, n_queries: int, n_keys: int) -> np.ndarray:
    return RNG.dirichlet(np.full(n_keys, 0.2), (n_heads, n_queries)).astype(np.float32)


def words(count: int) -> list[str]:
    return [f"w{place}" for place in range(count)]


def whole_model(layers: int, heads: int, length: int, *, stack: str = "encoder") -> dict[str, np.ndarray]:
    return {f"{stack}.{layer}.self": attention(heads, length, length) for layer in range(layers)}


def test_every_head_is_a_tile_of_one_picture() -> None:
    figure = sent(grid_of_heads(attention(12, 9, 9), words(9), words(9), site="encoder.2.self"))
    picture, points = figure["data"]
    assert array(picture["z"]).dtype == np.uint8
    assert points["text"] == [str(head) for head in range(12)]
    assert [one["text"] for one in figure["layout"]["annotations"]] == [f"Head {head}" for head in range(1, 13)]


@pytest.mark.parametrize(("layers", "heads", "length"), [(6, 12, 128), (30, 9, 128), (12, 12, 512), (6, 12, 20)])
def test_a_whole_model_stays_under_300_kb(layers: int, heads: int, length: int) -> None:
    model = whole_model(layers, heads, length)
    figure = grid_of_model(list(model), model.__getitem__, lambda site: (words(length), words(length)))
    assert len(figure.to_json().replace('"', '\\"').encode()) <= 300_000
    assert len(figure.data[1].text) == layers * heads


def test_a_tile_shows_its_own_weights_at_its_own_place() -> None:
    weights = np.zeros((4, 3, 3), dtype=np.float32)
    for head, (query, key) in enumerate([(0, 0), (1, 2), (2, 1), (2, 2)]):
        weights[head, query, key] = 0.2 * (head + 1)
    figure = sent(grid_of_heads(weights, list("abc"), list("xyz"), site="encoder.0.self"))
    z, points = array(figure["data"][0]["z"]), figure["data"][1]
    across, down = array(points["x"]), array(points["y"])
    side = tile_size(3, 3, 4)[0]
    for head, (query, key) in enumerate([(0, 0), (1, 2), (2, 1), (2, 2)]):
        top, left = int(down[head] - (side - 1) / 2), int(across[head] - (side - 1) / 2)
        tile = z[top : top + side, left : left + side].reshape(3, side // 3, 3, side // 3)
        assert (tile[query, :, key] == 255).all() and (tile == 255).sum() == (side // 3) ** 2 and (tile >= 1).all()
        assert f"<b>{'abc'[query]}</b>" in points["hovertext"][head] and f"<b>{'xyz'[key]}</b>" in points["hovertext"][head]
        assert f"{weights[head, query, key]:.3g}" in points["hovertext"][head]


def test_a_common_scale_shows_which_head_is_the_stronger_and_each_its_own_does_not() -> None:
    weights = np.stack([np.full((4, 4), 0.5, np.float32), np.full((4, 4), 0.25, np.float32)])
    tops = {}
    for scale in ("each", "common"):
        z = array(sent(grid_of_heads(weights, words(4), words(4), site="encoder.0.self", scale=scale))["data"][0]["z"])
        tops[scale] = sorted(set(z.ravel()) - {0})
    assert tops == {"each": [255], "common": [128, 255]}


def test_between_tiles_and_where_a_causal_head_cannot_look_nothing_is_drawn() -> None:
    figure = sent(grid_of_heads(attention(1, 24, 24), words(24), words(24), site="decoder.0.self", causal=True))
    z = array(figure["data"][0]["z"])
    tile = z[-24:, :24]
    assert np.array_equal(tile == 0, np.triu(np.ones((24, 24), dtype=bool), k=1)) and (z[:-24] == 0).all()
    places = [place for place, colour in figure["data"][0]["colorscale"] if colour == "rgba(0, 0, 0, 0)"]
    assert 0 < max(places) * 255 < 1


def test_the_first_word_of_a_causal_text_is_not_called_the_strongest() -> None:
    weights = np.array([[[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.1, 0.7, 0.2]]], dtype=np.float32)
    hover = sent(grid_of_heads(weights, list("abc"), list("abc"), site="decoder.0.self", causal=True))["data"][1]["hovertext"][0]
    assert "<b>b</b> looks at <b>a</b>, 0.9" in hover


def test_sites_of_one_kind_stand_in_one_row_and_a_click_names_the_right_one() -> None:
    sites = ["encoder.0.self", "encoder.1.self", "decoder.0.self", "decoder.0.cross", "decoder.1.self", "decoder.1.cross"]
    lengths = {"encoder": (7, 7), "self": (4, 4), "cross": (4, 7)}
    shapes = {site: lengths["encoder" if site.startswith("encoder") else site.rsplit(".", 1)[1]] for site in sites}
    weights = {site: attention(1, *shape)[0] for site, shape in shapes.items()}
    figure = sent(
        grid_of_layers(
            sites,
            weights.__getitem__,
            lambda site: (words(shapes[site][0]), words(shapes[site][1])),
            causal=frozenset({"decoder.0.self", "decoder.1.self"}),
        )
    )
    points = figure["data"][1]
    clicked = [sites[int(mark)] for mark in points["text"]]
    assert clicked == [sites[place] for place in (0, 1, 2, 4, 3, 5)]
    assert figure["layout"]["yaxis"]["ticktext"] == ["encoder", "decoder", "cross"]
    assert ["layer 2 · cross" in hover for hover in points["hovertext"]] == [False] * 5 + [True]


def test_layers_of_an_uneven_model_have_their_names_above_them() -> None:
    sites = [*(f"encoder.{layer}.self" for layer in range(3)), "decoder.0.cross"]
    figure = sent(grid_of_layers(sites, lambda site: attention(1, 4, 4)[0], lambda site: (words(4), words(4)), language="zh"))
    assert [one["text"] for one in figure["layout"]["annotations"]] == ["编码器 1", "编码器 2", "编码器 3", "交叉 1"]


def test_only_one_layer_is_in_memory_at_a_time() -> None:
    asked = []

    def weights(site: str) -> np.ndarray:
        asked.append(site)
        return attention(2, 6, 6)

    grid_of_model(["encoder.0.self", "encoder.1.self"], weights, lambda site: (words(6), words(6)))
    assert asked == ["encoder.0.self", "encoder.1.self"]


def test_pooling_keeps_the_largest_weight_of_what_falls_together() -> None:
    tile = np.arange(35, dtype=np.float32).reshape(5, 7)
    small = resized(tile, 2, 3)
    assert small.shape == (2, 3) and small[-1, -1] == 34 and small[0, 0] == tile[:2, :2].max()
    assert np.array_equal(resized(tile, 10, 14), tile.repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize("length", [1, 2, 23, 24, 63, 64, 65, 128, 512, 1024])
def test_a_tile_is_never_larger_than_it_may_be(length: int) -> None:
    height, width = tile_size(length, length, 12)
    assert height == width and (length <= height <= LARGEST or height <= LARGEST < length)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (3, 3), (6, 3), (8, 4), (9, 3), (12, 4), (14, 5), (16, 4), (32, 4)])
def test_tiles_stand_in_rows_with_few_places_empty(count: int, columns: int) -> None:
    assert even_columns(count) == columns


def test_no_word_means_anything_to_plotly(nasty: tuple[str, ...]) -> None:
    weights = attention(2, len(nasty), len(nasty))
    weights[0, 0, 1], weights[1, 2, 3] = 5, 5
    figure = sent(grid_of_heads(weights, nasty, nasty, site="encoder.0.self"))
    for hover in figure["data"][1]["hovertext"]:
        assert not set("<>$%\n\x00\u202e") & set(re.sub("</?b>|<br>", "", hover))
    assert all("$" not in one for one in strings(figure))


@pytest.mark.parametrize("height_of", [(12, 9), (1, 5), (40, 300)])
def test_a_grid_is_of_a_size_for_a_screen(height_of: tuple[int, int]) -> None:
    heads, length = height_of
    layout = sent(grid_of_heads(attention(heads, length, length), words(length), words(length), site="encoder.0.self"))["layout"]
    assert 150 <= layout["height"] <= 1000
