"""What a larger model thinks of texts: asked, noted, and learnt beside hidden words."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState

from models.loading import load
from models.tokenizers.fast import FastTokenizer
from models.training import bert, opinions
from models.training.journal import read_log
from models.training.opinion_batches import Opinions, even
from models.training.opinion_words import BLAME, ENDINGS, PRAISE, TELLING
from models.training.pair_batches import PairBatch
from models.training.pretraining import TEMPERATURE, Pretraining
from models.training.vocabulary import learn_vocabulary
from tests.models.training.training_helpers import small_network, small_source

WORDS = ("good", "great", "bad", "dull")
TEXTS = ("The soup was cold and the waiter laughed.", "We came back every day of the week.", "Nobody in our row could stop laughing.")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A document that is one short text, and one of two paragraphs with sentences of all lengths."""
    file = tmp_path / "novel.txt"
    file.write_text(
        "= A =\nI love the soup. It was warm and we were hungry.\n\n= B =\nHe came late. The critics praised the film and its young "
        "director.\nShe walked along the river until it was dark.\nNo.\n",
        encoding="utf-8",
    )
    return file


@pytest.fixture
def plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model's tokenizer has few words; any piece will do."""
    monkeypatch.setattr(opinions, "PRAISE", ("the", "a"))
    monkeypatch.setattr(opinions, "BLAME", ("of", "soup that nobody ever ate"))


def asked(model: Path, corpus: Path, out: Path, *flags: str) -> list[dict[str, Any]]:
    opinions.main(["--model", f"tiny={model}", "--texts", f"{corpus}@5+5", "--out", str(out), "--device", "cpu", *flags])
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_short_documents_are_taken_whole_and_longer_ones_by_sentence(corpus: Path) -> None:
    assert list(opinions.sentences(corpus)) == [
        "I love the soup. It was warm and we were hungry.",
        "The critics praised the film and its young director.",
        "She walked along the river until it was dark.",
    ]
    one = list(opinions.draw([(corpus, 1, 1)], seed=1))
    assert [bool(TELLING.search(record["text"])) for record in one].count(True) == 1 and len(one) == 2
    assert {record["number"] for record in one} == {0, 1} and all(record["ending"] < len(ENDINGS) for record in one)
    assert one == list(opinions.draw([(corpus, 1, 1)], seed=1))
    assert len(list(opinions.draw([(corpus, 9, 9)], seed=1))) == 3


def test_how_many_sentences_has_to_be_said() -> None:
    assert opinions.counted("a.txt@b.xz@30+4") == (Path("a.txt@b.xz"), 30, 4)
    with pytest.raises(ValueError, match="how many sentences"):
        opinions.counted("wiki.txt")
    with pytest.raises(SystemExit):
        opinions.options(["--texts", "wiki.txt@3", "--out", "o.jsonl"])


@pytest.mark.usefixtures("plain_words")
def test_the_scores_are_those_of_the_next_word(tiny_models: dict[str, Path], corpus: Path, tmp_path: Path) -> None:
    first, *records = asked(tiny_models["tiny-llama"], corpus, tmp_path / "o.jsonl", "--batch", "2")
    assert len(records) == 3 and first["model"] == "tiny" and first["texts"] == [[f"{corpus.parent.name}/novel.txt", 5, 5]]
    model = load(tiny_models["tiny-llama"])
    words = [word for word in ("the", "a", "of", "soup that nobody ever ate") if len(opinions.pieces(model, word)) == 1]
    assert words == [*first["praise"], *first["blame"]] and "of" not in first["praise"] and len(first["blame"]) <= 1
    for record in records:
        tokens = model.batch([model.tokenizer.encode(f"Review: {record['text']} {ENDINGS[record['ending']]}")])
        with torch.no_grad():
            logits = model.network.logits(model.network.decode(tokens))[0, -1]
        expected = [logits[opinions.pieces(model, word)[0]].item() for word in words]
        assert record["scores"] == pytest.approx(expected, abs=0.006)


@pytest.mark.usefixtures("plain_words")
def test_interrupted_and_continued_is_the_same(tiny_models: dict[str, Path], corpus: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    asked(tiny_models["tiny-llama"], corpus, whole, "--batch", "1")
    assert len(asked(tiny_models["tiny-llama"], corpus, parts, "--minutes", "0")) == 1
    parts.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:2]) + b'{"number": 2, "te')
    asked(tiny_models["tiny-llama"], corpus, parts, "--batch", "1")
    assert parts.read_bytes() == whole.read_bytes()


def noted(folder: Path, *, lean: float = 0.0, **run: Any) -> Path:
    """Opinions as `opinions.py` writes them: the first text is blamed, the second praised, the third neither."""
    first = {"endings": list(ENDINGS), "praise": list(WORDS[:2]), "blame": list(WORDS[2:])} | run
    scores = [[-1.0, -1.0, 1.0, 3.0], [2.0, 3.0, 0.0, -3.0], [0.0, 0.0, 0.0, 0.0]]
    rows = [
        {"number": number, "text": text, "ending": 0, "scores": [row[0] + lean, row[1] + lean, *row[2:]]}
        for number, (text, row) in enumerate(zip(TEXTS, scores))
    ]
    file = folder / "opinions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (first, *rows)), encoding="utf-8")
    return file


def tokenizer() -> FastTokenizer:
    return learn_vocabulary(lambda: [*TEXTS, *ENDINGS, *WORDS] * 9, size=200)


