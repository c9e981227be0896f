"""Every word on the page comes from the table of strings, in English and in Chinese, and changes while the page is open."""

import ast
import json
import re
from pathlib import Path

import gradio as gr
import pytest

from playground.tabs import discover
from playground.ui.examples import examples, titles
from playground.ui.language import LANGUAGES, table, text
from playground.ui.phrases import labelled

ROOT = Path(__file__).parents[2]
FILES = sorted(ROOT.glob("playground/**/*.py"))
SHOWN = ("label", "info", "placeholder", "value", "choices")
NOT_WORDS = re.compile(r"English|中文|Language · 语言|[\W\d]*")


def strings_of(block: gr.blocks.Block) -> list[tuple[str, str]]:
    """What a component was built with that a visitor may read: (option, text)."""
    found = []
    for option in SHOWN:
        value = block.constructor_args.get(option)
        for item in value if isinstance(value, list) else [value]:
            item = item[0] if isinstance(item, tuple) and item else item
            if isinstance(item, str):
                found.append((option, item))
    return found


def test_every_label_changes_with_the_language(tiny_page: gr.Blocks) -> None:
    changing = {(item.block._id, option) for item in labelled(tiny_page) for option in item.options}
    for block in tiny_page.blocks.values():
        for option, said in [] if isinstance(block, gr.components.api_component.Api) else strings_of(block):
            if option in ("label", "info", "placeholder") and not NOT_WORDS.fullmatch(said):
                assert (block._id, option) in changing, f"{type(block).__name__} shows {said!r} in one language only"


def test_a_change_of_language_says_everything_in_that_language(tiny_page: gr.Blocks) -> None:
    items = labelled(tiny_page)
    assert len(items) > 50
    for item in items:
        english, chinese = item.update("en"), item.update("zh")
        for option, value in item.options.items():
            assert english[option] != chinese[option] or value in ("Top k", "Top p"), (option, value)
            assert type(chinese[option]) is type(english[option])
    choices = [item.update("zh")["choices"] for item in items if "choices" in item.options]
    assert choices and all(isinstance(value, str) for options in choices for _, value in options)


def test_every_key_that_the_page_names_is_in_the_table() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="text" | "phrase"), args=[ast.Constant(value=key), *_]):
                    assert key in table(), f"{path.name} names {key}"
                case ast.Call(func=ast.Name(id="Problem"), args=[ast.Constant(value=key), *_]):
                    assert f"problem.{key}" in table(), f"{path.name} names {key}"


def test_every_page_string_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in FILES).replace("'", '"')
    families = ("tab.", "language.", "progress.", "attention.view_", "problem.field_")  # put together from parts
    for key in json.loads((ROOT / "assets" / "strings" / "page.json").read_text(encoding="utf-8")):
        assert key.startswith(families) or f'"{key.removeprefix("problem.")}"' in code, f"{key} is not used"


def test_no_tab_says_anything_of_its_own() -> None:
    for path in ROOT.glob("playground/tabs/[!_]*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        documents = {
            ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        }
        assert not [one for one in said - documents if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", one) and not one.startswith("<")], path.name


@pytest.mark.parametrize("tab", [tab.key for tab in discover() if tab.key != "lessons"])  # a lesson brings its own texts
def test_each_tab_has_examples_in_both_languages(tab: str) -> None:
    shown = examples(tab)
    assert {language for example in shown for language in example["languages"]} >= {"en", "zh"}
    assert all(set(example["title"]) == set(LANGUAGES) for example in shown)
    for language in LANGUAGES:
        assert len({title for (title,) in titles(tab, language)}) == len(shown)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in example["title"]["zh"]) for example in shown)


def test_tabs_stand_in_their_order_and_have_names() -> None:
    tabs = discover()
    assert [tab.key for tab in tabs] == ["attention", "masked_word", "next_sentence", "translation", "generation", "tuning", "lessons"]
    assert len({text(f"tab.{tab.key}", language) for tab in tabs for language in LANGUAGES}) == 2 * len(tabs)
