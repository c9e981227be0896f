"""Labelled texts from a data set of the hub, by its name: some of its rows as plain JSON, so nobody's code or archive is opened here.

The hub serves the rows of most public data sets itself (`/splits` and `/rows` of its data set server), and neither the library `datasets`
nor a reader of Parquet files is needed for the thousand that a tuning on this page can use.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from huggingface_hub.constants import DATASETS_SERVER_ENDPOINT
from huggingface_hub.errors import HTTPError
from huggingface_hub.utils import get_session

from models.errors import Problem
from models.sources.reach import SILENCE_SECONDS, within

NAME = re.compile(r"([A-Za-z0-9][\w.-]*(?:/[\w.-]+)?)(?::([\w.+-]+))?", re.ASCII)
PAGES, ROWS = 10, 100  # the server gives at most 100 rows at once
LONGEST = 1000  # characters of a cell; more than the 128 tokens that are read
PLAIN = re.compile(r"string|large_string|bool|u?int\d+")


def hub_rows(name: str, *, endpoint: str = DATASETS_SERVER_ENDPOINT) -> str:
    """Up to 1,000 rows of the data set NAME or NAME:CONFIG, of its part "train" where there is one, as JSONL with labels by their names.

    From a larger one ten pages are taken, evenly spread, since many are sorted by label.
    Raises Problem: bad_hub_data, hub_data_not_found, hub_data_unreachable, hub_data_no_table.
    """
    found = NAME.fullmatch(name.strip())
    if not found or ".." in name:
        raise Problem("bad_hub_data", name=name.strip()[:80])
    dataset, config = found.groups()
    parts = ask(endpoint, "splits", dataset=dataset)["splits"]
    wanted = config or next((part["config"] for part in parts), "")
    splits = [part["split"] for part in parts if part["config"] == wanted]
    if not splits:
        raise Problem("hub_data_not_found", name=name.strip())
    where = {"dataset": dataset, "config": wanted, "split": "train" if "train" in splits else splits[0]}
    lines = [json.dumps(row, ensure_ascii=False) for page in pages(endpoint, where) for row in plain(page, dataset)]
    return "\n".join(lines)


def pages(endpoint: str, where: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Answers of the server with rows."""
    first = ask(endpoint, "rows", **where, offset=0, length=ROWS)
    yield first
    total = int(first.get("num_rows_total") or len(first["rows"]))
    apart = max(ROWS, total // PAGES)
    for offset in range(apart, total, apart)[: PAGES - 1]:
        yield ask(endpoint, "rows", **where, offset=offset, length=ROWS)


def plain(page: dict[str, Any], dataset: str) -> Iterator[dict[str, str]]:
    """The rows of an answer, as far as their cells are words or numbers; without those whose label is kept secret."""
    kinds = {feature["name"]: feature["type"] for feature in page["features"]}
    labels = {name: kind["names"] for name, kind in kinds.items() if kind.get("_type") == "ClassLabel"}
    texts = [name for name, kind in kinds.items() if kind.get("_type") == "Value" and PLAIN.fullmatch(kind.get("dtype", ""))]
    if len(labels) + len(texts) < 2:
        raise Problem("hub_data_no_table", name=dataset)
    for entry in page["rows"]:
        cells = entry["row"]
        if any(not isinstance(cells[name], int) or not 0 <= cells[name] < len(names) for name, names in labels.items()):
            continue
        made = {name: str("" if cells[name] is None else cells[name])[:LONGEST] for name in texts}
        yield made | {name: names[cells[name]] for name, names in labels.items()}


def ask(endpoint: str, what: str, **asked: str | int) -> dict[str, Any]:
    """One answer of the server. Problem where there is none, or where it does not know the data set."""
    name = str(asked["dataset"])
    try:
        answer = within(SILENCE_SECONDS, lambda: get_session().get(f"{endpoint}/{what}", params=asked, timeout=SILENCE_SECONDS))
        if answer.status_code in (401, 403, 404):
            raise Problem("hub_data_not_found", name=name)
        answer.raise_for_status()
        return answer.json()
    except (HTTPError, OSError, json.JSONDecodeError) as error:
        raise Problem("hub_data_unreachable", name=name) from error
