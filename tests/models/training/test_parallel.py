"""Parallel text: what is read, what is left out and why, and the ids that come of it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from training_helpers import pairs_as_ids, some_pairs, translator_tokenizer

from models.training.parallel import Filter, Pair, read_pairs, tokenise, useful, write_pairs

GOOD = Pair("She drinks a cup of tea.", "她喝一杯茶。")


@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.tsv.xz"])
def test_pairs_are_read_as_they_were_written(tmp_path: Path, name: str) -> None:
    path = write_pairs(tmp_path / name, some_pairs())
    assert tuple(read_pairs(path)) == some_pairs()


def test_a_line_that_is_no_pair_is_refused_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "bad.tsv").write_text("one\t一\nonly one\n", encoding="utf-8")
    with pytest.raises(ValueError, match="bad.tsv, line 2"):
        list(read_pairs(tmp_path / "bad.tsv"))


@pytest.mark.parametrize(
    "pair, why",
    [
        (GOOD, None),
        (Pair("Hi.", "嗨。"), None),
        (Pair("Use list.append or list.extend.", "使用 list.append 或者 list.extend 都可以。"), None),
        (Pair("", "她喝茶。"), "empty"),
        (Pair("Tea.", ""), "empty"),
        (Pair("Tea.", "她每天早上都在花园里喝一杯很热的茶，然后才去上班。"), "length"),
        (Pair("Every morning she drinks a cup of very hot tea in the garden before going to work, and reads.", "茶。"), "length"),
        (Pair("Tea is good for you.", "Tea is good for you."), "script"),
        (Pair("她喝一杯热的茶。", "她喝一杯热的茶。"), "script"),
        (Pair("1998, 1999.", "1998年、1999年。"), "script"),
        (Pair("Это очень хороший чай.", "这是非常好的茶。"), "script"),
        (Pair("This is my book, and I like it.", "這是我的書，我很喜歡。"), "traditional"),
    ],
)
def test_pairs_that_teach_the_wrong_thing_are_left_out(pair: Pair, why: str | None) -> None:
    assert Filter().refuses(pair) == why


def test_what_was_met_before_is_left_out_and_everything_is_counted() -> None:
    told: Counter[str] = Counter()
    seen: set[bytes] = set()
    assert list(useful([GOOD, GOOD, Pair("", "茶")], seen=seen, told=told)) == [GOOD]
    assert list(useful([GOOD], seen=seen, told=told)) == []
    assert told == {"kept": 1, "double": 2, "empty": 1}


def test_ids_are_those_of_the_tokenizer_in_both_directions(tmp_path: Path) -> None:
    tokenizer = translator_tokenizer()
    path = write_pairs(tmp_path / "pairs.tsv", some_pairs())
    for direction, first, second in (("en-zh", "english", "chinese"), ("zh-en", "chinese", "english")):
        found = tokenise(tokenizer, [(path, 1.0)], direction=direction, length=60)
        assert len(found) == len(some_pairs())
        for index in (0, 17, len(found) - 1):
            source, target = found.pair(index)
            assert tuple(source) == tokenizer.encode(getattr(some_pairs()[index], first)).ids
            assert tuple(target) == tokenizer.encode_target(getattr(some_pairs()[index], second)).ids


def test_special_tokens_that_are_written_out_are_unknown_words() -> None:
    tokenizer = translator_tokenizer()
    for text in ("Anna </s> finds <pad> 鱼 \u0416", "", "  "):
        assert tokenizer.encode_all([text]) == [list(tokenizer.encode(text).ids)]


def test_weights_limits_and_lengths(tmp_path: Path) -> None:
    tokenizer = translator_tokenizer()
    one, two = (write_pairs(tmp_path / f"{name}.tsv", some_pairs()[start:]) for name, start in (("one", 100), ("two", 0)))
    told: dict[str, Counter[str]] = {}
    found = tokenise(
        tokenizer, [(one, 2.5), (two, 1.0)], direction="en-zh", length=60, limit=150, tell=lambda name, what: told.update({name: what})
    )
    folder = tmp_path.name
    assert told == {f"{folder}/one.tsv": {"kept": 150}, f"{folder}/two.tsv": {"kept": 100, "double": 50}}
    assert Counter(found.weights.tolist()) == {2.5: 150, 1.0: 100}
    lengths = [len(tokenizer.encode(pair.english)) for pair in some_pairs()]
    short = tokenise(tokenizer, [(two, 1.0)], direction="en-zh", length=min(lengths), tell=lambda name, what: told.update({name: what}))
    left = told[f"{folder}/two.tsv"]
    assert 0 < len(short) == left["kept"] and left["too long"] == len(lengths) - len(short)
    with pytest.raises(ValueError, match="no pair of two.tsv"):
        tokenise(tokenizer, [(two, 1.0)], direction="en-zh", length=2)


def test_all_texts_lie_in_one_array(tmp_path: Path) -> None:
    found = pairs_as_ids(translator_tokenizer(), tmp_path)
    for ids, bounds in (found.source, found.target):
        assert ids.dtype == np.int32 and bounds[0] == 0 and bounds[-1] == len(ids) and len(bounds) == len(found) + 1
