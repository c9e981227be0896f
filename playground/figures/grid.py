"""Small multiples: many attention maps at one glance, as a single heat map of tiles."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from playground.figures.heatmap import unseen
from playground.figures.style import TITLE, colourscale, figure
from playground.ui.language import text
from playground.ui.naming import head_name, short_site_name, site_name
from playground.ui.reading import label

LARGEST = 64  # cells that a tile may have on a side
BYTES = 200_000  # cells of all tiles together: 267 KB as they travel
SMALLEST = 24  # tiles of short texts are blown up to this, so that the gaps between them are thin
GAP = 2  # empty cells between tiles
NAME_GAP = 0.22  # of a tile's height, where a name stands above each
NAME = {"showarrow": False, "font": {"size": 12}, "borderpad": 0}
Scale = Literal["each", "common"]


@dataclass(frozen=True)
class Tile:
    """One small map, already of the size it is drawn in, with what is said about it; `mark` comes with a click on it."""

    weights: np.ndarray
    hover: str
    mark: int


def grid_of_heads(
    weights: np.ndarray,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    site: str,
    language: str = "en",
    causal: bool = False,
    window: int | None = None,
    scale: Scale = "each",
    subtitle: str = "",
) -> go.Figure:
    """Every head of one site; `weights` (H, Q, K). A click on a tile brings its head as the point's `text`."""
    size = tile_size(len(queries), len(keys), len(weights))
    hidden = unseen(len(queries), len(keys), window=window) if causal else None
    names = [head_name(head, language) for head in range(len(weights))]
    tiles = [
        Tile(small(one, hidden, size), strongest(name, one, queries, keys, language, causal), head)
        for head, (name, one) in enumerate(zip(names, weights))
    ]
    subtitle = subtitle or text("grid.heads", language, heads=len(weights))
    return sheet(tiles, names=names, columns=even_columns(len(weights)), title=site_name(site, language), subtitle=subtitle, scale=scale)


def grid_of_layers(
    sites: Sequence[str],
    weights: Callable[[str], np.ndarray],
    words: Callable[[str], tuple[Sequence[str], Sequence[str]]],
    *,
    language: str = "en",
    causal: frozenset[str] = frozenset(),
    window: int | None = None,
    scale: Scale = "each",
    subtitle: str = "",
) -> go.Figure:
    """Every site, one tile each: `weights(site)` (Q, K) is asked for one site after the other, usually the mean of its heads.

    Sites of one kind stand together, in one row where all kinds have as many layers. A click on a tile brings its place in `sites` as the
    point's `text`.
    """
    kinds = Counter(kind_of(site) for site in sites)
    in_rows = len(kinds) > 1 and len(set(kinds.values())) == 1
    size = common_size([words(site) for site in sites], len(sites))
    tiles = []
    for place, site in sorted(enumerate(sites), key=lambda pair: list(kinds).index(kind_of(pair[1]))):
        one = weights(site)
        hidden = unseen(*one.shape, window=window) if site in causal else None
        hover = strongest(site_name(site, language), one, *words(site), language, site in causal)
        tiles.append(Tile(small(one, hidden, size), hover, place))
    names = [short_site_name(sites[tile.mark], language) for tile in tiles]
    return sheet(
        tiles,
        names=[text(f"site.kind.{kind}", language) for kind in kinds] if in_rows else names,
        columns=kinds[kind_of(sites[0])] if in_rows else even_columns(len(sites)),
        title=text("grid.layers", language),
        subtitle=subtitle or head_name(-1, language),
        scale=scale,
        named="rows" if in_rows else "tiles",
    )


def grid_of_model(
    sites: Sequence[str],
    weights: Callable[[str], np.ndarray],
    words: Callable[[str], tuple[Sequence[str], Sequence[str]]],
    *,
    language: str = "en",
    causal: frozenset[str] = frozenset(),
    window: int | None = None,
    scale: Scale = "each",
    subtitle: str = "",
) -> go.Figure:
    """Every head of every site, a row for each site: `weights(site)` (H, Q, K) is asked for one site after the other.

    A click on a tile brings "place in `sites` * H + head" as the point's `text`.
    """
    tiles: list[Tile] = []
    size = (0, 0)
    for place, site in enumerate(sites):
        heads = weights(site)
        size = size if place else common_size([words(site) for site in sites], len(sites) * len(heads))
        hidden = unseen(*heads.shape[1:], window=window) if site in causal else None
        for head, one in enumerate(heads):
            name = f"{site_name(site, language)} · {head_name(head, language)}"
            tiles.append(Tile(small(one, hidden, size), strongest(name, one, *words(site), language, site in causal), len(tiles)))
    return sheet(
        tiles,
        names=[short_site_name(site, language) for site in sites],
        columns=len(tiles) // len(sites),
        title=text("grid.model", language),
        subtitle=subtitle or text("grid.model_note", language),
        scale=scale,
        named="rows",
    )


