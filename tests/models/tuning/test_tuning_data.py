"""Labelled sets, one's own data, and the order in which everybody sees them."""

import json
from pathlib import Path

import pytest

from models.errors import Problem
from models.tuning.examples import epoch, read_examples, shipped, split
from models.tuning.own_data import MOST_ROWS, Columns, guess_columns, own_examples, read_table
from models.tuning.task import Example, Label, Task

CSV = "label,review\n" + "".join(f'{"good" if i % 2 else "bad"},"text number {i}, with a comma"\n' for i in range(12))


def write_set(folder: Path) -> None:
    card = {
        "name": "tiny", "kind": "classify", "language": "en", "title": {"en": "T", "zh": "T"}, "licence": "CC0",
        "labels": {"pos": {"en": "good", "zh": "好", "word": "great"}, "neg": {"en": "bad", "zh": "坏", "word": "poor"}},
        "template": "{text} It was [MASK].",
    }  # fmt: skip
    (folder / "tiny.json").write_text(json.dumps(card))
    (folder / "tiny.tsv").write_text('split\tlabel\ttext\ntrain\tpos\tSo "good"\ndev\tneg\tBad\ntest\tpos\tFine\ntrain\tneg\tNo\n')


def test_a_set_is_a_card_and_a_table(tmp_path: Path) -> None:
    write_set(tmp_path)
    assert shipped(tmp_path) == ("tiny",)
    found = read_examples("tiny", tmp_path)
    assert found.train == (Example(text='So "good"', answer="pos", line=2), Example(text="No", answer="neg", line=5))
    assert found.task.words == ("great", "poor") and found.task.labels["pos"].zh == "好" and found.task.licence == "CC0"
    with pytest.raises(Problem, match="unknown_task_set.*tiny"):
        read_examples("other", tmp_path)
    (tmp_path / "tiny.tsv").write_text("split\tlabel\ttext\ntrain\tpod\tx\n")
    with pytest.raises(ValueError, match="line 2.*pod"):
        read_examples("tiny", tmp_path)


def test_what_ships_can_be_read_and_asks_nothing_that_it_taught() -> None:
    for name in shipped():
        found = read_examples(name)
        texts = [[example.text for example in part] for part in (found.train, found.dev, found.test)]
        assert all(texts) and len({text for part in texts for text in part}) == sum(map(len, texts)), name


def test_a_split_has_all_labels_everywhere_and_is_the_same_each_time() -> None:
    task = Task(name="t", kind="classify", labels={"a": Label(word="a"), "b": Label(word="b")})
    rows = [Example(text=str(i), answer="ab"[i % 3 == 0]) for i in range(60)]
    found = split(task, rows)
    assert found == split(task, rows) != split(task, rows, seed=2)
    assert sorted((*found.train, *found.dev, *found.test), key=lambda one: int(one.text)) == rows
    assert all({one.answer for one in part} == {"a", "b"} for part in (found.train, found.dev, found.test))
    assert len(found.dev) == len(found.test) == 9


def test_batches_hold_everything_once_and_keep_to_their_limits() -> None:
    sizes = [(i * 37) % 60 + 1 for i in range(100)]
    batches = epoch(sizes, number=0, seed=1, rows=8, tokens=200)
    assert sorted(index for batch in batches for index in batch) == list(range(100))
    assert all(len(batch) <= 8 and max(sizes[i] for i in batch) * len(batch) <= 200 for batch in batches)
    assert batches == epoch(sizes, number=0, seed=1, rows=8, tokens=200) != epoch(sizes, number=1, seed=1, rows=8, tokens=200)


def test_columns_are_found_by_name_or_by_what_is_in_them() -> None:
    assert guess_columns(read_table(CSV)) == Columns(text="review", answer="label")
    bare = "\n".join(f"a rather long text {i}\t{i % 2}" for i in range(10))
    assert guess_columns(read_table(bare)) == Columns(text="1", answer="2")
    lines = "\n".join(json.dumps({"target": f"Please do {i}.", "source": f"Do {i}!", "split": "train"}) for i in range(10))
    assert guess_columns(read_table(lines)) == Columns(text="source", answer="target", split="split", kind="rewrite")
    chinese = "标签;内容\n" + "\n".join(f"{'好坏'[i % 2]};这是第{i}个句子" for i in range(10))
    table = read_table("\ufeff" + chinese)
    assert guess_columns(table) == Columns(text="内容", answer="标签")
    assert own_examples(table, guess_columns(table))[0].task.language == "zh"


def test_what_is_wrong_is_told_by_line() -> None:
    lines = [
        "split,label,text",
        *(f'train,{"ab"[i % 2]},"text {i}\nsecond line"' for i in range(8)),
        "dev,a,other",
        "dev,b,more",
        "test,a,last",
    ]
    lines += ["train,,nothing", "train,a,", "test,a,Text  3 second line", "dev,a,other", "holdout,a,x", f"test,b,{'long ' * 500}"]
    found, issues = own_examples(read_table("\n".join(lines)), Columns(text="text", answer="label", split="split"))
    told = [(issue.line, issue.problem.key) for issue in issues]
    assert told == [
        (21, "no_label_in_line"), (22, "no_text_in_line"), (23, "same_text_in_parts"), (24, "same_text"), (25, "unknown_part"),
        (26, "long_line"),
    ]  # fmt: skip
    assert issues[2].problem.values == {"line": 8} and issues[3].problem.values == {"line": 18}
    assert (len(found.train), len(found.dev), len(found.test)) == (8, 2, 2)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("", "no_data"),
        (" \n ", "no_data"),
        ("text\n" + "word\n" * 20, "one_column"),
        ("x" * 2_000_001, "data_too_large"),
        ("text,label\n" + "a,b\n" * (MOST_ROWS + 1), "too_many_rows"),
        ('{"text": "a", "label": "b"}\n{"text": \n', "bad_json_line"),
        ("text,label\n" + "\n".join(f"a{i},b" for i in range(4)), "too_few_rows"),
        ("text,label\n" + "\n".join(f"a{i},b" for i in range(9)), "one_label"),
    ],
)
def test_data_from_which_nothing_can_be_learnt_are_refused(content: str, key: str) -> None:
    with pytest.raises(Problem) as raised:
        table = read_table(content)
        own_examples(table, Columns(text="text", answer="label"))
    assert raised.value.key == key


def test_a_rare_label_is_told_and_many_labels_refused() -> None:
    rows = [f"text {i},{'rare' if i == 0 else 'ab'[i % 2]}" for i in range(12)]
    _, issues = own_examples(read_table("text,label\n" + "\n".join(rows)), Columns(text="text", answer="label"))
    assert [(issue.line, issue.problem.key) for issue in issues] == [(0, "rare_label")]
    many = "text,label\n" + "\n".join(f"text {i},l{i}" for i in range(30))
    with pytest.raises(Problem, match="too_many_labels"):
        own_examples(read_table(many), Columns(text="text", answer="label"))
    with pytest.raises(Problem, match="no_such_column"):
        own_examples(read_table(many), Columns(text="words", answer="label"))
