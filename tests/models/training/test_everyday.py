"""A corpus of everyday language: written side by side, sieved, and put down as text to train on."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from models.decode.sample import Sampling, sample
from models.decode.steps import Written, collect
from models.loading import load
from models.tokens import Row
from models.training import everyday
from models.training.common_words import FUNCTION_WORDS, count, make_words, most_common, read_words
from models.training.corpus import read_documents
from models.training.everyday_kinds import KINDS
from models.training.everyday_prompts import Page, item, page
from models.training.everyday_words import REVIEWED
from models.training.measure import Cloze, read_clozes
from models.training.review_kinds import REVIEWS
from models.training.sieve import Sieve, loops, secrets, tidy, words_of

WORDS = ("bread", "quick", "walk")
GOOD = "My aunt has a small shop near the station. She sells bread, milk and newspapers. In the evening she counts the money."


def run(folder: Path, model: Path, *flags: str) -> dict:
    (folder / "words.txt").write_text("# three\n" + "\n".join(WORDS) + "\n")
    flags = ("--model", f"tiny={model}", "--words", str(folder / "words.txt"), "--device", "cpu", *flags)
    return everyday.main(["--out", str(folder / "all.txt.xz"), "--batch", "3", *flags])


class Everything(Sieve):
    """Keeps what a network with random weights babbles."""

    def fault(self, text: str, words: list[str]) -> str | None:
        return None if words else "empty"


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sieve, few words a text, and endings that random weights can write."""
    monkeypatch.setattr(everyday, "Sieve", Everything)
    monkeypatch.setattr("models.training.sieve.ENDED", re.compile("$"))
    make = everyday.page

    def shorter(*given: object, **named: object) -> Page:
        return replace(make(*given, **named), room=4)

    monkeypatch.setattr(everyday, "page", shorter)


