"""Large figures that the browser fetches apart."""

import gzip
import json

import numpy as np
import plotly.graph_objects as go
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.ui import chart, parcels
from playground.ui.parcels import Parcels


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Parcels:
    """Room for three parcels of 100 bytes."""
    made = Parcels(budget_bytes=300)
    monkeypatch.setattr(parcels, "PARCELS", made)
    monkeypatch.setattr(chart, "PARCELS", made)
    return made


def test_the_oldest_goes_and_the_newest_is_always_kept(shelf: Parcels) -> None:
    names = [shelf.keep(str(number) * 100) for number in range(3)]
    assert shelf.keep("0" * 100) == names[0] and shelf.used_bytes == 300, "what is kept twice takes room once, and is new again"
    last = shelf.keep("é" * 50)
    assert [shelf.get(name) is None for name in [*names, last]] == [False, True, False, False]
    assert shelf.get(last).decode() == "é" * 50 and shelf.used_bytes == 300
    alone = shelf.keep("x" * 1000)
    assert len(shelf.get(alone)) == shelf.used_bytes == 1000 and shelf.get(last) is None


def test_what_nobody_fetched_for_ten_minutes_goes(shelf: Parcels, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(parcels.time, "monotonic", lambda: now[0])
    first, second = shelf.keep("1"), shelf.keep("2")
    now[0] += 500
    assert shelf.keep("1") == first  # told again
    now[0] += 200
    shelf.keep("3")
    assert shelf.get(first) and shelf.get(second) is None and shelf.used_bytes == 2


def test_a_large_figure_is_named_and_fetched(shelf: Parcels) -> None:
    weights = np.random.default_rng(1).random((200, 200), dtype=np.float32)
    value = chart.drawn(go.Figure(go.Heatmap(z=weights)), "large", cells={"rows": ["<b>"], "columns": ["词"]})
    assert set(value) == {"parcel", "description"} and len(json.dumps(value)) < 200
    app = Starlette(routes=[parcels.ROUTE])
    near, far = TestClient(app, client=("127.0.0.1", 1)), TestClient(app, client=("192.0.2.1", 1))
    answer = near.get(f"/gradio_api/parcels/{value['parcel']}")
    assert answer.status_code == 200 and "content-encoding" not in answer.headers and "immutable" in answer.headers["cache-control"]
    told = answer.json()
    assert told["cells"] == {"rows": ["<b>"], "columns": ["词"]} and told["figure"]["data"][0]["z"]["shape"] == "200, 200"
    with far.stream("GET", f"/gradio_api/parcels/{value['parcel']}") as sent:
        packed = b"".join(sent.iter_raw())
    assert sent.headers["content-encoding"] == "gzip" and json.loads(gzip.decompress(packed)) == told and len(packed) < len(answer.content)
    assert far.get(f"/gradio_api/parcels/{value['parcel']}", headers={"accept-encoding": "identity"}).json() == told
    assert near.get("/gradio_api/parcels/0123").status_code == 404


def test_a_small_figure_stays_in_the_value(shelf: Parcels) -> None:
    value = chart.drawn(go.Figure(go.Heatmap(z=np.zeros((32, 32), dtype=np.float32))), "small", cells={"rows": []})
    assert set(value) == {"figure", "cells", "description"} and shelf.used_bytes == 0
