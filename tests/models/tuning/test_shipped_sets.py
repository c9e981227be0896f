"""The labelled sentences that ship: counted, balanced, distinct, and too hard for a bag of words."""

import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import combinations, count, pairwise
from pathlib import Path

import pytest

from models.catalogue import Catalogue
from models.sources import fetch
from models.tokenizers import from_folder

FOLDER = Path(__file__).parents[3] / "assets" / "tasks"
SPLITS = ("train", "dev", "test")
CARD_FIELDS = {"name", "kind", "language", "title", "about", "licence", "labels", "template"}


@dataclass(frozen=True)
class Promise:
    """What one set is said to be: length in words (Chinese: characters), and the ceiling that naive Bayes may reach on its test split."""

    labels: tuple[str, ...]
    sizes: tuple[int, int, int]
    length: tuple[int, int]
    ceiling: float | None = None


PROMISES = {
    "reviews_en": Promise(("positive", "negative"), (240, 80, 80), (6, 30), 0.75),
    "reviews_zh": Promise(("positive", "negative"), (240, 80, 80), (8, 60), 0.75),
    "topics_en": Promise(("society", "sport", "business", "science"), (240, 80, 80), (6, 30), 0.85),
    "questions_en": Promise(("person", "place", "number", "time", "reason", "way"), (180, 60, 60), (4, 22), 0.85),
    "polite_en": Promise((), (140, 30, 30), (4, 20)),
}
CLASSIFIED = [name for name, promise in PROMISES.items() if promise.labels]
every_set = pytest.mark.parametrize("name", PROMISES)


@cache
def card(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@cache
def rows(name: str) -> list[dict[str, str]]:
    header, *lines = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    columns = header.split("\t")
    assert columns == (["split", "label", "text"] if PROMISES[name].labels else ["split", "source", "target"])
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]


def texts(row: dict[str, str]) -> list[str]:
    return [row[column] for column in ("text", "source", "target") if column in row]


