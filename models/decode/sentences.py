"""A text as lines and sentences, so that each sentence can be translated by itself and the text put together again.

Nothing is lost: sentences and the gaps between them, joined, are the text. Rules, not a model: full stops in Chinese and Japanese;
elsewhere . ! ? … with what closes a quotation, before white space and a word that can begin a sentence.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from models.decode.abbreviations import BEFORE_NUMBERS, EITHER, NEVER_LAST, STARTERS, words
from models.tokens import Tokenizer

CLOSING = "\"'”’»›)]}」』）】》〉〕"
OPENING = "\"'“‘«‹([{「『（【《〈〔¿¡-–—"
LINES = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# A Chinese or Japanese full stop ends a sentence whatever follows; Latin "!" and "?" do so before such a script; others need white space.
WIDE = "⺀-鿿豈-﫿\U00020000-\U0003ffff、-〟！-～"
STOPS = ".!?…؟۔।॥။។"
SINGLE_STOPS = STOPS[4:]  # these are nothing but full stops
CLOSE = f"[{re.escape(CLOSING)}]"
END = re.compile(rf"[。！？；｡][。！？；｡!?…]*{CLOSE}*|(?<![{STOPS}])[{STOPS}]++(?:(?<=[!?]){CLOSE}*+(?=[{WIDE}])|{CLOSE}*+(?=\s))")
WORD_BEFORE = re.compile(r"[\w.º]*$")
WORD_AFTER = re.compile(r"[^\W\d_]+")
LETTERS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")  # "U.S", "a.m"
NEXT = re.compile(rf"[\s{re.escape(OPENING)}]*")
LONGEST_ABBREVIATION = 12  # characters looked at before a full stop, so that a long line costs no more than its length
MOST_ACCENTS = 8
CHARACTERS_PER_TOKEN = 16  # more than any language has on average

# Where an over-long sentence may be split, best places first: after these signs, at white space, anywhere.
PLACES = [re.compile(r"[;:；：]+\s*|\s[-–—]\s|——"), re.compile(r"[,，、،]+\s*"), re.compile(r"\s+")]
# How the names of characters begin whose scripts put no spaces between words.
UNSPACED = tuple(words("CJK HIRAGANA KATAKANA BOPOMOFO IDEOGRAPHIC FULLWIDTH HALFWIDTH THAI LAO KHMER MYANMAR TIBETAN"))


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """`gaps` has one entry more than `sentences`: what stands before the first, between them, and after the last."""

    sentences: tuple[str, ...]
    gaps: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text that was split."""
        return "".join(gap + sentence for gap, sentence in zip_longest(self.gaps, self.sentences, fillvalue=""))

    def join(self, translations: Sequence[str]) -> str:
        """Put translations, one a sentence, where the sentences stood: line breaks as they were, spaces as the new script has them."""
        if len(translations) != len(self.sentences):
            raise ValueError(f"there are {len(self.sentences)} sentences, but {len(translations)} translations")
        if not translations:
            return "".join(self.gaps)
        result = self.gaps[0]
        for index, translation in enumerate(translations):
            gap = self.gaps[index]
            if index and not LINES.search(gap):
                glued = not gap and runs_on(self.sentences[index - 1], self.sentences[index])
                gap = "" if glued or not result or not translation or result[-1].isspace() else between(result[-1], translation[0])
            result += (gap if index else "") + translation
        return result + self.gaps[-1]


def split(text: str, *, fits: Callable[[str], bool] | None = None) -> Sentences:
    """Split a text into sentences. One that does not `fit` the model is split further, at the best place near its middle."""
    pieces: list[tuple[int, int]] = []
    for start, end in lines(text):
        for a, b in sentences_of(text[start:end]):
            pieces += trimmed(text, start + a, start + b)
    if fits is not None:
        pieces = [part for piece in pieces for part in shortened(text, *piece, fits=fits)]
    edges = [0, *(edge for piece in pieces for edge in piece), len(text)]
    gaps = tuple(text[a:b] for a, b in zip(edges[::2], edges[1::2]))
    return Sentences(sentences=tuple(text[a:b] for a, b in pieces), gaps=gaps)


