"""Which models there are, for the operator who adds some and the visitor who picks one; the entries themselves are in `cards.py`."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from models.card import NAME, Card
from models.cards import CARDS
from models.errors import Problem
from models.sources import Folder, Hub

__all__ = ["CARDS", "Card", "Catalogue"]

HUB_ID = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*(?<![-.])(?<!\.git)")
VISITOR_LIMIT_MB = 4_000  # a visitor may not fill the operator's disk


class Catalogue:
    """The models that this page offers: the operator adds to them with `--model`, a visitor picks one (or types a hub id, if allowed)."""

    def __init__(
        self,
        cards: Sequence[Card] = CARDS,
        *,
        allow_hub: bool = False,
        offline: bool = False,
        more: Callable[[], Sequence[Card]] = tuple,
    ):
        """`more()` gives the cards that come and go."""
        self.cards = tuple(cards)
        self.allow_hub, self.offline = allow_hub, offline
        self.more = more

    def entries(self) -> list[Card]:
        """All cards, in the order in which they are shown."""
        return [*self.cards, *self.more()]

    def joined(self, more: Callable[[], Sequence[Card]]) -> "Catalogue":
        """The same catalogue, and behind its cards those that `more()` gives at the moment."""
        return Catalogue(self.cards, allow_hub=self.allow_hub, offline=self.offline, more=more)

    def find(self, name: str) -> Card:
        """The card of that name or hub id, in upper or lower case; `name` is what a visitor sent and is never read as a path.

        Raises Problem: unknown_model (with what is known), hub_not_allowed.
        """
        if card := self._known(name):
            return card
        if not (card := visitor_card(str(name).strip())):
            raise Problem("unknown_model", model=printable(name), known=", ".join(card.name for card in self.cards))
        if not self.allow_hub:
            raise Problem("hub_not_allowed", model=printable(name), known=", ".join(card.name for card in self.cards))
        return card

    def default(self, task: str) -> Card | None:
        """The model that a task starts with."""
        return next((card for card in self.cards if task in card.default_for), None)

    def with_operator(self, specs: Sequence[str]) -> "Catalogue":
        """A catalogue with what the operator named in front: NAME (known here), HUB_ID, FOLDER or NAME=FOLDER.

        Raises Problem: bad_model_spec, folder_missing, duplicate_model, and those of the readers for a folder that holds no model.
        """
        named: list[Card] = []
        for spec in specs:
            card = self.named(spec)
            others = named if card in self.cards else [*named, *self.cards]
            if any(card.name.casefold() == other.name.casefold() for other in others):
                raise Problem("duplicate_model", model=card.name)
            named.append(card)
        rest = [card for card in self.cards if card not in named]
        return Catalogue([*named, *rest], allow_hub=self.allow_hub, offline=self.offline, more=self.more)

    def named(self, spec: str) -> Card:
        """The card of a name known here, or of HUB_ID, FOLDER or NAME=FOLDER: for the owner of the machine only, never a visitor."""
        return self._known(spec) or operator_card(spec)

    def _known(self, name: str) -> Card | None:
        wanted = str(name).strip().casefold()
        for card in self.entries():
            ids = [source.repo for source in card.sources if isinstance(source, Hub)]
            if wanted in {word.casefold() for word in [card.name, *ids]}:
                return card
        return None


def visitor_card(name: str) -> Card | None:
    """The card of a hub id that a visitor typed, exactly "organisation/repository"; None for anything else, whatever lies on the disk."""
    return _hub_card(name, Hub(repo=name, anonymous=True, limit_mb=VISITOR_LIMIT_MB)) if _is_hub_id(name) else None


def operator_card(spec: str) -> Card:
    """The card of HUB_ID, FOLDER or NAME=FOLDER; a folder that exists goes before a hub id that looks the same.

    Raises Problem: bad_model_spec, folder_missing, and those of the readers for a folder that holds no model.
    """
    name, equals, folder = spec.partition("=")
    if equals:
        return _folder_card(name.strip(), Path(folder.strip()).expanduser(), spec)
    path = Path(spec).expanduser()
    if path.is_dir() or spec.startswith((".", "~")) or path.is_absolute():
        return _folder_card(path.resolve().name, path, spec)
    if _is_hub_id(spec):
        return _hub_card(spec, Hub(repo=spec))
    raise Problem("bad_model_spec", spec=printable(spec))


def printable(text: object) -> str:
    """What somebody sent, short and fit to be shown in a sentence."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(text)[:80])


def _is_hub_id(name: str) -> bool:
    return len(name) <= 96 and HUB_ID.fullmatch(name) is not None


def _hub_card(name: str, source: Hub) -> Card:
    return Card(name=name, sources=(source,), note={"en": "From the model hub, by its id.", "zh": "按名称取自模型库。"})


def _folder_card(name: str, folder: Path, spec: str) -> Card:
    if not NAME.fullmatch(name) or not folder.name:
        raise Problem("bad_model_spec", spec=printable(spec))
    if not folder.is_dir():
        raise Problem("folder_missing", folder=str(folder))
    family, tasks = _inside(folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Card(
        name=name,
        family=family,
        tasks=tasks,
        size_mb=round(size / 1e6),
        sources=(Folder(path=folder.resolve()),),
        note={"en": "From a folder on this machine, added by the operator.", "zh": "由管理员添加，取自本机的文件夹。"},
    )


def _inside(folder: Path) -> tuple[str, tuple[str, ...]]:
    """The family of the model in a folder and what it can do, as its config and the names of its weights say."""
    from models.checkpoints.files import open_weights  # noqa: PLC0415 - with torch, which nobody needs to read a catalogue
    from models.families import recognise  # noqa: PLC0415 - as above

    found = recognise(folder)
    with open_weights(found.weights) as weights:
        return found.family.name, tuple(sorted(found.family.tasks(found.family.config(found.settings, weights))))
