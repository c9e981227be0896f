"""Words and numbers as people read them: nothing hidden in them, nothing that could be taken for markup, not longer than there is room."""

import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # not "Cn": an emoji newer than Python's tables is one
_SIGNS = {"\n": "↵", "\r": "↵", "\t": "⇥"}
_JOINERS = "\u200c\u200d"  # inside emoji and in Persian and Indic words they are part of the writing
_PICTURES = {0x2400 + code: chr(code) for code in range(32)}  # tokenizers show control characters so; few fonts have these pictures
_STACK = 3  # more combining marks than that on one letter only cover the lines above
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_NO_SPACE_BEFORE = frozenset(".,;:!?)]}%'’”…、。，；：！？）】》」』")
_NO_SPACE_AFTER = frozenset("([{“‘（【《「『$#")


def visible(text: str) -> str:
    """The text with each character that would hide, break or reorder it shown instead: a line break as ↵, an override as ‹U+202E›."""
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for place, letter in enumerate(text):
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _STACK:
            continue
        if letter in _SIGNS:
            shown.append(_SIGNS[letter])
        elif category in _HIDDEN and not (letter in _JOINERS and 0 < place < len(text) - 1):
            shown.append(f"‹U+{ord(letter):04X}›")
        else:
            shown.append(letter)
    return "".join(shown)


@lru_cache(maxsize=10_000)
def readable(token: str) -> str:
    """A token as a person reads it: the mark ▁ of a space in front becomes nothing (␣ where it is all there is), what hides is shown."""
    bare = token.lstrip("▁ ")
    if not bare:
        return "␣" * len(token) or "∅"
    return visible(bare.replace("▁", "␣").translate(_PICTURES))


def columns(text: str) -> int:
    """How wide the text is, in columns of a Latin letter: a Chinese character or an emoji takes two, a combining mark none."""
    return sum(_columns(letter) for letter in text)


def shorten(text: str, width: int) -> str:
    """The text cut to `width` columns, ending in … where something is left out; never between a letter and its marks."""
    if len(text) <= width // 2 or columns(text) <= width:
        return text
    kept, used = 0, 1
    for letter in text:
        used += _columns(letter)
        if used > width:
            break
        kept += 1
    while kept and (_columns(text[kept]) == 0 or text[kept - 1] in _JOINERS):
        kept -= 1
    return text[:kept].rstrip() + "…"


def wrap(text: str, width: int, lines: int) -> list[str]:
    """The text as at most `lines` lines of `width` columns, broken at spaces or between Chinese characters; the last one cut."""
    rest, made = " ".join(text.split()), []
    while rest and len(made) < lines - 1 and columns(rest) > width:
        room = len(shorten(rest, width + 1)) - 1
        breaks = [place for place in range(max(room, 1), 0, -1) if rest[place] == " " or _columns(rest[place - 1]) == 2]
        place = breaks[0] if breaks else max(room, 1)
        made.append(rest[:place].rstrip())
        rest = rest[place:].lstrip()
    return [*made, shorten(rest, width)] if rest else made or [""]


def join(tokens: Iterable[str]) -> str:
    """Tokens put together to a text: by their ▁ where they have it, otherwise "##" pieces glued and spaces where the writing has them."""
    tokens = tuple(tokens)
    if any(token.startswith("▁") for token in tokens):
        return visible("".join(tokens).replace("▁", " ").strip())
    text = ""
    for token in tokens:
        if token.startswith("##") and len(token) > 2:
            text += visible(token[2:])
            continue
        piece = readable(token)
        text += piece if touches(text, piece) else " " + piece
    return text


def touches(before: str, after: str) -> bool:
    """Whether two pieces stand side by side without a space."""
    last, first = before[-1:], after[:1]
    if not last or not first or last in _NO_SPACE_AFTER or first in _NO_SPACE_BEFORE:
        return True
    return any(unicodedata.east_asian_width(letter) in ("W", "F") for letter in last + first)


def isolate(text: str) -> str:
    """The text fenced by Unicode isolates where it holds right-to-left writing, so that it cannot reorder what stands beside it."""
    if text.isascii() or not any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text):
        return text
    return f"\u2068{text}\u2069"


def escape_html(text: str) -> str:
    """The text as HTML that shows exactly this text, in an element or in an attribute."""
    return html.escape(isolate(visible(text)), quote=True)


def escape_plotly(text: str) -> str:
    """The text as plotly shows it: no tag, entity, formula ($...$) or template (%{...}) in it means anything."""
    fenced = isolate(visible(text))
    if re.search(r"[&<>$%]", fenced) is None:
        return fenced
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("$", "&#36;"), ("%", "&#37;")):
        fenced = fenced.replace(sign, entity)
    return fenced


def label(token: str, width: int = 16) -> str:
    """A token as the label of a figure: readable, at most `width` columns, escaped."""
    return escape_plotly(shorten(readable(token), width))


def percent(share: float) -> str:
    """A share of 1 with one decimal; what is not quite 0 or 1 is never shown as 0 or 100."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return f"{share:.1%}".replace("%", " %")


def _columns(letter: str) -> int:
    if letter.isascii():
        return 1
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1
