"""What a model's own folder says of how it was made and how good it is: card.json, metrics.json and log.jsonl, where it has them."""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.card import Card
from models.sources import Assets, Folder

LOG = logging.getLogger(__name__)
Numbers = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Record:
    """The three files; empty where there is none. `rows`: the lines of the log, tokens and seconds counted on over several phases."""

    facts: Numbers = field(default_factory=dict)
    metrics: Numbers = field(default_factory=dict)
    rows: tuple[Numbers, ...] = ()

    @property
    def quality(self) -> Numbers:
        """The numbers from the first of the texts that were measured, with its name; empty where nothing was measured."""
        return next(iter(self.metrics.get("texts", ())), {})


def read_record(card: Card) -> Record:
    """The record of a model whose files lie in a folder of this machine; an empty one for all others."""
    folders = [source.ready() for source in card.sources if isinstance(source, Assets | Folder)]
    folder = next(filter(None, folders), None)
    if folder is None:
        return Record()
    try:
        return Record(
            facts=read_json(folder / "card.json"), metrics=read_json(folder / "metrics.json"), rows=read_rows(folder / "log.jsonl")
        )  # fmt: skip
    except (OSError, ValueError) as error:  # somebody's own folder: the model works without
        LOG.warning("%s: its card cannot be read: %s", card.name, error)
        return Record()


def said(value: Any, language: str) -> Any:
    """What a card says in `language`: a table {"en", "zh"} holds both, anything else is for everybody."""
    return value[language] if isinstance(value, dict) and set(value) == {"en", "zh"} else value


def read_json(path: Path) -> Numbers:
    """A file's table, or an empty one where there is no file. ValueError where it is none."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} is not a table")
    return content


def read_rows(path: Path) -> tuple[Numbers, ...]:
    """The lines of a log. A second training in the same file begins to count anew; here it goes on from the first."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()] if path.is_file() else []
    before, last = {"step": 0, "tokens": 0, "seconds": 0.0}, {"step": 0, "tokens": 0, "seconds": 0.0}
    counted = []
    for row in rows:
        if row["tokens"] < last["tokens"]:
            before = {name: before[name] + last[name] for name in before}
        last = {name: row[name] for name in last}
        counted.append(row | {name: before[name] + row[name] for name in before})
    return tuple(counted)