def units(text: str) -> list[str]:
    """Words without case and punctuation; Chinese, which has no spaces, falls into characters."""
    return re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+(?:'\w+)*", text.lower())


def features(text: str) -> list[str]:
    """What a bag of words sees: the words, and for Chinese also the pairs of neighbouring characters, which are mostly words."""
    found = units(text)
    return found + ["".join(pair) for pair in pairwise(found)] if re.search("[\u4e00-\u9fff]", text) else found


def naive_bayes(train: list[dict[str, str]], test: list[dict[str, str]]) -> float:
    """Test accuracy of multinomial naive Bayes with one added to every count; the classes are balanced, so there is no prior."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for row in train:
        counts[row["label"]].update(features(row["text"]))
    known = set().union(*counts.values())
    totals = {label: sum(count.values()) + len(known) for label, count in counts.items()}

    def score(label: str, text: str) -> float:
        return sum(math.log((counts[label][word] + 1) / totals[label]) for word in features(text) if word in known)

    return sum(max(counts, key=lambda label: score(label, row["text"])) == row["label"] for row in test) / len(test)


@every_set
def test_a_set_has_the_promised_size_and_is_balanced_in_every_split(name: str) -> None:
    promise = PROMISES[name]
    assert tuple(Counter(row["split"] for row in rows(name))[split] for split in SPLITS) == promise.sizes
    assert len(rows(name)) == sum(promise.sizes)
    for split, size in zip(SPLITS, promise.sizes, strict=True):
        found = Counter(row["label"] for row in rows(name) if row["split"] == split) if promise.labels else {}
        assert found == {label: size // len(promise.labels) for label in promise.labels}


@every_set
def test_every_text_is_clean_and_of_reasonable_length(name: str) -> None:
    low, high = PROMISES[name].length
    for text in (text for row in rows(name) for text in texts(row)):
        assert low <= len(units(text)) <= high, f"{len(units(text))}: {text}"
        assert text == " ".join(text.split()) and unicodedata.is_normalized("NFC", text), text
        assert not any(unicodedata.category(letter).startswith("C") for letter in text), ascii(text)
        assert text[-1] in ".?!\"'。？！”…", text
        if card(name)["language"] == "en":
            assert text.isascii() and not text[0].islower(), text
        else:
            assert not re.search("[,.?!;:]", text) and re.search("[\u4e00-\u9fff]", text), text


@every_set
def test_no_text_comes_twice_and_no_opening_more_than_three_times(name: str) -> None:
    for column in zip(*map(texts, rows(name)), strict=True):
        assert [text for text, count in Counter(" ".join(units(text)) for text in column).items() if count > 1] == []
        openings = Counter(" ".join(units(text)[:4]) for text in column)
        assert [opening for opening, count in openings.items() if count > 3] == []


@every_set
def test_neighbours_stay_in_one_split(name: str) -> None:
    """Two texts that share more than 60 % of their words would carry the answer from one split into another."""
    for column in range(len(texts(rows(name)[0]))):
        bit = defaultdict(count().__next__)  # a bag as the bits of one number: 80,000 comparisons stay cheap
        bags = [(row["split"], sum(1 << bit[word] for word in set(features(texts(row)[column]))), texts(row)[column]) for row in rows(name)]
        close = [
            (text, other_text)
            for (split, bag, text), (other_split, other, other_text) in combinations(bags, 2)
            if split != other_split and (bag & other).bit_count() > 0.6 * (bag | other).bit_count()
        ]
        assert close == []


@pytest.mark.parametrize("name", CLASSIFIED)
def test_a_bag_of_words_does_not_solve_it(name: str) -> None:
    by_split = {split: [row for row in rows(name) if row["split"] == split] for split in SPLITS}
    assert naive_bayes(by_split["train"], by_split["test"]) <= PROMISES[name].ceiling


def test_the_bag_of_words_does_learn() -> None:
    train = [{"label": label, "text": f"{word} {other}"} for label, word in (("a", "good"), ("b", "bad")) for other in ("film", "book")]
    assert naive_bayes(train, [{"label": "a", "text": "A good meal."}, {"label": "b", "text": "A bad meal."}]) == 1.0


@every_set
def test_pairs_of_sentences_say_something_different(name: str) -> None:
    for row in rows(name):
        assert len(set(map(str.lower, texts(row)))) == len(texts(row)), row


@every_set
def test_a_card_says_all_there_is_to_say(name: str) -> None:
    entry, promise = card(name), PROMISES[name]
    assert set(entry) == CARD_FIELDS and entry["name"] == name and entry["licence"] == "Apache-2.0"
    assert entry["kind"] == ("classify" if promise.labels else "rewrite") and entry["language"] == name.rpartition("_")[2]
    for field in ("title", "about"):
        assert set(entry[field]) == {"en", "zh"} and all(entry[field].values())
    assert entry["about"]["en"].endswith(".") and entry["about"]["zh"].endswith("。")
    assert entry["template"].count("{text}") == 1 and entry["template"].count("[MASK]") == bool(promise.labels)
    assert tuple(entry["labels"]) == promise.labels


@pytest.mark.parametrize("name", CLASSIFIED)
def test_every_label_has_a_name_in_both_languages_and_one_word(name: str) -> None:
    labels = card(name)["labels"].values()
    assert all(set(label) == {"en", "zh", "word"} and all(label.values()) for label in labels)
    words = [label["word"] for label in labels]
    alphabet = "[a-z]+" if card(name)["language"] == "en" else "[\u4e00-\u9fff]"
    assert len(set(words)) == len(words) and all(re.fullmatch(alphabet, word) for word in words)


@pytest.mark.weights
def test_the_words_of_english_labels_are_whole_pieces_of_the_vocabulary_of_bert_uncased() -> None:
    tokenizer = from_folder(fetch(Catalogue().find("all-MiniLM-L6-v2")), "bert")
    labels = [label for name in CLASSIFIED if card(name)["language"] == "en" for label in card(name)["labels"].values()]
    assert all(tokenizer.words(tokenizer.encode(label["word"]).ids) == ("[CLS]", label["word"], "[SEP]") for label in labels)


def test_the_folder_holds_these_sets_and_nothing_else() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}{end}" for name in PROMISES for end in (".tsv", ".json")}
