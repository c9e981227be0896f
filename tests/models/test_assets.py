"""What ships in assets/: small enough for a clone, and as good as its card says."""

import json
from pathlib import Path

import pytest

from models.cards import CARDS
from models.loading import load
from models.sources import Assets
from models.training import evaluate
from models.training.card import NEEDED, card
from playground.tasks import attend

ASSETS = Path(__file__).parents[2] / "assets"
SHIPPED = {entry.name for entry in CARDS if isinstance(entry.sources[0], Assets)}
shipped = pytest.mark.parametrize("name", sorted(SHIPPED))


def test_everything_that_ships_fits_into_a_clone() -> None:
    sizes = {path.relative_to(ASSETS).as_posix(): path.stat().st_size for path in ASSETS.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 110_000_000, sizes
    assert not {name: size for name, size in sizes.items() if size >= 50_000_000}


@shipped
def test_a_model_that_ships_says_how_it_was_made_in_both_languages(name: str) -> None:
    facts = json.loads((ASSETS / name / "card.json").read_text(encoding="utf-8"))
    assert facts["name"] == name and set(NEEDED) <= set(facts)
    assert all(set(facts[part]) == {"en", "zh"} for part in ("summary", "data", "method", "limits"))
    metrics = json.loads((ASSETS / name / "metrics.json").read_text(encoding="utf-8"))
    assert (ASSETS / name / "README.md").read_text(encoding="utf-8") == card(facts, metrics), "the card was not written anew"


@shipped
def test_a_model_that_ships_is_what_the_catalogue_says(name: str) -> None:
    model, entry = load(name), next(entry for entry in CARDS if entry.name == name)
    assert (model.n_parameters, model.family, set(model.tasks)) == (entry.parameters, entry.family, set(entry.tasks))


def test_measuring_again_gives_the_numbers_of_the_card() -> None:
    """On the texts that ship; the corpora do not. A word or a pair may fall the other way on another processor."""
    written = json.loads((ASSETS / "mini-bert-en" / "metrics.json").read_text(encoding="utf-8"))
    found = evaluate.main(["--model", "mini-bert-en", "--device", "cpu"])
    [short] = [text for text in written["texts"] if text["name"] == "assets/short_texts_en.txt"]
    [again] = found["texts"]
    assert set(again) == set(short)
    for name, value in short.items():
        if isinstance(value, float):
            assert again[name] == pytest.approx(value, abs=0.01), name
        else:
            assert again[name] == value, name
    assert found["clozes"]["clozes"] == written["clozes"]["clozes"]
    assert [one["text"] for one in found["obvious"]] == [one["text"] for one in written["obvious"]]
    for share in ("cloze_top1", "cloze_top5"):
        assert found["clozes"][share] == pytest.approx(written["clozes"][share], abs=0.021)  # one cloze of fifty


def test_translating_again_gives_the_numbers_of_the_card() -> None:
    """On the fifty pairs that ship. A word may fall the other way on another processor, and a sentence with it."""
    written = json.loads((ASSETS / "mini-mt-en-zh" / "metrics.json").read_text(encoding="utf-8"))
    [again] = evaluate.main(["--model", "mini-mt-en-zh", "--device", "cpu"])["texts"]
    [short] = [text for text in written["texts"] if text["name"] == again["name"]]
    assert set(again) == set(short) and again["sentences"] == short["sentences"] == 50
    assert (again["bleu"], again["chrf"]) == (pytest.approx(short["bleu"], abs=1), pytest.approx(short["chrf"], abs=1))


@pytest.mark.parametrize(
    ("example", "rows"),
    [
        (0, {"it": "animal"}),
        (1, {"it": "bicycle", "she": "sister"}),
        (2, {"are": "books"}),
        (3, {"bank": "river"}),
        (5, {"昨天": "yesterday", "图书馆": "library", "书": "books"}),
    ],
)
def test_the_examples_show_heads_that_do_what_is_said_of_them(example: int, rows: dict[str, str]) -> None:
    content = json.loads((ASSETS / "examples.json").read_text(encoding="utf-8"))["attention"][example]
    [name] = SHIPPED & content["show"].keys()
    second, target = content.get("second", ""), content.get("target", "")
    [found] = attend.run(load(name), [attend.Request(text=content["text"], second=second, target=target)])
    sources = [word.lstrip("▁") for word in found.words["encoder"]]
    words = found.words["decoder"] if target else sources
    weights = found.weights(**content["show"][name])
    for word, looked_at in rows.items():
        row = weights[words.index(word)].copy()
        row[[place for place, special in enumerate(found.special["encoder"]) if special]] = 0  # where a head rests that finds nothing
        assert f"“{word}”" in content["look"]["en"] and sources[row.argmax()] == looked_at
