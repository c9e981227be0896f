"""The vocabularies of the models that the page offers without a hub, against the libraries that the models were made with."""

import json
from pathlib import Path

import pytest
from plain_bpe import reference
from transformers import BertTokenizerFast, MarianTokenizer

from models.catalogue import Catalogue
from models.checkpoints.gguf_files import GGUFFile
from models.sources import fetch
from models.tokenizers import from_folder, sentencepieces

pytestmark = [pytest.mark.weights, pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")]
TEXTS = [
    "The animal didn't cross the street because it was too tired.",
    "In 2024, 12,345 people (more or less) paid $3.14; WE'LL see!\n\n\tNext  line ",
    "我昨天在图书馆借了三本书。今天下雨了，出门记得带伞！",
    "São Paulo é a maior cidade do Brasil; não é a capital.",
    "naïve café 😀👩‍👩‍👧 e\u0301 ½ ﬁ ٣٤ עברית \u202eabc\u202c \u200b",
    "def main(x):\n    return x ** 2  # <b>html</b> &amp;",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "",
]


def folder(name: str) -> Path:
    return fetch(Catalogue().find(name))


@pytest.mark.parametrize("text", TEXTS)
def test_minilm(text: str) -> None:
    mine, theirs = from_folder(folder("all-MiniLM-L6-v2"), "bert"), BertTokenizerFast.from_pretrained(folder("all-MiniLM-L6-v2"))
    row = mine.encode(text)
    assert list(row.ids) == theirs(text)["input_ids"]
    assert mine.encode(text, "Yes.").segments == tuple(theirs(text, "Yes.")["token_type_ids"])
    assert mine.decode(row.ids) == theirs.decode(row.ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert mine.words(mine.encode("[MASK] unaffable").ids) == ("[CLS]", "[MASK]", "una", "##ffa", "##ble", "[SEP]")


@pytest.mark.parametrize("text", TEXTS)
def test_smollm2(text: str) -> None:
    file = next(folder("SmolLM2-135M-Instruct").glob("*.gguf"))
    metadata, mine = GGUFFile(file).metadata, from_folder(file.parent, "llama")
    vocabulary = {token: index for index, token in enumerate(metadata["tokenizer.ggml.tokens"])}
    ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(metadata["tokenizer.ggml.merges"])}
    row = mine.encode(text)
    assert list(row.ids) == reference(text, "smollm", vocabulary, ranks, whole=False)
    assert mine.decode(row.ids) == text
    assert not any("\ufffd" in word for word in row.words)


def test_smollm2_reads_a_question_in_its_chat_template() -> None:
    mine = from_folder(folder("SmolLM2-135M-Instruct"), "llama")
    row = mine.encode_chat("Why is the sky blue?")
    assert mine.chat("Why is the sky blue?") == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nWhy is the sky blue?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert [word for word, special in zip(row.words, row.special) if special] == ["<|im_start|>", "<|im_end|>"] * 2 + ["<|im_start|>"]
    assert "".join(word for word, span in zip(row.words, row.spans) if span) == "Why▁is▁the▁sky▁blue?"
    assert (mine.bos_id, mine.eos_id, mine.pad_id, mine.vocab_size) == (1, 2, 2, 49152)


@pytest.mark.parametrize("text", [*TEXTS, "</s> <unk> 膓"])
def test_opus_mt(text: str, tmp_path: Path) -> None:
    there = folder("opus-mt-zh-en")
    mine = from_folder(there, "marian")
    listed = json.loads((there / "shared_vocabulary.json").read_text(encoding="utf-8"))
    for name in ("source.spm", "target.spm"):
        (tmp_path / name).symlink_to(there / "sentencepiece.model")
    (tmp_path / "vocab.json").write_text(json.dumps({piece: index for index, piece in enumerate([*listed, "<pad>"])}), encoding="utf-8")
    theirs = MarianTokenizer.from_pretrained(tmp_path)
    row = mine.encode(text)
    if "</s>" not in text:
        assert list(row.ids) == theirs(text)["input_ids"]
    assert row.ids.count(0) == 1 and row.ids[-1] == mine.eos_id == 0 and mine.unk_id == 1
    assert mine.decode(row.ids) == theirs.decode([*row.ids], skip_special_tokens=True)
    assert mine.vocab_size == len(listed) == 65000


@pytest.mark.parametrize("pair", ["en-pt", "pt-en"])
def test_students(pair: str) -> None:
    there = folder(f"firefox-{pair}")
    mine, processor = from_folder(there, "student"), sentencepieces.load(next(there.glob("vocab.*.spm")))
    for text in TEXTS:
        row = mine.encode(text)
        assert list(row.ids) == [*processor.encode(text), 0]
        assert mine.unk_id in row.ids or mine.decode(row.ids) == processor.decode(processor.encode(text))
    assert (mine.vocab_size, mine.eos_id, mine.unk_id, mine.pad_id) == (32000, 0, 1, None)
    assert mine.words([1, 0]) == ("<unk>", "</s>")
