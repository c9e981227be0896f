"""Tasks are found by looking, and their sentences exist in both languages."""

import ast
import dataclasses
import json
from pathlib import Path

import pytest

from playground import tasks

ROOT = Path(__file__).parents[3]


def test_every_task_is_found_by_its_name() -> None:
    assert set(tasks.names()) >= {"attend", "fill_mask", "next_sentence"}
    for name in tasks.names():
        module = tasks.find(name)
        assert name == module.NAME and module.__name__ == f"playground.tasks.{name}"


def test_an_unknown_task_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'dance'.*attend.*next_sentence"):
        tasks.find("dance")


@pytest.mark.parametrize("name", ["attend", "fill_mask", "fill_mask_decoder", "next_sentence"])
def test_a_task_has_what_the_service_calls(name: str) -> None:
    module = tasks.find(name)
    assert callable(module.run) and callable(module.size)
    for kind in (module.Request, module.Result):
        assert dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen
    assert module.Request.__hash__ is not None


def test_every_problem_of_these_tasks_has_a_sentence_with_its_values() -> None:
    sentences = json.loads((ROOT / "assets/strings/tasks.json").read_text(encoding="utf-8"))
    raised: dict[str, set[str]] = {}
    for file in ("attend", "fill_mask", "next_sentence", "refusals"):
        for node in ast.walk(ast.parse((ROOT / f"playground/tasks/{file}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                raised[f"problem.{node.args[0].value}"] = {keyword.arg for keyword in node.keywords}
    assert len(raised) >= 10
    for key, values in raised.items():
        for language in ("en", "zh"):
            sentences[key][language].format(**dict.fromkeys(values, "x"))
