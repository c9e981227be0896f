"""What a model is, whose it is, and what happens when it is not on this machine yet."""

from typing import Any

from models.card import Card
from models.record import read_record
from models.sources import Assets, Hub, PackageIndex
from playground.service.playground import Playground
from playground.ui.language import table, text
from playground.ui.reading import percent
from playground.ui.wording import escape_html

Row = dict[str, Any]

UNIT = {"en": 1e6, "zh": 1e4}  # people count in millions, or in 万


def about_model(playground: Playground, language: str, name: str | None) -> str:
    """A few lines of HTML about the model called `name`."""
    row = find_row(playground, name)
    if row is None:
        lines = [text("about.unlisted", language, model=name) if name else text("about.none", language)]
    else:
        card = playground.catalogue.find(row["name"])
        facts = [
            _parameters(row, language),
            _languages(row, language),
            row["licence"],
            text("about.ready", language) if row["ready"] else "",
        ]
        where = origin(card, language) if row["ready"] else fetching(playground, row, language)
        lines = [" · ".join(filter(None, facts)), card.note.get(language, ""), quality(card, language), card.attribution, where]
    return "".join(f"<p>{escape_html(line)}</p>" for line in lines if line)


def find_row(playground: Playground, name: str | None) -> Row | None:
    """What is known of the model called `name`, None where it is not in the list."""
    return next((row for row in playground.models() if row["name"] == name), None)


def download_mark(row: Row, language: str) -> str:
    """What a model's option adds to its name: nothing, or the size of the download."""
    return "" if row["ready"] else text("about.mark", language, size=row["size_mb"])


def fetching(playground: Playground, row: Row, language: str) -> str:
    """One sentence about how the files of a model will get here; empty where they are here."""
    if row["ready"]:
        return ""
    if playground.offline:
        return text("about.offline", language, size=row["size_mb"])
    for source in playground.catalogue.find(row["name"]).sources:
        if isinstance(source, PackageIndex):
            return text("about.from_index", language, size=row["size_mb"], project=source.project)
        if isinstance(source, Hub):
            return text("about.from_hub", language, size=row["size_mb"], repository=source.repo)
    return text("about.missing", language)


def origin(card: Card, language: str) -> str:
    """Where the files of a model that is on this machine came from; of an operator's folder its note says it."""
    source = next((source for source in card.sources if source.ready()), None)
    if isinstance(source, Assets):
        return text("about.from_assets", language)
    if isinstance(source, PackageIndex):
        return text("about.fetched_index", language, project=source.project)
    return text("about.fetched_hub", language, repository=source.repo) if isinstance(source, Hub) else ""


def quality(card: Card, language: str) -> str:
    """How good a model is, as its own folder says; empty where nobody measured it."""
    found = read_record(card).quality
    if {"name", "bleu", "chrf", "sentences"} <= set(found):
        scores = {name: f"{found[name]:.1f}" for name in ("bleu", "chrf")}
        return text("about.quality_of_translations", language, text=found["name"], sentences=f"{found['sentences']:,}", **scores)
    if not {"name", "mlm_top1", "mlm_top5", "nsp", "nsp_same_document"} <= set(found):
        return ""
    shares = {"top1": found["mlm_top1"], "top5": found["mlm_top5"], "nsp": found["nsp"], "same": found["nsp_same_document"]}
    return text("about.quality", language, text=found["name"], **{name: whole(percent(share)) for name, share in shares.items()})


def whole(said: str) -> str:
    """A number and its sign on one line, wherever the line breaks."""
    return said.replace(" ", "\u00a0")


def _parameters(row: Row, language: str) -> str:
    if not row["parameters"]:
        return ""
    count = row["parameters"] / UNIT[language]
    return text("about.parameters", language, count=f"{count:.0f}" if count >= 10 else f"{count:.2g}")


def _languages(row: Row, language: str) -> str:
    known = [text(f"language.{code}", language) if f"language.{code}" in table() else code for code in row["languages"]]
    if "translate" in row["tasks"] and len(known) == 2:
        return " → ".join(known)
    return text("about.comma", language).join(known)