def lines(text: str) -> list[tuple[int, int]]:
    """Start and end of every line, without its break."""
    breaks = list(LINES.finditer(text))
    starts, ends = [0, *(found.end() for found in breaks)], [*(found.start() for found in breaks), len(text)]
    return list(zip(starts, ends))


def sentences_of(line: str) -> list[tuple[int, int]]:
    """Start and end of every sentence of one line."""
    edges = [0, *(found.end() for found in END.finditer(line) if ends_sentence(line, found)), len(line)]
    return [(a, b) for a, b in zip(edges, edges[1:]) if a < b]


def ends_sentence(line: str, mark: re.Match[str]) -> bool:
    """Whether a sentence ends at `mark`, a full stop or its like."""
    sign, start = mark.group().rstrip(CLOSING), mark.start()
    after = NEXT.match(line, mark.end()).end()
    if unicodedata.east_asian_width(sign[0]) in "WFH" or sign[0] in SINGLE_STOPS or after == len(line):
        return True
    if line[after].islower():
        return False
    if sign != ".":
        return True
    before = WORD_BEFORE.search(line[max(0, start - LONGEST_ABBREVIATION) : start]).group()
    word, following = before.strip(".").lower(), WORD_AFTER.match(line, after)
    begins = following is not None and following.group().lower() in STARTERS
    if word in NEVER_LAST:
        return False
    if word in BEFORE_NUMBERS and line[after].isdigit():
        return False
    if word in EITHER or LETTERS.fullmatch(word) or (len(before) == 1 and before.isupper() and before != "I"):
        return begins  # "J. S. Bach" goes on, "in the U.S. She" does not
    # A number at the start of a line counts what follows.
    return not (before.isdigit() and start <= LONGEST_ABBREVIATION and not line[: start - len(before)].strip())


def trimmed(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The same place without white space at its ends, or nothing where there is nothing else."""
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    end = start + len(inner.strip())
    return [(start, end)] if start < end else []


def shortened(text: str, start: int, end: int, *, fits: Callable[[str], bool]) -> list[tuple[int, int]]:
    """Halve a sentence until every part fits; a single character stays, whether it fits or not."""
    if end - start < 2 or fits(text[start:end]):
        return [(start, end)]
    cut = middle(text, start, end)
    halves = [*trimmed(text, start, cut), *trimmed(text, cut, end)]
    return [part for half in halves for part in shortened(text, *half, fits=fits)]


def middle(text: str, start: int, end: int) -> int:
    """The best place to split in the middle half of the text: after a sign, else at white space, else between characters."""
    centre, reach = (start + end) // 2, (end - start) // 4
    for places in PLACES:
        found = [place.end() for place in places.finditer(text, max(start, centre - reach), min(end, centre + reach))]
        if inside := [place for place in found if start < place < end]:
            return min(inside, key=lambda place: abs(place - centre))
    # An accent stays with its letter, unless there is nothing but accents.
    letters = (place for place in range(centre, min(end, centre + MOST_ACCENTS)) if not unicodedata.combining(text[place]))
    return next(letters, centre)


def runs_on(left: str, right: str) -> bool:
    """Whether two parts are one word that was cut: a script with spaces, but none here."""
    return left[-1].isalnum() and right[0].isalnum() and not (unspaced(left[-1]) or unspaced(right[0]))


def between(left: str, right: str) -> str:
    """What separates two sentences on a line: nothing where either script writes no spaces, else a space."""
    return "" if unspaced(left) or unspaced(right) else " "


def unspaced(character: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    return unicodedata.name(character, "").startswith(UNSPACED)


def fitting(tokenizer: Tokenizer, limit: int) -> Callable[[str], bool]:
    """What `split` asks: whether a text is at most `limit` tokens, special tokens included; a very long one is not even counted."""
    return lambda text: len(text) <= CHARACTERS_PER_TOKEN * limit and tokenizer.encode(text, limit=limit).cut == 0