@pytest.mark.usefixtures("lenient")
def test_interrupted_and_continued_is_the_same_as_in_one_go(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    found = run(whole, tiny_models["tiny-llama"], "--tokens", "150")
    assert found["tokens"] >= 150 and found["texts"] > 3

    run(parts, tiny_models["tiny-llama"], "--tokens", "1")
    notes = parts / "all.jsonl"
    with notes.open("ab") as file:
        file.write(notes.read_bytes().splitlines()[-1][:40])  # the machine stopped in the middle of a line
    found_again = run(parts, tiny_models["tiny-llama"], "--tokens", "150")
    assert notes.read_bytes() == (whole / "all.jsonl").read_bytes()
    assert (parts / "all.txt.xz").read_bytes() == (whole / "all.txt.xz").read_bytes()
    assert {**found, "tokens_written_per_second": 0} == {**found_again, "tokens_written_per_second": 0}


@pytest.mark.usefixtures("lenient")
def test_a_batch_that_was_noted_in_part_is_completed(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    found = run(tmp_path, tiny_models["tiny-llama"], "--tokens", "1")
    notes = tmp_path / "all.jsonl"
    whole = notes.read_bytes()
    notes.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    run(tmp_path, tiny_models["tiny-llama"], "--tokens", "1000000", "--minutes", "0")
    assert notes.read_bytes() == b"".join(whole.splitlines(keepends=True)[:-1])
    run(tmp_path, tiny_models["tiny-llama"], "--tokens", str(found["tokens"]))
    assert notes.read_bytes() == whole


@pytest.mark.usefixtures("lenient")
def test_another_seed_is_refused_beside_the_notes_of_the_first(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    run(tmp_path, tiny_models["tiny-llama"], "--tokens", "1")
    with pytest.raises(ValueError, match="all.jsonl was begun with"):
        run(tmp_path, tiny_models["tiny-llama"], "--tokens", "1", "--seed", "2")


@pytest.mark.usefixtures("lenient")
def test_notes_say_how_each_text_came_about_and_the_corpus_can_be_read_back(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    found = run(tmp_path, tiny_models["tiny-llama"], "--tokens", "60")
    first, *records = map(json.loads, (tmp_path / "all.jsonl").read_text().splitlines())
    assert first["model"] == "tiny" and first["seed"] == 1 and first["draw"] == everyday.DRAW
    one = records[0]
    assert {"number", "kind", "word", "prompt", "opening", "seed", "text"} <= set(one)
    assert one["text"].startswith(one["opening"]) and one["prompt"].startswith(tuple(kind.head for kind in KINDS))
    documents = list(read_documents(tmp_path / "all.txt.xz"))
    assert len(documents) == found["texts"] and all(len(paragraphs) == 1 for paragraphs in documents)


def test_a_row_also_ends_at_the_ids_it_was_told_to_stop_at(tiny_models: dict[str, Path]) -> None:
    model = load(tiny_models["tiny-llama"])
    tokens = model.batch([model.tokenizer.encode("She drank")])
    settings = [Sampling(temperature=0)]

    def written(**more: object) -> tuple[int, ...]:
        steps = sample(model.network, tokens, settings, max_new_tokens=8, **more)
        return collect(steps, rows=1, end_ids=[*model.config.end_ids, *more.get("stop_ids", ())])[0].ids

    free = written()
    stop = free[3]
    assert written(stop_ids=[stop]) == free[: free.index(stop)]


def test_a_page_is_read_once_and_stands_before_every_row(tiny_models: dict[str, Path]) -> None:
    model = load(tiny_models["tiny-llama"])
    head = model.tokenizer.encode("The streets were wet.")
    rows = [model.tokenizer.encode(text, special=False) for text in ("She drank", "Nobody knows, or so the little girl said")]
    whole = [
        Row(**{name: getattr(head, name) + getattr(row, name) for name in ("ids", "words", "segments", "special", "spans")}) for row in rows
    ]
    settings = [Sampling(seed=3, top_k=40), Sampling(seed=4, top_k=40)]

    def written(some: list[Row], **more: object) -> list[Written]:
        steps = sample(model.network, model.batch(some, side="left"), settings, max_new_tokens=12, **more)
        return collect(steps, rows=2, end_ids=model.config.end_ids)

    assert written(rows, page=model.batch([head])) == written(whole)


def test_an_item_depends_on_seed_and_number_alone() -> None:
    kind = KINDS[0]
    one = item(kind, 7, seed=1, words=WORDS)
    assert one == item(kind, 7, seed=1, words=WORDS) != item(kind, 7, seed=2, words=WORDS)
    pages = [page(number, 5, seed=1, words=WORDS) for number in range(60)]
    assert [found.number for sheet in pages for found in sheet.items] == list(range(300))
    assert {found.kind for sheet in pages for found in sheet.items} == {kind.name for kind in KINDS}


@pytest.mark.usefixtures("lenient")
def test_some_kinds_alone_can_be_asked_for(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    run(tmp_path, tiny_models["tiny-llama"], "--tokens", "250", "--kinds", "praise", "complaint", "--temperature", "0.8")
    first, *records = map(json.loads, (tmp_path / "all.jsonl").read_text().splitlines())
    assert {record["kind"] for record in records} == {"praise", "complaint"} and first["draw"] == everyday.DRAW | {"temperature": 0.8}
    assert all(record["word"] in REVIEWED for record in records)


def test_praise_and_complaint_begin_alike() -> None:
    praise, complaint = REVIEWS
    assert praise.openings == complaint.openings and praise.about == complaint.about
    assert [about for about, _ in praise.examples] == [about for about, _ in complaint.examples]


def test_no_slot_is_left_open_and_no_page_holds_a_measured_sentence() -> None:
    sieve = Sieve(read_clozes())
    for kind in KINDS:
        for _, text in kind.examples:
            assert sieve.take(text) == text, (sieve.dropped, text)
    for number in range(60):
        sheet = page(number, 9, seed=3, words=WORDS)
        assert sheet.head.endswith("\n\n") and "{" not in sheet.head
        for one in sheet.items:
            assert not set("{}") & set(one.prompt + one.opening) and one.prompt.endswith(":")


def test_tidy_cuts_the_unfinished_end_and_makes_marks_plain() -> None:
    assert tidy("He said “yes” — and went.  Then\u00a0she\nand then") == 'He said "yes" - and went.'
    assert tidy("No end at all") == "" and tidy('"It is late!" she') == ""
    assert tidy("One.\n\n Two. \n") == "One.\nTwo."


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("too short", "My aunt has a shop."),
        ("foreign characters", GOOD + " 她卖面包。Yes."),
        ("chatter", "Sure! " + GOOD),
        ("chatter", GOOD + " As an AI, I cannot say more."),
        ("chatter", "Here is a short story about a shop. " + GOOD),
        ("marks", "**Shop** " + GOOD),
        ("marks", "1. " + GOOD),
        ("open quotation", '"' + GOOD),
        ("repetition", "The man and the dog went home. " * 5),
        ("repetition", GOOD + ' "The money is not here," she says. "The money is not here."'),
        ("too long", " ".join(f"Number {a} is not {b}." for a in range(10) for b in range(10))),
        ("leak", GOOD + " A robin is a kind of bird."),
        ("leak", GOOD + " Grass is green!"),
        ("copy", GOOD),
        ("copy", GOOD.replace("In the evening", "At night")),
        ("copy", "Every day is the same. " + GOOD.split(". ", 1)[0].replace("My", "His") + ". She sells bread, milk and newspapers."),
    ],
)  # fmt: skip
def test_what_is_dropped_and_why(reason: str, text: str) -> None:
    clozes = [
        Cloze(text="A robin is a kind of [MASK].", answers=("animal", "bird"), kind="x"),
        Cloze(text="Grass is [MASK].", answers=("green",), kind="x"),
    ]
    sieve = Sieve(clozes)
    if reason == "copy":
        assert sieve.take(GOOD) == GOOD
    assert sieve.take(text) is None and sieve.dropped == {reason: 1}


def test_what_the_writer_was_shown_is_a_copy() -> None:
    assert Sieve(shown=[GOOD]).take(GOOD) is None


def test_secrets_are_the_five_words_around_an_answer() -> None:
    cloze = Cloze(text="In the park she fed the [MASK] with old bread.", answers=("ducks",), kind="x")
    found = secrets([cloze])
    assert len(found) == 4 and all("ducks" in secret and len(secret) == 5 for secret in found)
    assert ("she", "fed", "the", "ducks", "with") in found and ("the", "ducks", "with", "old", "bread") in found
    assert Sieve([cloze]).take(GOOD + " The boy fed the ducks with old bread.") is None
    assert Sieve([cloze]).take(GOOD + " The boy fed the ducks.") is not None


def test_every_measured_sentence_with_its_answer_is_held_back() -> None:
    clozes = read_clozes()
    for cloze in clozes:
        for answer in cloze.answers:
            sieve = Sieve(clozes)
            assert sieve.take(f"{GOOD} {cloze.text.replace('[MASK]', answer)}") is None and sieve.dropped["leak"] == 1


def test_plain_sentences_are_no_loop() -> None:
    assert not loops(words_of(GOOD)) and loops(words_of("so very very late " * 4))


def test_common_words_are_counted_in_both_texts(tmp_path: Path) -> None:
    novels, articles = tmp_path / "novels.txt", tmp_path / "articles.txt"
    novels.write_text("= Spoons Spoons Spoons =\nThe spoon fell, and Maria took the spoon. The maria laughed with Maria. A kettle sang.\n")
    articles.write_text("= Kettle =\nA spoon of the town and a kettle. Maria is a name; maria is not. The spoon won.\n")
    make_words([novels], [articles], out=tmp_path / "words.txt", most=2)
    assert read_words(tmp_path / "words.txt") == ["spoon", "kettle"]
    assert (tmp_path / "words.txt").read_text().startswith("# The 2 most common words")
    both = most_common(count(novels.open()), count(articles.open()), most=9)
    assert "maria" not in both and not set(both) & set(FUNCTION_WORDS.split())


def test_the_shipped_list_is_clean() -> None:
    words = read_words()
    assert len(words) == len(set(words)) == 3000 and all(word.isalpha() and word.islower() for word in words)
    assert {"bread", "house", "walk"} <= set(words) and not set(words) & set(FUNCTION_WORDS.split())
    with pytest.raises(SystemExit):
        everyday.options(["--make-words"])
