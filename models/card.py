"""What the catalogue says about one model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.sources import Source

NAME = re.compile(r"\w[\w.+,\- ]{0,79}")


@dataclass(frozen=True, kw_only=True)
class Card:
    """One model as the page offers it, before anything of it is loaded.

    `tasks` may be `()`: not known until the model is loaded (a hub id that somebody typed). `languages` are ISO 639 codes, source before
    target in a translation model, "mul" for many more. `parameters` and `size_mb` (MB to download from the first source; 0: not known) are
    those published; the loaded model knows better.
    """

    name: str
    family: str = ""  # "": found out from its config when it is loaded
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    parameters: int | None = None
    licence: str = ""  # SPDX identifier; "": not stated
    attribution: str = ""
    size_mb: int = 0
    sources: tuple[Source, ...]
    note: Mapping[str, str] = field(hash=False)  # "en" and "zh": one sentence, what it is good for
    default_for: tuple[str, ...] = ()  # tasks that the page starts with this model
    tuned_from: str = ""  # the model that this one is a tuning of

    def __post_init__(self) -> None:
        if not all(map(NAME.fullmatch, self.name.split("/", 1))):
            raise ValueError(f"not a name for a model: {self.name!r}")
        if not self.sources:
            raise ValueError(f"{self.name} has no sources")
        if set(self.note) != {"en", "zh"}:
            raise ValueError(f"{self.name} needs a note in en and zh, got {sorted(self.note)}")
        if self.tasks and not set(self.default_for) <= set(self.tasks):
            raise ValueError(f"{self.name} is the default for {self.default_for} but can do {self.tasks}")