def sheet(
    tiles: Sequence[Tile],
    *,
    names: Sequence[str],
    columns: int,
    title: str,
    subtitle: str,
    scale: Scale,
    named: Literal["tiles", "rows"] = "tiles",
) -> go.Figure:
    """Tiles in rows of `columns`, each with its name above, or with `named="rows"` a name beside each row and numbers above the columns.

    `scale`: the last colour is the largest weight of "each" tile, or the largest "common" to all.
    """
    height, width = tiles[0].weights.shape
    gap = round(NAME_GAP * height) if named == "tiles" else GAP
    n_rows = -(-len(tiles) // columns)
    cells = np.zeros((n_rows * (height + gap), columns * (width + GAP)), dtype=np.uint8)  # 0 is empty, a weight is 1 to 255
    tops = [max(float(np.nanmax(tile.weights)), 1e-9) for tile in tiles]
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        y, x = row * (height + gap) + gap, column * (width + GAP)
        levels = 1 + np.rint(tile.weights * (254 / (tops[place] if scale == "each" else max(tops))))
        cells[y : y + height, x : x + width] = np.nan_to_num(levels)
    across = np.arange(columns) * (width + GAP) + (width - 1) / 2
    down = np.arange(n_rows) * (height + gap) + gap + (height - 1) / 2
    picture = go.Heatmap(z=cells, zmin=0, zmax=255, colorscale=colourscale(clear_below=0.5 / 255), showscale=False, hoverinfo="skip")
    # Points that nobody sees: the pointer is always nearest to one of them, so each tile answers as a whole.
    points = go.Scatter(
        x=np.tile(across, n_rows)[: len(tiles)].astype(np.float32),
        y=np.repeat(down, columns)[: len(tiles)].astype(np.float32),
        mode="markers",
        marker={"opacity": 0, "size": 1},
        text=[str(tile.mark) for tile in tiles],
        hovertext=[tile.hover for tile in tiles],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    axis = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "showticklabels": named == "rows", "ticklabelstandoff": 4}
    pixels = min(max(600 / n_rows, 28), 1050 / columns, 190) / height  # of one cell
    above, beside = TITLE + (24 if named == "rows" else 4), 12 if named == "tiles" else 92
    share = cells.shape[0] / cells.shape[1]
    layout = {
        "xaxis": axis | {"side": "top", "constrain": "domain", "range": [-0.5, cells.shape[1] - GAP - 0.5]},
        "yaxis": axis | {"scaleanchor": "x", "constrain": "domain", "constraintoward": "top", "range": [cells.shape[0] - 0.5, -0.5]},
        "height": round(above + 12 + cells.shape[0] * pixels),
        "margin": {"l": beside, "r": 12, "t": above, "b": 12},
        "hovermode": "closest",
        "hoverdistance": -1,
        "meta": {"fit": [round(above + 12 - share * (beside + 12)), round(share, 3)]},
    }
    if named == "rows":
        layout["xaxis"] |= {"tickvals": across, "ticktext": [str(column + 1) for column in range(columns)]}
        layout["yaxis"] |= {"tickvals": down, "ticktext": list(names)}
    else:
        layout["annotations"] = [
            {"x": across[place % columns], "y": down[place // columns] - height / 2, "text": name, "yanchor": "bottom"} | NAME
            for place, name in enumerate(names)
        ]
    return figure([picture, points], title=title, subtitle=subtitle, **layout)


def small(weights: np.ndarray, hidden: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """The map (Q, K) in `size` cells: the largest weight of those that fall together, NaN where all of them are hidden."""
    tile = resized(weights, *size)
    return tile if hidden is None else np.where(resized(~hidden, *size), tile, np.float32("nan"))


def common_size(words: Sequence[tuple[Sequence[str], Sequence[str]]], count: int) -> tuple[int, int]:
    """The size of a tile that suits maps of different shapes."""
    return tile_size(max(len(queries) for queries, _ in words), max(len(keys) for _, keys in words), count)


def tile_size(n_queries: int, n_keys: int, count: int) -> tuple[int, int]:
    """Cells of one tile, (height, width), so that `count` of them stay within `LARGEST` and `BYTES`."""
    largest = min(LARGEST, int((BYTES / count / (1 + NAME_GAP)) ** 0.5) - GAP)
    longer = max(n_queries, n_keys)
    if longer <= largest:
        times = max(1, min(SMALLEST, largest) // longer)
        return n_queries * times, n_keys * times
    pool = -(-longer // largest)
    return -(-n_queries // pool), -(-n_keys // pool)


def resized(tile: np.ndarray, height: int, width: int) -> np.ndarray:
    """The tile with `height` x `width` cells: the largest value of those that fall together, or each repeated."""
    for axis, wanted in ((0, height), (1, width)):
        there = tile.shape[axis]
        places = np.arange(wanted) * there // wanted
        tile = np.maximum.reduceat(tile, places, axis=axis) if there > wanted else tile.take(places, axis=axis)
    return tile


def strongest(name: str, tile: np.ndarray, queries: Sequence[str], keys: Sequence[str], language: str, causal: bool) -> str:
    """What is said about a tile: its name and its largest weight; the first word of a causal text has no choice and does not count."""
    first = 1 if causal and len(tile) > 1 else 0
    query, key = divmod(int(tile[first:].argmax()), tile.shape[1])
    query += first
    said = {"query": f"<b>{label(queries[query])}</b>", "key": f"<b>{label(keys[key])}</b>", "weight": f"{tile[query, key]:.3g}"}
    return text("grid.hover", language, name=name, **said)


def even_columns(count: int) -> int:
    """How many tiles stand in a row: between 3 and 6, few places left empty, rather 4."""
    if count <= 3:
        return count
    return min(range(3, 7), key=lambda columns: (-count % columns, abs(columns - 4), -columns))


def kind_of(site: str) -> str:
    """The kind of a site: that of "decoder.5.cross" is "decoder.cross"."""
    stack, _, kind = site.split(".")
    return f"{stack}.{kind}"