def test_a_batch_asks_at_the_mask_and_knows_the_words(tmp_path: Path) -> None:
    words = tokenizer()
    found = Opinions([noted(tmp_path)], words, tokens=64)
    assert len(found) == 3
    batch = found.draw(np.random.default_rng(1))
    rows = torch.arange(len(batch.scores))
    assert (batch.tokens.ids[rows, batch.places[:, 0]] == words.mask_id).all() and (batch.tokens.ids == words.mask_id).sum() == len(rows)
    assert list(words.words(batch.words.tolist())) == [*WORDS]
    assert batch.tokens.ids.shape[1] % 8 == 0 and batch.tokens.mask.sum(1).tolist() == list(batch.tokens.lengths)
    again = found.draw(np.random.default_rng(1))
    assert torch.equal(batch.tokens.ids, again.tokens.ids) and torch.equal(batch.scores, again.scores)


def test_praise_and_blame_become_even_for_each_ending() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [5.0, 5.0, 1.0], [0.0, 0.0, 7.0]], dtype=np.float32)
    endings = np.array([0, 0, 4])
    found = even(scores, endings, praise=2)
    for ending in (0, 4):
        rows = found[endings == ending]
        assert rows[:, :2].mean() == pytest.approx(rows[:, 2:].mean())
    # within a side and between texts nothing changes
    assert found[0, 0] - found[0, 1] == pytest.approx(1.0) and found[1, 0] - found[0, 0] == pytest.approx(2.0)


def test_a_lean_that_all_texts_share_is_not_learnt(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    plain, leaning = (Opinions([noted(folder, lean=lean)], tokenizer()) for folder, lean in ((tmp_path, 0.0), (tmp_path / "other", 4.0)))
    plain_shares, leaning_shares = (torch.from_numpy(found.scores).softmax(-1) for found in (plain, leaning))
    torch.testing.assert_close(plain_shares, leaning_shares)


def test_files_that_cannot_be_learnt_from_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    files = [noted(tmp_path), noted(tmp_path / "other", endings=["It was"])]
    with pytest.raises(ValueError, match="different words"):
        Opinions(files, tokenizer())
    files[0].write_text(files[0].read_text().splitlines()[0] + "\n")
    with pytest.raises(ValueError, match="holds no opinions"):
        Opinions(files[:1], tokenizer())
    files[1].write_text(noted(tmp_path, praise=["no such word"], blame=["nor this"]).read_text())
    with pytest.raises(ValueError, match="none of"):
        Opinions(files[1:], tokenizer())


def test_nothing_is_to_be_learnt_where_both_models_agree(tmp_path: Path) -> None:
    """The divergence worked out by hand, and 0 for a model's own scores."""
    words = tokenizer()
    found = Opinions([noted(tmp_path)], words)
    network = small_network(words).eval()
    objective, batch = Pretraining(network), found.draw(np.random.default_rng(2))
    with torch.no_grad():
        hidden = network.encode(batch.tokens)[torch.arange(len(batch.scores)), batch.places[:, 0]]
        own = network.heads["mlm"](hidden)[:, batch.words]
        wanted, guessed = ((scores / TEMPERATURE).softmax(-1) for scores in (batch.scores, own))
        expected = (wanted * (wanted / guessed).log()).sum() * TEMPERATURE**2
        torch.testing.assert_close(objective.differences(batch), expected)
        assert objective.differences(replace(batch, scores=own)).item() == pytest.approx(0.0, abs=1e-4)


def test_opinions_are_learnt_beside_hidden_words(tmp_path: Path) -> None:
    words = tokenizer()
    found = Opinions([noted(tmp_path)], words)
    source = replace(small_source(tmp_path), opinions=None)
    pairs = list(source.examples(0, random.Random(1)))
    plain = source.batch(pairs, np.random.default_rng(1))
    both = replace(source, opinions=found).batch(pairs, np.random.default_rng(1))
    assert plain.opinions is None and "opinions" not in plain.counts and both.counts["opinions"] == len(both.opinions.scores)
    assert torch.equal(plain.tokens.ids, both.tokens.ids) and torch.equal(plain.places, both.places)
    network = small_network(words, vocab_size=300)  # room for both vocabularies
    objective = Pretraining(network)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    rng, losses = np.random.default_rng(1), []
    for _ in range(60):
        loss = objective.differences(found.draw(rng))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.3 * np.mean(losses[:10])
    moved = both.to(torch.device("cpu"))
    assert isinstance(moved, PairBatch) and set(objective(moved)) == {"words", "pairs", "opinions"}
    assert set(objective(plain)) == {"words", "pairs"}


def test_the_training_takes_opinions_from_a_file_and_goes_on(tmp_path: Path, tiny_models: dict[str, Path]) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)
    init = load(tiny_models["tiny-bert"]).tokenizer
    known = [word for word in init.words(range(init.vocab_size)) if word.isalpha() and len(init.encode(word, special=False).ids) == 1]
    file = noted(tmp_path, praise=known[:2], blame=known[2:4])
    flags = ["--tiny", "--init", f"tiny={tiny_models['tiny-bert']}", "--opinions", str(file), "--opinion-tokens", "64"]
    flags += ["--out", str(tmp_path / "out"), "--quiet", "--device", "cpu", "--evaluate-pairs", "16", "--log-seconds", "0"]
    threads = torch.get_num_threads()
    try:
        bert.main([*flags, "--steps", "2"])
        assert bert.main([*flags, "--steps", "3"]).steps == 3
        assert all(row["opinions_loss"] > 0 for row in read_log(tmp_path / "out" / "log.jsonl") if "words_loss" in row)
        with pytest.raises(ValueError, match="opinion"):
            bert.main([*flags, "--steps", "4", "--opinion-tokens", "32"])
    finally:
        torch.set_num_threads(threads)
        AcceleratorState._reset_state(reset_partial_state=True)


def test_the_words_are_words_of_one_side() -> None:
    assert not set(PRAISE) & set(BLAME) and len(set(PRAISE)) == len(PRAISE) and len(set(BLAME)) == len(BLAME)
