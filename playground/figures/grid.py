"""Small multiples: many attention maps at one glance, as a single heat map of tiles."""

from collections import Counter
from collections.abc import Sequence
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
) -> go.Figure:
    """Every head of one site; `weights` (H, Q, K). A click on a tile brings its head as the point's `text`."""
    hidden = unseen(*weights.shape[1:], window=window) if causal else None
    names = [head_name(head, language) for head in range(len(weights))]
    return tiled(
        list(weights),
        hidden=[hidden] * len(weights),
        names=names,
        hovers=[strongest(name, tile, queries, keys, language, causal) for name, tile in zip(names, weights)],
        columns=even_columns(len(weights)),
        title=site_name(site, language),
        subtitle=text("grid.heads", language, heads=len(weights)),
        scale=scale,
    )


def grid_of_layers(
    weights: dict[str, np.ndarray],
    words: dict[str, tuple[Sequence[str], Sequence[str]]],
    *,
    language: str = "en",
    causal: frozenset[str] = frozenset(),
    window: int | None = None,
    scale: Scale = "each",
) -> go.Figure:
    """Every site, one tile each: `weights[site]` (Q, K), usually the mean of its heads, `words[site]` its queries and keys.

    Sites of one kind stand together, in one row where all kinds have as many layers. A click on a tile brings its place in `weights` as the point's `text`.
    """
    kinds = Counter(kind_of(site) for site in weights)
    in_rows = len(kinds) > 1 and len(set(kinds.values())) == 1
    sites = sorted(weights, key=lambda site: list(kinds).index(kind_of(site)))
    places = list(weights)
    return tiled(
        [weights[site] for site in sites],
        hidden=[unseen(*weights[site].shape, window=window) if site in causal else None for site in sites],
        names=[text(f"site.kind.{kind}", language) for kind in kinds] if in_rows else [short_site_name(site, language) for site in sites],
        hovers=[strongest(site_name(site, language), weights[site], *words[site], language, site in causal) for site in sites],
        columns=kinds[kind_of(sites[0])] if in_rows else even_columns(len(sites)),
        title=text("grid.layers", language),
        subtitle=head_name(-1, language),
        scale=scale,
        marks=[places.index(site) for site in sites],
        named="rows" if in_rows else "tiles",
    )


def grid_of_model(
    weights: dict[str, np.ndarray],
    words: dict[str, tuple[Sequence[str], Sequence[str]]],
    *,
    language: str = "en",
    causal: frozenset[str] = frozenset(),
    window: int | None = None,
    scale: Scale = "each",
) -> go.Figure:
    """Every head of every site: `weights[site]` (H, Q, K), all with as many heads; a row for each site, a column for each head.

    A click on a tile brings "place of the site * heads + head" as the point's `text`.
    """
    tiles, hidden, hovers = [], [], []
    for site, heads in weights.items():
        tiles += list(heads)
        hidden += [unseen(*heads.shape[1:], window=window) if site in causal else None] * len(heads)
        for head, tile in enumerate(heads):
            name = f"{site_name(site, language)} · {head_name(head, language)}"
            hovers.append(strongest(name, tile, *words[site], language, site in causal))
    return tiled(
        tiles,
        hidden=hidden,
        names=[short_site_name(site, language) for site in weights],
        hovers=hovers,
        columns=len(tiles) // len(weights),
        title=text("grid.model", language),
        subtitle=text("grid.model_note", language),
        scale=scale,
        named="rows",
    )


def tiled(
    tiles: Sequence[np.ndarray],
    *,
    hidden: Sequence[np.ndarray | None],
    names: Sequence[str],
    hovers: Sequence[str],
    columns: int,
    title: str,
    subtitle: str,
    scale: Scale,
    marks: Sequence[int] | None = None,
    named: Literal["tiles", "rows"] = "tiles",
) -> go.Figure:
    """Tiles (Q, K) in rows of `columns`, each with its name above, or with `named="rows"` a name beside each row and numbers above the columns.

    `hovers` are said about the nearest tile; `marks` (by default the tile's place) come with a click on it.
    """
    height, width = tile_size(max(tile.shape[0] for tile in tiles), max(tile.shape[1] for tile in tiles), len(tiles))
    gap = round(NAME_GAP * height) if named == "tiles" else GAP
    n_rows = -(-len(tiles) // columns)
    sheet = np.zeros((n_rows * (height + gap), columns * (width + GAP)), dtype=np.uint8)
    tops = [max(float(tile.max()), 1e-9) for tile in tiles]
    for place, (tile, dark) in enumerate(zip(tiles, hidden)):
        row, column = divmod(place, columns)
        top = tops[place] if scale == "each" else max(tops)
        levels = resized(1 + np.rint(tile * (254 / top)).astype(np.uint8), height, width)  # 0 stays for what is empty
        if dark is not None:
            levels[resized(~dark, height, width) == 0] = 0
        y, x = row * (height + gap) + gap, column * (width + GAP)
        sheet[y : y + height, x : x + width] = levels
    across = np.arange(columns) * (width + GAP) + (width - 1) / 2
    down = np.arange(n_rows) * (height + gap) + gap + (height - 1) / 2
    picture = go.Heatmap(z=sheet, zmin=0, zmax=255, colorscale=colourscale(clear_below=0.5 / 255), showscale=False, hoverinfo="skip")
    # Points that nobody sees: the pointer is always nearest to one of them, so each tile answers as a whole.
    points = go.Scatter(
        x=np.tile(across, n_rows)[: len(tiles)].astype(np.float32),
        y=np.repeat(down, columns)[: len(tiles)].astype(np.float32),
        mode="markers",
        marker={"opacity": 0, "size": 1},
        text=[str(mark) for mark in marks or range(len(tiles))],
        hovertext=list(hovers),
        hovertemplate="%{hovertext}<extra></extra>",
    )
    axis = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "showticklabels": named == "rows"}
    side = min(max(600 / n_rows, 28), 190 if named == "tiles" else 92)  # pixels of a tile
    pixels = side / height
    above, beside = TITLE + (24 if named == "rows" else 4), 12 if named == "tiles" else 92
    share = sheet.shape[0] / sheet.shape[1]
    layout = {
        "xaxis": axis | {"side": "top", "constrain": "domain", "range": [-0.5, sheet.shape[1] - GAP - 0.5]},
        "yaxis": axis | {"scaleanchor": "x", "constrain": "domain", "constraintoward": "top", "range": [sheet.shape[0] - 0.5, -0.5]},
        "height": round(above + 12 + sheet.shape[0] * pixels),
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
    return min(range(3, 7), key=lambda columns: (-count % columns, abs(columns - 4)))


def kind_of(site: str) -> str:
    """"decoder.5.cross" is one of the sites "decoder.cross"."""
    stack, _, kind = site.split(".")
    return f"{stack}.{kind}"
