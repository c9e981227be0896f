"""Data sets of the hub, from a stand-in for its server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from models.errors import Problem
from models.tuning.hub_data import hub_rows
from models.tuning.own_data import guess_columns, own_examples, read_table

TOTAL = 5000  # of the large one, sorted by label
FEATURES = [
    {"name": "text", "type": {"dtype": "string", "_type": "Value"}},
    {"name": "label", "type": {"names": ["negative", "positive"], "_type": "ClassLabel"}},
    {"name": "picture", "type": {"_type": "Image"}},
]


class Server(BaseHTTPRequestHandler):
    """Answers as the hub's server of data sets does."""

    def do_GET(self) -> None:
        what, asked = urlsplit(self.path).path.strip("/"), dict(parse_qsl(urlsplit(self.path).query))
        status, body = self.splits(asked) if what == "splits" else self.rows(asked)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() if status != 203 else b"<html>please log in")

    def splits(self, asked: dict[str, str]) -> tuple[int, object]:
        status = {"nobody/nothing": 404, "nobody/private": 401, "nobody/broken": 500, "nobody/login": 203}.get(asked["dataset"], 200)
        parts = [("plain", "test"), ("plain", "train"), ("small", "all")]
        return status, {"splits": [{"dataset": asked["dataset"], "config": config, "split": split} for config, split in parts]}

    def rows(self, asked: dict[str, str]) -> tuple[int, object]:
        assert int(asked["length"]) <= 100
        if asked["dataset"] == "nobody/pictures":
            return 200, {"features": FEATURES[2:], "rows": [], "num_rows_total": 0}
        total = TOTAL if (asked["config"], asked["split"]) == ("plain", "train") else 30 if asked["split"] == "all" else 0
        places = range(int(asked["offset"]), min(int(asked["offset"]) + 100, total))
        rows = [{"row_idx": n, "row": {"text": f"text {n} " + "x" * 2000, "label": n * 2 // total, "picture": {}}} for n in places]
        if asked["split"] == "all":
            rows[0]["row"]["label"] = -1
        return 200, {"features": FEATURES, "rows": rows, "num_rows_total": total}

    def log_message(self, *told: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_large_data_set_is_read_in_ten_places_with_its_labels_by_name(endpoint: str) -> None:
    table = read_table(hub_rows("nobody/reviews", endpoint=endpoint))
    assert table.columns == ("text", "label") and len(table.rows) == 1000
    examples, issues = own_examples(table, guess_columns(table))
    assert set(examples.task.labels) == {"negative", "positive"} and not issues
    counts = [sum(cells[1] == name for _, cells in table.rows) for name in ("negative", "positive")]
    assert counts == [500, 500] and max(len(cells[0]) for _, cells in table.rows) == 1000


def test_a_configuration_is_chosen_by_name_and_secret_labels_are_left_out(endpoint: str) -> None:
    table = read_table(hub_rows(" nobody/reviews:small ", endpoint=endpoint))
    assert len(table.rows) == 29


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("", "bad_hub_data"),
        ("../etc/passwd", "bad_hub_data"),
        ("a/b/c", "bad_hub_data"),
        ("nobody/reviews?x=1", "bad_hub_data"),
        ("nobody/nothing", "hub_data_not_found"),
        ("nobody/private", "hub_data_not_found"),
        ("nobody/reviews:none", "hub_data_not_found"),
        ("nobody/broken", "hub_data_unreachable"),
        ("nobody/login", "hub_data_unreachable"),
        ("nobody/pictures", "hub_data_no_table"),
    ],
)
def test_what_cannot_be_had_is_refused(name: str, key: str, endpoint: str) -> None:
    with pytest.raises(Problem) as raised:
        hub_rows(name, endpoint=endpoint)
    assert raised.value.key == key


def test_a_hub_that_is_not_there_is_refused() -> None:
    with pytest.raises(Problem, match="hub_data_unreachable"):
        hub_rows("nobody/reviews", endpoint="http://127.0.0.1:9")
