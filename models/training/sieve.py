"""What of a small model's writing is worth learning from: whole sentences of plain English, said once."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from models.decode.sentences import split
from models.training.measure import Cloze

SHORTEST, LONGEST = 12, 220  # words of a text
SPAN = 9  # so many words in a row that stand in an earlier text make a copy
LEAK = 5  # so many words of a measured sentence, its answer among them, give the answer away
LOOP, TIMES = 4, 3  # the same four words three times: the model turns in a circle
VARIETY = 0.45  # different words for each word

PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\xa0": " ", "é": "e"})
ENDED = re.compile(r"""[.!?]["')]*$""")
MARKS = re.compile(r"[*#`|<>\[\]{}_\\~^=]|https?:|www\.|^\s*(?:[-+•]|\(?\d+[.)]|\(?[a-z][.)])\s", re.MULTILINE)
CHATTER = re.compile(
    r"""
    ^(?:sure|certainly|of\ course|absolutely|great\ question|okay)[!,.]
    |\b(?:
        as\ an?\ (?:ai|assistant)|ai\ (?:assistant|model)|language\ model|smollm|hugging\ face
        |(?:i'm|i\ am)\ sorry,\ (?:but\ )?(?:i|as)\ (?:can|am|an)|i\ can(?:'t|not)\ (?:assist|help|provide|write|create)
        |(?:i'm|i\ am|i'd\ be)\ (?:happy|glad|here)\ to\ (?:help|assist)|let\ me\ know\ if|feel\ free\ to|hope\ this\ helps
        |here(?:'s|\ is|\ are)\ (?:an?|the|some|your|two|three|four|five)\ [^.!?\n]*(?::|story|paragraph|example|list|conversation|dialogue)
        |(?:this|the\ above)\ (?:story|prompt|paragraph|dialogue|conversation|passage|sentence)|in\ conclusion|in\ summary
        |story\ with\ the\ words|you\ (?:want|would\ like|asked)\ me\ to|title:|note:|example:
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def words_of(text: str) -> list[str]:
    """The words as they are compared: small letters, no marks."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text.lower())


def spans(words: Sequence[str], length: int) -> Iterable[tuple[str, ...]]:
    """Every `length` words in a row."""
    return zip(*(words[start:] for start in range(length)))


def tidy(text: str) -> str:
    """Plain quotation marks and dashes, a paragraph a line, and no last sentence without its end."""
    paragraphs = [" ".join(line.split()) for line in text.translate(PLAIN).splitlines()]
    paragraphs = [line for line in paragraphs if line]
    while paragraphs and not ENDED.search(paragraphs[-1]):
        whole = split(paragraphs[-1]).sentences[:-1]
        paragraphs[-1:] = [" ".join(whole)] if whole else []
    return "\n".join(paragraphs)


def secrets(clozes: Iterable[Cloze]) -> set[tuple[str, ...]]:
    """What a text must not say: each five words of a cloze that hold its answer, or all of a shorter one."""
    found = set()
    for cloze in clozes:
        before, after = (words_of(part) for part in cloze.text.split("[MASK]"))
        for answer in map(words_of, cloze.answers):
            whole = [*before, *answer, *after]
            length = min(LEAK, len(whole))
            first = range(max(0, len(before) + len(answer) - length), min(len(before), len(whole) - length) + 1)
            found |= {tuple(whole[start : start + length]) for start in first}
    return found


class Sieve:
    """Takes texts one after the other and keeps or drops each; `dropped` counts why.

    A copy is what repeats a text that was kept, or one that was `shown` to the writer. What gives an answer of the `clozes` away is a leak.
    """

    def __init__(self, clozes: Iterable[Cloze] = (), *, shown: Iterable[str] = ()):
        self.secrets = secrets(clozes)
        self.lengths = sorted({len(secret) for secret in self.secrets})
        self.firsts: set[tuple[str, ...]] = set()
        self.spans: set[int] = set()
        self.kept = 0
        self.dropped: Counter[str] = Counter()
        for text in shown:
            self.remember(text)

    def take(self, text: str) -> str | None:
        """The text as it is kept, or None."""
        text = tidy(text)
        words = words_of(text)
        if reason := self.fault(text, words):
            self.dropped[reason] += 1
            return None
        self.remember(text)
        self.kept += 1
        return text

    def remember(self, text: str) -> None:
        """From now on, a text like this one is a copy."""
        self.firsts.add(first_sentence(text))
        self.spans.update(map(hash, spans(words_of(text), SPAN)))

    def fault(self, text: str, words: list[str]) -> str | None:
        """Why a text is dropped; None where it is good."""
        if not text.isascii() or not text.replace("\n", "").isprintable():
            return "foreign characters"
        if CHATTER.search(text):
            return "chatter"
        if MARKS.search(text):
            return "marks"
        if len(words) < SHORTEST:
            return "too short"
        if len(words) > LONGEST:
            return "too long"
        if any(line.count('"') % 2 for line in text.splitlines()):
            return "open quotation"
        if loops(words) or repeats(text):
            return "repetition"
        if any(span in self.secrets for length in self.lengths for span in spans(words, length)):
            return "leak"
        if first_sentence(text) in self.firsts or any(hash(span) in self.spans for span in spans(words, SPAN)):
            return "copy"
        return None


def loops(words: Sequence[str]) -> bool:
    """Whether the text says the same again and again."""
    again = Counter(spans(words, LOOP)).most_common(1)
    return bool(again) and again[0][1] >= TIMES or len(set(words)) < VARIETY * min(len(words), 100)


def repeats(text: str) -> bool:
    """Whether a sentence of some words is said twice; who says it, and as part of which quotation, does not count."""
    parts = [tuple(words_of(part)) for part in re.split(r"""[.!?,;:"]+(?:\s|$)|"|\n""", text)]
    return any(times > 1 and len(part) >= LOOP for part, times in Counter(parts).items())


def first_sentence(text: str) -> tuple[str, ...]:
    """How a text begins, as it is compared."""
    return tuple(words_of(split(text).sentences[0]))
