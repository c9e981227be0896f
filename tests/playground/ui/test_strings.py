"""Every sentence in both languages, every key that the code asks for in the table."""

import ast
import json
import re
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest

from playground.ui.language import FOLDER, LANGUAGES, table, text

ROOT = Path(__file__).parents[3]
FILES = sorted(FOLDER.glob("*.json"))
SOURCES = sorted([*ROOT.glob("models/**/*.py"), *ROOT.glob("playground/**/*.py")])
CHINESE = "\u3400-\u9fff"


def pairs(file: Path) -> list[tuple[str, object]]:
    """Keys and sentences of a file, doubled keys too."""
    return json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=lambda found: found)


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def calls(name: str) -> list[tuple[str, ast.Call, ast.Module]]:
    """Every call of `name` in the two packages: where, the call, and the file it stands in."""
    found = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and node.args:
                found.append((f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node, tree))
    return found


def keys_of(node: ast.expr, tree: ast.Module) -> set[str]:
    """The strings that an expression can be: its constants, or what its file gives to a variable or parameter of that name."""
    if isinstance(node, ast.Name):
        given = [one.value for one in ast.walk(tree) if isinstance(one, ast.keyword) and one.arg == node.id]
        given += [one.value for one in ast.walk(tree) if isinstance(one, ast.Assign) and ast.dump(one.targets[0]) == ast.dump(stored(node))]
        for one in ast.walk(tree):
            if isinstance(one, ast.arguments):
                given += [default for name, default in zip(one.kwonlyargs, one.kw_defaults) if name.arg == node.id and default is not None]
        return {key for value in given for key in keys_of(value, tree)}
    inside = ast.walk(node) if not isinstance(node, ast.IfExp) else [*ast.walk(node.body), *ast.walk(node.orelse)]
    return {one.value for one in inside if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def stored(node: ast.Name) -> ast.Name:
    return ast.Name(id=node.id, ctx=ast.Store())


def given_by(call: ast.Call) -> set[str] | None:
    """The names of the values in a call; None where they cannot be read off it."""
    names = {keyword.arg for keyword in call.keywords}
    return None if None in names else names


def test_no_key_is_in_two_files_or_twice_in_one() -> None:
    counted = Counter(key for file in FILES for key, _ in pairs(file))
    assert FILES and [key for key, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_key_has_a_sentence_in_each_language_with_the_same_placeholders(file: Path) -> None:
    for key, sentences in pairs(file):
        spoken = dict(sentences)
        assert tuple(spoken) == LANGUAGES, key
        assert all(isinstance(sentence, str) and sentence for sentence in spoken.values()), key
        assert placeholders(spoken["en"]) == placeholders(spoken["zh"]), key


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_placeholders_are_plain_names(file: Path) -> None:
    for key, sentences in pairs(file):
        for _, sentence in sentences:
            for _, name, form, conversion in Formatter().parse(sentence):
                assert name is None or (name.isidentifier() and not form and not conversion), f"{key}: {sentence}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_chinese_sentences_have_chinese_punctuation_and_english_ones_no_chinese(file: Path) -> None:
    for key, sentences in pairs(file):
        spoken = dict(sentences)
        assert not re.search(f"[{CHINESE}][,;:?!]|[,;:?!][{CHINESE}]", spoken["zh"]), f"{key}: {spoken['zh']}"
        assert not re.search(f"[{CHINESE}]", spoken["en"]), f"{key}: {spoken['en']}"


def test_every_problem_has_a_sentence_and_brings_the_values_that_it_needs() -> None:
    wrong = []
    for where, call, tree in calls("Problem"):
        first = call.args[0]
        if isinstance(first, ast.Attribute) and first.attr == "key":  # a copy of another Problem
            continue
        keys = keys_of(first, tree)
        if not keys:
            wrong.append(f"{where}: its key cannot be told from the file")
        for key in sorted(keys):
            sentence = table().get(f"problem.{key}")
            given = given_by(call)
            if sentence is None:
                wrong.append(f"{where}: no sentence for problem.{key}")
            elif given is not None and (missing := placeholders(sentence["en"]) - given):
                wrong.append(f"{where}: problem.{key} needs {sorted(missing)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["text", "phrase"])
def test_every_text_that_is_asked_for_by_name_is_in_the_table(name: str) -> None:
    wrong = []
    for where, call, _ in calls(name):
        if not (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)):
            continue
        sentence, given = table().get(call.args[0].value), given_by(call)
        if sentence is None:
            wrong.append(f"{where}: {call.args[0].value} is not in the table")
        elif name == "text" and given is not None and placeholders(sentence["en"]) - given:
            wrong.append(f"{where}: {call.args[0].value} needs {sorted(placeholders(sentence['en']))}")
    assert not wrong, "\n".join(wrong)


def test_a_text_is_filled_in_and_an_unknown_key_or_language_is_our_own_mistake() -> None:
    assert text("head.one", "en", head=3) == "Head 3"
    assert text("head.one", "zh", head=3) == "第 3 个头"
    with pytest.raises(KeyError):
        text("no.such.key", "en")
    with pytest.raises(KeyError):
        text("head.mean", "tlh")
    with pytest.raises(KeyError):
        text("head.one", "en")


def test_two_files_with_one_key_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text('{"same": {"en": "x", "zh": "y"}}')
    monkeypatch.setattr("playground.ui.language.FOLDER", tmp_path)
    with pytest.raises(ValueError, match="b.json.*same"):
        table.__wrapped__()
