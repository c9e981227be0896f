"""Labelled texts that someone brings: CSV, TSV or JSONL, their columns guessed, what is wrong with them told line by line."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.errors import Problem
from models.tuning.examples import SPLITS, split
from models.tuning.task import Example, Examples, Kind, Label, Task

MOST_ROWS = 2000
MOST_BYTES = 2_000_000
MOST_LABELS = 20
FEWEST = 8  # rows
FEWEST_OF_LABEL = 3  # one each to learn from, to watch and to test
LONG = 2000  # characters of a text; more than any model here reads of it
NAMES = {
    "text": (
        "text",
        "sentence",
        "review",
        "comment",
        "content",
        "question",
        "source",
        "input",
        "文本",
        "句子",
        "内容",
        "评论",
        "问题",
        "原文",
    ),
    "answer": ("label", "class", "category", "sentiment", "target", "output", "answer", "标签", "类别", "分类", "情感", "译文", "改写"),
    "split": ("split", "set", "part", "划分"),
}
PARTS = {"train": "train", "training": "train", "dev": "dev", "valid": "dev", "validation": "dev", "test": "test"}
CHINESE = re.compile("[\u3400-\u9fff]")
TEMPLATES = {"en": "{text} It was [MASK].", "zh": "{text} 这是[MASK]。"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text with the numbers of the lines they began on."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column is which; `split` is optional."""

    text: str
    answer: str
    split: str = ""
    kind: Kind = "classify"


@dataclass(frozen=True, kw_only=True)
class Issue:
    """Something to know about a line (0: the whole file). Such rows are left out, or cut where they are only too long."""

    line: int
    problem: Problem


def read_table(content: str) -> Table:
    """A pasted or uploaded file. Problem where it is too large, empty, or not a table."""
    if len(content.encode(errors="replace")) > MOST_BYTES:
        raise Problem("data_too_large", megabytes=MOST_BYTES / 1e6)
    content = content.removeprefix("\ufeff")
    first = next((line for line in content.splitlines() if line.strip()), "")
    if not first:
        raise Problem("no_data")
    table = read_lines(content) if first.lstrip().startswith("{") else read_cells(content, first)
    if len(table.rows) > MOST_ROWS:
        raise Problem("too_many_rows", rows=len(table.rows), most=MOST_ROWS)
    if len(table.columns) < 2:
        raise Problem("one_column")
    return table


def read_lines(content: str) -> Table:
    """JSONL: an object a line."""
    objects: list[tuple[int, dict]] = []
    for line, text in enumerate(content.splitlines(), start=1):
        if text.strip():
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                found = None
            if not isinstance(found, dict):
                raise Problem("bad_json_line", line=line)
            objects.append((line, {str(key): "" if value is None else str(value) for key, value in found.items()}))
    columns = tuple(dict.fromkeys(key for _, found in objects for key in found))
    return Table(columns=columns, rows=tuple((line, tuple(found.get(key, "") for key in columns)) for line, found in objects))


def read_cells(content: str, first: str) -> Table:
    """TSV where the first line has tabs, else CSV with commas or semicolons. Columns without names are called by their numbers."""
    delimiter = "\t" if "\t" in first else max(",;", key=first.count)
    quoting = {"quoting": csv.QUOTE_NONE} if delimiter == "\t" else {}
    rows = list(numbered(csv.reader(content.splitlines(keepends=True), delimiter=delimiter, **quoting)))
    width = max(len(row) for _, row in rows)
    known = {name for names in NAMES.values() for name in names}
    if any(cell.strip().lower() in known for cell in rows[0][1]):
        (_, header), *rows = rows
        columns = [cell.strip() or str(index + 1) for index, cell in enumerate(header)]
    else:
        columns = []
    columns += [str(index + 1) for index in range(len(columns), width)]
    return Table(columns=tuple(columns), rows=tuple((line, (*row, *[""] * (width - len(row)))) for line, row in rows))


