"""What the catalogue offers, what an operator may add, and what a visitor may not ask for."""

import json
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertForMaskedLM

from models.card import Card
from models.cards import CARDS
from models.catalogue import VISITOR_LIMIT_MB, Catalogue
from models.errors import Problem
from models.loading import load_card
from models.sources import Folder, Hub, PackageIndex, fetch, is_local

STRINGS = Path(__file__).parents[2] / "assets" / "strings" / "sources.json"
ROOT = Path(__file__).parents[2] / "models"
TASKS = {"attend", "fill_mask", "fill_mask_decoder", "next_sentence", "translate", "generate"}


def card(name: str, **more: object) -> Card:
    values = {"sources": (Hub(repo="someone/something"),), "note": {"en": "-", "zh": "-"}}
    return Card(name=name, **(values | more))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small BERT that knows hidden words, but no tokenizer."""
    path = tmp_path / "my-model"
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertForMaskedLM(BertConfig(vocab_size=50_000, **sizes)).save_pretrained(path)
    return path


def test_the_catalogue_has_the_models_that_were_promised() -> None:
    names = [card.name for card in Catalogue().entries()]
    promised = "mini-bert-en all-MiniLM-L6-v2 SmolLM2-135M-Instruct opus-mt-zh-en mini-mt-en-zh firefox-en-pt firefox-pt-en"
    promised += " bert-base-uncased bert-base-chinese bert-base-multilingual-cased gpt2 Qwen2.5-0.5B-Instruct"
    promised += " opus-mt-en-zh opus-mt-en-de opus-mt-en-fr"
    assert set(promised.split()) <= set(names) and len(set(map(str.casefold, names))) == len(names)


@pytest.mark.parametrize("entry", CARDS, ids=lambda entry: entry.name)
def test_every_entry_says_all_there_is_to_say(entry: Card) -> None:
    assert entry.family and entry.tasks and set(entry.tasks) <= TASKS and entry.parameters > 1_000_000 and entry.size_mb > 1
    assert entry.licence in {"Apache-2.0", "MIT", "MPL-2.0", "CC-BY-4.0"} and len(entry.attribution) > 10
    assert all(re.fullmatch("[a-z]{2}|mul", language) for language in entry.languages) and entry.languages
    assert entry.note["en"].endswith(".") and entry.note["zh"].endswith("。") and hash(entry) == hash(entry)
    for source in entry.sources:
        if isinstance(source, PackageIndex):
            assert re.fullmatch("[0-9a-f]{64}", source.sha256)
            assert source.part == "" or any(name.startswith(source.part + "/") for name in source.members)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_task_starts_with_one_model(task: str) -> None:
    assert len([entry for entry in CARDS if task in entry.default_for]) == 1
    assert task in Catalogue().default(task).tasks


def test_a_task_that_nobody_does_has_no_default() -> None:
    assert Catalogue().default("whistle") is None


def test_no_host_is_named_where_models_are_found() -> None:
    for path in [*ROOT.glob("sources/*.py"), *ROOT.glob("ca*.py")]:
        assert not re.search(r"https?://|\w\.(org|com|co|io)\b", path.read_text(encoding="utf-8")), path


def test_names_and_hub_ids_are_found_in_any_case() -> None:
    catalogue = Catalogue()
    assert catalogue.find("ALL-minilm-l6-V2").name == "all-MiniLM-L6-v2"
    assert catalogue.find(" google-bert/BERT-base-uncased ").name == "bert-base-uncased"


UNKNOWN = [
    "",
    " ",
    "gpt9",
    "../gpt2",
    "/etc/passwd",
    "./gpt2",
    "C:\\gpt2",
    "a/b/c",
    "x" * 100_000,
    "<b>gpt2</b>",
    "gpt2\0",
    "😀",
]


@pytest.mark.parametrize(
    "name", [*UNKNOWN, "\ud800", "gpt2=/tmp", "~/gpt2", "a/", "/b", None, 7, ["gpt2"]], ids=lambda name: repr(name)[:20]
)
@pytest.mark.parametrize("allow_hub", [False, True])
def test_whatever_a_visitor_sends_is_a_name_or_a_refusal(name: object, allow_hub: bool) -> None:
    with pytest.raises(Problem) as caught:
        Catalogue(allow_hub=allow_hub).find(name)
    assert caught.value.key in {"unknown_model", "hub_not_allowed"}
    shown = caught.value.values["model"]
    assert len(shown) <= 80 and shown.isprintable() and "gpt2" in caught.value.values["known"]


@pytest.mark.fuzz
@given(st.text(max_size=120) | st.text(alphabet="ab./\\-_=~:", max_size=12))
def test_no_text_of_a_visitor_becomes_a_path(text: str) -> None:
    try:
        found = Catalogue(allow_hub=True).find(text)
    except Problem:
        return
    assert not any(isinstance(source, Folder) for source in found.sources)
    assert found in CARDS or re.fullmatch(r"[\w.-]+/[\w.-]+", found.name, re.ASCII)


def test_a_hub_id_is_for_visitors_only_where_the_operator_allows_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem, match="hub_not_allowed"):
        Catalogue().find("someone/something")
    found = Catalogue(allow_hub=True).find("someone/something")
    assert (found.name, found.tasks, found.family) == ("someone/something", (), "")
    assert found.sources == (Hub(repo="someone/something", anonymous=True, limit_mb=VISITOR_LIMIT_MB),)
    monkeypatch.chdir(folder.parent.parent)
    found = Catalogue(allow_hub=True).find(f"{folder.parent.name}/{folder.name}")
    assert not isinstance(found.sources[0], Folder)


@pytest.mark.parametrize("name", ["a--b/c", "a/b..c", "-a/b", "a/-b", "a/b.git", "a/b-", f"a/{'b' * 99}", "a b/c", "é/b", "a/b\nc"])
def test_what_the_hub_would_not_accept_as_an_id_is_not_asked_for(name: str) -> None:
    with pytest.raises(Problem, match="unknown_model"):
        Catalogue(allow_hub=True).find(name)


def test_the_operator_adds_folders_and_hub_ids_in_front(folder: Path) -> None:
    catalogue = Catalogue(allow_hub=True, offline=True).with_operator([f"Mine = {folder}", "someone/something", "gpt2", str(folder)])
    names = [card.name for card in catalogue.entries()]
    assert names[:4] == ["Mine", "someone/something", "gpt2", "my-model"] and len(names) == len(CARDS) + 3 and names.count("gpt2") == 1
    assert catalogue.allow_hub and catalogue.offline
    mine = catalogue.find("mine")
    assert (mine.family, mine.tasks, mine.size_mb) == ("bert", ("attend", "fill_mask"), 3)
    assert is_local(mine) and fetch(mine, offline=True) == folder.resolve()
    assert catalogue.find("someone/something").sources == (Hub(repo="someone/something"),)


def test_a_folder_that_looks_like_a_hub_id_is_a_folder_for_the_operator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent.parent)
    first = Catalogue().with_operator([f"{folder.parent.name}/{folder.name}"]).entries()[0]
    assert first.name == "my-model" and first.sources == (Folder(path=folder.resolve()),)


@pytest.mark.parametrize(
    "change, key",
    [
        ({"model_type": "resnet"}, "unknown_family"),
        ({"model_type": None}, "unknown_family"),
        ({"num_attention_heads": 3}, "broken_config"),
        ({"hidden_size": "wide"}, "broken_config"),
    ],
)
def test_a_folder_with_another_kind_of_config_is_refused_at_once(folder: Path, change: dict[str, object], key: str) -> None:
    config = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(Problem) as caught:
        Catalogue().with_operator([str(folder)])
    assert caught.value.key == key


def test_reading_the_catalogue_does_not_load_torch() -> None:
    code = "import sys, models.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, timeout=120).returncode == 0


def test_a_folder_that_went_away_is_said_when_it_is_loaded(folder: Path) -> None:
    mine = Catalogue().with_operator([str(folder)]).find("my-model")
    folder.rename(folder.with_name("gone"))
    assert not is_local(mine)
    with pytest.raises(Problem, match="folder_missing"):
        fetch(mine)


@pytest.mark.parametrize(
    "specs, key",
    [
        (["nothing"], "bad_model_spec"),
        ([""], "bad_model_spec"),
        (["=x"], "bad_model_spec"),
        (["x="], "bad_model_spec"),
        (["a/b=FOLDER"], "bad_model_spec"),
        (["../x=FOLDER"], "bad_model_spec"),
        (["x=./no such folder"], "folder_missing"),
        (["./no such folder"], "folder_missing"),
        (["x=EMPTY"], "no_weights"),
        (["gpt2=FOLDER"], "duplicate_model"),
        (["GPT2=FOLDER"], "duplicate_model"),
        (["x=FOLDER", "X=FOLDER"], "duplicate_model"),
        (["a/b", "a/b"], "duplicate_model"),
        (["gpt2", "gpt2"], "duplicate_model"),
    ],
)
def test_what_an_operator_mistypes_is_said(folder: Path, tmp_path: Path, specs: list[str], key: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Problem) as caught:
        Catalogue().with_operator([spec.replace("FOLDER", str(folder)).replace("EMPTY", str(tmp_path / "empty")) for spec in specs])
    assert caught.value.key == key


@pytest.mark.weights
@pytest.mark.parametrize("name", [entry.name for entry in CARDS if isinstance(entry.sources[0], PackageIndex)])
def test_what_an_entry_says_is_true_of_the_model_it_delivers(name: str) -> None:
    entry = Catalogue().find(name)
    model = load_card(entry)
    assert (model.family, model.tasks) == (entry.family, frozenset(entry.tasks))
    assert model.n_parameters == pytest.approx(entry.parameters, rel=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../x"},
        {"name": ""},
        {"name": "a/b/c"},
        {"name": "x", "sources": ()},
        {"name": "x", "note": {"en": "-"}},
        {"name": "x", "tasks": ("attend",), "default_for": ("generate",)},
    ],
)
def test_a_card_refuses_what_cannot_be_shown(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="x|name"):
        card(**wrong)


def test_every_problem_of_the_sources_has_its_sentence_in_both_languages() -> None:
    sentences = json.loads(STRINGS.read_text(encoding="utf-8"))
    raised: dict[str, set[str]] = {}
    for path in [*ROOT.glob("sources/*.py"), ROOT / "catalogue.py"]:
        for key, values in re.findall(
            r'Problem\(\s*"(\w+)"((?:,\s*\w+=(?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)*\))*)?)\)', path.read_text("utf-8")
        ):
            raised.setdefault(key, set()).update(re.findall(r"(\w+)=", values))
    assert len(raised) > 15 and {f"problem.{key}" for key in raised | {"connection_cut": set(), "no_network": set()}} == set(sentences)
    for key, languages in sentences.items():
        assert set(languages) == {"en", "zh"}
        for text in languages.values():
            used = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert used <= raised[key.removeprefix("problem.")], (key, used)
        assert re.search("[一-鿿].*。$", languages["zh"]) and languages["en"].endswith(".")
