"""The table of strings: everything a visitor reads, in English and in Chinese.

The table is every file of `assets/strings/`; a key is in one of them, once. A sentence may hold {placeholders}.
"""

import json
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "assets" / "strings"
LANGUAGES = ("en", "zh")


def text(key: str, language: str, /, **values: object) -> str:
    """The sentence of `key` in `language`, its {placeholders} filled with `values`; KeyError where something is missing."""
    sentence = table()[key][language]
    return sentence.format(**values) if values or "{" in sentence else sentence


@cache
def table() -> dict[str, dict[str, str]]:
    """Every key with its sentence in each language, read once; ValueError for a key that two files hold."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(FOLDER.glob("*.json")):
        area = json.loads(file.read_text(encoding="utf-8"))
        if doubled := sorted(found.keys() & area.keys()):
            raise ValueError(f"{file.name} repeats keys of another file: {doubled}")
        found |= area
    return found
