"""Which checkpoints are understood: one file a family, found by itself; and how a folder says what it holds."""

import importlib
import json
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from models.checkpoints.files import find_weights, open_weights
from models.checkpoints.rules import Rule
from models.checkpoints.weights import Weights
from models.config import ModelConfig
from models.errors import Problem
from models.tokens import Tokenizer
from models.transformer import Transformer

# What a generation_config.json may say better than the config.json beside it.
GENERATION = ("decoder_start_token_id", "eos_token_id", "pad_token_id", "bad_words_ids")


@dataclass(frozen=True, kw_only=True)
class Family:
    """All that is known of one kind of model: everything else in the house is the same for all.

    `speaks` are the `model_type`s of config.json that it answers to, and what weight files without one call themselves ("gguf.llama").
    `config` makes our numbers of the settings and the weights, `rules` the weight map, `tasks` the questions that the model can be asked.
    """

    name: str
    speaks: frozenset[str]
    config: Callable[[dict[str, Any], Weights], ModelConfig]
    rules: Callable[[ModelConfig, Weights], list[Rule]]
    tasks: Callable[[ModelConfig], frozenset[str]]
    tokenizer: Callable[[Path, Weights], Tokenizer]
    build: Callable[[ModelConfig], Transformer] = Transformer.build


class Found(NamedTuple):
    """What a folder holds: the family, the settings of its config.json, and the file with the weights."""

    family: Family
    settings: dict[str, Any]
    weights: Path


@cache
def families() -> tuple[Family, ...]:
    """Every family, one a file of this folder; files that begin with an underscore are their tools."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    found = tuple(importlib.import_module(f"{__name__}.{name}").FAMILY for name in sorted(names))
    check_claims(found)
    return found


def check_claims(found: tuple[Family, ...]) -> None:
    """Two families that answer to one name would depend on the order of files: an error at once."""
    claimed: dict[str, str] = {}
    for family in found:
        for model_type in sorted(family.speaks):
            if model_type in claimed:
                raise ValueError(f"the families {claimed[model_type]} and {family.name} both answer to {model_type!r}")
            claimed[model_type] = family.name


def find(model_type: str) -> Family:
    """The family that answers to `model_type`; Problem "unknown_family" names those that there are."""
    for family in families():
        if model_type in family.speaks:
            return family
    known = sorted(name for family in families() for name in family.speaks if "." not in name)
    raise Problem("unknown_family", saw=str(model_type)[:80], known=", ".join(known))


def recognise(folder: Path) -> Found:
    """What the model in `folder` is: its config.json says it, or else the weight file itself does."""
    settings = read_settings(folder)
    weights = find_weights(folder)
    model_type = settings.get("model_type")
    if model_type is None:
        with open_weights(weights) as source:
            model_type = source.model_type or f"{source.file} without a model_type in config.json"
    return Found(find(model_type), settings, weights)


def read_settings(folder: Path) -> dict[str, Any]:
    """config.json with what generation_config.json adds to it; empty where there is neither."""
    settings = read_json(folder / "config.json")
    added = read_json(folder / "generation_config.json")
    return settings | {key: added[key] for key in GENERATION if added.get(key) is not None}


def read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Problem("broken_config", file=path.name, reason=f"it is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise Problem("broken_config", file=path.name, reason="it is not a table of settings")
    return content
