"""What a long run has made so far: a line of JSON for each record, so that it can be stopped at any time and go on."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Notes:
    """Records with a "number" each, below the line that says how they came about; opened again, it goes on after the last whole line."""

    def __init__(self, path: Path, run: dict[str, Any]):
        self.path = path
        self.records: list[dict[str, Any]] = []
        if path.exists():
            lines = path.read_bytes().splitlines(keepends=True)
            whole = lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]
            path.write_bytes(b"".join(whole))
            first, *self.records = map(json.loads, whole) if whole else [run]
            if first != run:
                raise ValueError(f"{path.name} was begun with {first}, not with {run}: go on with the same, or choose another --out")
        if not path.exists() or not path.stat().st_size:
            path.write_text(json.dumps(run) + "\n", encoding="utf-8")
        self.done = {record["number"] for record in self.records}

    def add(self, records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Note these, all in one go."""
        added = list(records)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(record) + "\n" for record in added))
        self.records += added
        self.done |= {record["number"] for record in added}
        return added
