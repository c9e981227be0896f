"""A translator reads one language; whoever gives it another is told so, beside what it makes of it."""

import re

from playground.service.offers import Row
from playground.ui.language import table, text

CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
LETTER = re.compile(r"[^\W\d_]")
FOREIGN = 0.1  # a text with fewer Chinese characters among its letters is not Chinese; names and quotations may well be in another script


def wrong_way(row: Row | None, words: str, language: str) -> str:
    """A sentence where a text is plainly not in the language that the model in `row` reads; empty where it may be, or nobody knows.

    Only Chinese can be told by its characters. Between the two languages of this page the sentence names the model to choose.
    """
    languages = row["languages"] if row else []
    letters = LETTER.findall(words)
    if len(languages) != 2 or not letters:
        return ""
    source, target = languages
    chinese = len(CHINESE.findall(words)) / len(letters) >= FOREIGN
    if chinese == (source == "zh"):
        return ""
    name = text(f"language.{source}", language) if f"language.{source}" in table() else source
    key, way = ("chinese_to_english", ("zh", "en")) if chinese else ("english_to_chinese", ("en", "zh"))
    other = text(f"direction.{key}", language) if (target, source) == way else ""
    return text("direction.wrong", language, model=row["name"], source=name) + other