def numbered(reader: "csv.Reader") -> Iterator[tuple[int, tuple[str, ...]]]:
    """Rows that are not empty, with the line each begins on; Problem where the file cannot be taken apart."""
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield line, tuple(cell.strip() for cell in row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise Problem("bad_csv_line", line=line) from error


def guess_columns(table: Table) -> Columns:
    """By their names, or else: texts are long, labels are few. With many different answers they are texts to be written."""
    cells = {name: [row[index] for _, row in table.rows] for index, name in enumerate(table.columns)}
    named = {part: next((name for name in table.columns if name.lower() in names), "") for part, names in NAMES.items()}
    free = [name for name in table.columns if name not in named.values()]
    if not named["text"]:
        others = [name for name in free if name != named["answer"]] or list(table.columns)
        named["text"] = max(others, key=lambda name: sum(map(len, cells[name])))
    if not named["answer"]:
        others = [name for name in free if name != named["text"]] or [name for name in table.columns if name != named["text"]]
        named["answer"] = min(others, key=lambda name: len(set(cells[name])))
    different = len(set(cells[named["answer"]]))
    kind: Kind = "classify" if different <= MOST_LABELS and (different <= len(table.rows) / 2 or different <= 2) else "rewrite"
    return Columns(kind=kind, **named)


def own_examples(table: Table, columns: Columns, *, name: str = "own", seed: int = 1) -> tuple[Examples, tuple[Issue, ...]]:
    """The examples of a table, split for all methods, and what was found on the way. Problem where nothing can be learnt from them."""
    for column in (columns.text, columns.answer, columns.split):
        if column and column not in table.columns:
            raise Problem("no_such_column", column=column, columns=list(table.columns))
    issues: list[Issue] = []
    found = list(usable(table, columns, issues))
    task = describe([example for example, _ in found], columns, name)
    counted = Counter(example.answer for example, _ in found)
    if len(found) < FEWEST:
        raise Problem("too_few_rows", rows=len(found), fewest=FEWEST)
    if columns.kind == "classify":
        if len(counted) < 2:
            raise Problem("one_label", label=next(iter(counted)))
        if len(counted) > MOST_LABELS:
            raise Problem("too_many_labels", labels=len(counted), most=MOST_LABELS)
        for label, count in sorted(counted.items()):
            if count < FEWEST_OF_LABEL:
                issues.append(Issue(line=0, problem=Problem("rare_label", label=label, rows=count)))
    if not columns.split:
        return split(task, [example for example, _ in found], seed=seed), tuple(issues)
    parts = {part: tuple(example for example, own in found if own == part) for part in SPLITS}
    for part in ("train", "dev"):
        if not parts[part]:
            raise Problem("empty_split", part=part)
    return Examples(task=task, **parts), tuple(issues)


def usable(table: Table, columns: Columns, issues: list[Issue]) -> Iterator[tuple[Example, str]]:
    """The rows that can be used, with their part; each text once, so that no test asks what was learnt."""
    place = {name: index for index, name in enumerate(table.columns)}
    seen: dict[str, tuple[int, str]] = {}
    for line, row in table.rows:
        text, answer = row[place[columns.text]].strip(), row[place[columns.answer]].strip()
        own = row[place[columns.split]].strip().lower() if columns.split else "train"
        problem = None
        if not text:
            problem = Problem("no_text_in_line")
        elif not answer:
            problem = Problem("no_label_in_line")
        elif own not in PARTS:
            problem = Problem("unknown_part", part=own, known=list(SPLITS))
        elif " ".join(text.split()).casefold() in seen:
            before, part = seen[" ".join(text.split()).casefold()]
            crossing = part != PARTS[own]
            problem = Problem("same_text_in_parts" if crossing else "same_text", line=before)
        if problem is not None:
            issues.append(Issue(line=line, problem=problem))
            continue
        seen[" ".join(text.split()).casefold()] = line, PARTS[own]
        if len(text) > LONG:
            issues.append(Issue(line=line, problem=Problem("long_line", characters=len(text), most=LONG)))
        yield Example(text=text[:LONG], answer=answer, line=line), PARTS[own]


def describe(examples: Sequence[Example], columns: Columns, name: str) -> Task:
    """The task of one's own data: the labels stand for themselves until somebody gives them better words."""
    letters = "".join(example.text for example in examples)
    language = "zh" if len(CHINESE.findall(letters)) > 0.3 * len(letters) else "en"
    if columns.kind == "rewrite":
        return Task(name=name, kind="rewrite", language=language, template="{text}")
    labels = {label: Label(word=label.replace("_", " "), en=label, zh=label) for label in sorted({one.answer for one in examples})}
    return Task(name=name, kind="classify", language=language, labels=labels, template=TEMPLATES[language])
