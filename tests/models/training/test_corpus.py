"""Text to ids on disk: nothing lost, nothing read twice, little held in memory."""

import lzma
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.training import corpus
from models.training.corpus import Corpus, prepare, read_documents

TEXT = """= One =
The first sentence of one. The second sentence of one.
Another paragraph of document one.

= Two =
All that stands in document two. Mr. Smith stands in it too.


Untitled but still a document here. It has two sentences in it.
"""
WORDS: dict[str, int] = {}


def encode(sentences: list[str]) -> list[list[int]]:
    return [[WORDS.setdefault(word, len(WORDS)) for word in sentence.split()] for sentence in sentences]


def written(folder: Path, text: str = TEXT, name: str = "text.txt") -> Path:
    path = folder / name
    with lzma.open(path, "wt", encoding="utf-8") if name.endswith(".xz") else path.open("w", encoding="utf-8") as stream:
        stream.write(text)
    return path


def said(store: corpus.Store, document: int) -> list[str]:
    words = {index: word for word, index in WORDS.items()}
    found = store.document(document)
    return [" ".join(words[int(i)] for i in found.stretch(s, s + 1)) for s in range(len(found))]


@pytest.mark.parametrize("name", ["text.txt", "text.txt.xz"])
def test_documents_are_separated_by_blank_lines_and_lose_their_titles(tmp_path: Path, name: str) -> None:
    documents = list(read_documents(written(tmp_path, name=name)))
    assert [len(paragraphs) for paragraphs in documents] == [2, 1, 1]
    assert not any("=" in paragraph for paragraphs in documents for paragraph in paragraphs)


def test_sentences_come_back_as_they_were_written(tmp_path: Path) -> None:
    store = prepare(written(tmp_path), encode, vocab_size=100, folder=tmp_path / "cache")
    assert len(store) == 3
    assert said(store, 0) == ["The first sentence of one.", "The second sentence of one.", "Another paragraph of document one."]
    assert said(store, 1) == ["All that stands in document two.", "Mr. Smith stands in it too."]
    assert said(store, 2) == ["Untitled but still a document here.", "It has two sentences in it."]
    assert store.ids.dtype == np.uint16
    assert prepare(written(tmp_path), encode, vocab_size=100_000, folder=tmp_path / "cache").ids.dtype == np.int32


def test_a_stretch_reaches_as_far_as_was_asked(tmp_path: Path) -> None:
    document = prepare(written(tmp_path), encode, vocab_size=100, folder=tmp_path / "cache").document(0)  # 5, 5 and 5 tokens
    assert [document.reach(0, tokens) for tokens in (1, 5, 6, 15, 99)] == [1, 1, 2, 3, 3]
    assert document.reach(1, 1, at_least=2) == 3 and document.reach(2, 1, at_least=2) == 3


def test_what_was_prepared_is_not_prepared_again(tmp_path: Path) -> None:
    path, calls = written(tmp_path), []

    def counting(sentences: list[str]) -> list[list[int]]:
        calls.append(len(sentences))
        return encode(sentences)

    for _ in range(2):
        prepare(path, counting, vocab_size=100, folder=tmp_path / "cache", identity="a")
    assert calls == [7]
    prepare(path, counting, vocab_size=100, folder=tmp_path / "cache", identity="b")
    written(tmp_path, TEXT.replace("Smith", "Jones"))
    prepare(path, counting, vocab_size=100, folder=tmp_path / "cache", identity="a")
    assert calls == [7, 7, 7]


def test_a_tokenizer_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fails(sentences: list[str]) -> list[list[int]]:
        raise OSError("no more room")

    with pytest.raises(OSError, match="no more room"):
        prepare(written(tmp_path), fails, vocab_size=100, folder=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_text_without_sentences_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="text.txt holds 0 sentences"):
        prepare(written(tmp_path, "= Title =\n\nToo short.\n"), encode, vocab_size=100, folder=tmp_path / "cache")


def test_a_store_travels_to_another_process_as_its_path(tmp_path: Path) -> None:
    store = prepare(written(tmp_path), encode, vocab_size=100, folder=tmp_path / "cache")
    sent = pickle.dumps(store)
    assert len(sent) < 500
    assert said(pickle.loads(sent), 1) == said(store, 1)


def test_another_document_is_drawn_by_length_and_weight(tmp_path: Path) -> None:
    one = prepare(written(tmp_path), encode, vocab_size=100, folder=tmp_path / "cache")
    two = prepare(written(tmp_path, TEXT + "\nMore of the same kind of text. And some more of it.\n", "two.txt"), encode, vocab_size=100,
                  folder=tmp_path / "cache")  # fmt: skip
    both = Corpus([one, two], [1.0, 0.0])
    rng = random.Random(1)
    drawn = [both.another(0, rng) for _ in range(4000)]
    assert set(drawn) == {1, 2}  # never itself, never a text of weight 0
    assert np.mean([document == 1 for document in drawn]) == pytest.approx(12 / 24, abs=0.03)
    assert (both.document(4).ids == two.document(1).ids).all()


def test_a_corpus_of_one_document_is_refused(tmp_path: Path) -> None:
    store = prepare(written(tmp_path, TEXT.split("\n\n")[0]), encode, vocab_size=100, folder=tmp_path / "cache")
    with pytest.raises(ValueError, match="two documents"):
        Corpus([store])


def test_a_large_text_is_read_in_little_memory(tmp_path: Path) -> None:
    # 20 MB of text in a process of its own, whose memory may grow by no more than that; as lists it would take three times as much.
    path = tmp_path / "large.txt.xz"
    sentence = "Some words " + "and more words " * 13 + "stand here. "
    with lzma.open(path, "wt", preset=0) as stream:
        for _ in range(480):
            stream.write("\n".join([sentence * 20] * 10) + "\n\n")
    program = f"""
import resource
from pathlib import Path
from models.training.corpus import prepare
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
store = prepare(Path({str(path)!r}), lambda found: [[1] * 43 for _ in found], vocab_size=10, folder=Path({str(tmp_path)!r}))
print(len(store), len(store.ids), (peak() - before) // 1024)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [int(told[0]), int(told[1])] == [480, 480 * 200 * 43]
    assert int(told[2]) < 20, f"reading took {told[2]} MB"


def test_frequencies_count_every_store_by_its_weight(tmp_path: Path) -> None:
    once, twice = (prepare(written(tmp_path, name=name), encode, vocab_size=100, folder=tmp_path / name[0]) for name in ("a.txt", "b.txt"))
    corpus = Corpus([once, twice], [1.0, 2.0])
    counts = corpus.frequencies(100)
    assert counts[WORDS["document"]] == 3 * 3 and counts[WORDS["Smith"]] == 3 and counts.sum() == 3 * len(once.ids)
    sampled = corpus.frequencies(100, sample=5)  # of a text that is only looked into, the counts stand for the whole of it
    assert sampled.sum() == pytest.approx(3 * len(once.ids)) and sampled[WORDS["Smith"]] == 0
