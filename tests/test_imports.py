"""The architecture is a test: who may import whom, and how long a file may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([*ROOT.glob("models/**/*.py"), *ROOT.glob("playground/**/*.py"), ROOT / "app.py"])
WEB = {"gradio", "plotly", "playground"}


def imports(path: Path) -> set[str]:
    """Top-level names of every module that a file imports, wherever the import stands, and "models.x" in full for our own."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by full name, not relative"
            found.add(node.module)
    return found | {name.split(".")[0] for name in found}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_keeps_to_its_room(path: Path) -> None:
    name, found = relative(path), imports(path)
    forbidden = {
        "models/": WEB,
        "playground/figures/": {"torch", "gradio", "transformers", "models"},
        "playground/tasks/": {"gradio", "plotly"},
        "playground/service/": {"gradio", "plotly"},
    }
    for folder, names in forbidden.items():
        if name.startswith(folder):
            assert not found & names, f"{name} imports {sorted(found & names)}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_the_model_classes_of_transformers_are_used_in_tests_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("transformers"):
            names = {alias.name for alias in node.names}
            assert names <= {"AutoTokenizer", "AutoConfig", "PreTrainedTokenizerFast"}, (
                f"{relative(path)} takes {sorted(names)} from transformers"
            )


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_has_at_most_300_lines_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{relative(path)} has no docstring"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_nothing_prints_and_nothing_is_mutable_at_import(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert "print" not in calls
    assert not any(isinstance(node, ast.Global) for node in ast.walk(tree)), f"{relative(path)} changes a global"


def test_every_file_in_tabs_defines_a_tab() -> None:
    files = [path for path in ROOT.glob("playground/tabs/*.py") if path.name != "__init__.py"]
    assert files
    for path in files:
        names = {target.id for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign) for target in node.targets}
        assert "TAB" in names, f"{relative(path)} defines no TAB"


def test_every_pinned_requirement_says_why() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert "==" in line and "# " in line, line
