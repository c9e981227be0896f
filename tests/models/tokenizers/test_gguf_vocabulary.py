"""The vocabulary inside a GGUF file cuts texts as llama.cpp and the model's own tokenizer do."""

import json

import pytest
from plain_bpe import PATTERNS, reference

from models.errors import Problem
from models.tokenizers.gguf_vocabulary import from_gguf

TEXTS = [
    "The quick brown fox didn't jump in 2024, WE'LL see 12345 3.14!",
    "  two  spaces\tand\n\n lines  \r\n end ",
    "你好，世界。Zoë's naïve 😀 e\u0301 ½ ٣٤ \u3000x",
    "def main():\n\treturn x**2  # ok\n",
    "",
]
NAMES = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@pytest.fixture(scope="module")
def key_values(saved) -> dict:
    """What a GGUF file of a small model says about its tokenizer."""
    vocabulary = saved("qwen2")[1].get_vocab()
    state = json.loads(saved("qwen2")[1].backend_tokenizer.to_str())
    tokens = sorted(vocabulary, key=vocabulary.get)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in NAMES else 1 for token in tokens],
        "tokenizer.ggml.merges": [" ".join(merge) for merge in state["model"]["merges"]],
        "tokenizer.ggml.bos_token_id": vocabulary["<|im_start|>"],
        "tokenizer.ggml.eos_token_id": vocabulary["<|im_end|>"],
        "tokenizer.ggml.padding_token_id": vocabulary["<|endoftext|>"],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": saved("qwen2")[1].chat_template,
    }


@pytest.mark.parametrize("pre", list(PATTERNS))
@pytest.mark.parametrize("text", TEXTS)
def test_words_are_cut_and_merged_as_in_llama_cpp(key_values: dict, pre: str, text: str) -> None:
    mine = from_gguf(key_values | {"tokenizer.ggml.pre": pre})
    vocabulary = {token: index for index, token in enumerate(key_values["tokenizer.ggml.tokens"])}
    ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(key_values["tokenizer.ggml.merges"])}
    expected = text.replace("e\u0301", "\u00e9") if pre == "qwen2" else text
    row = mine.encode(text, special=False)
    assert list(row.ids) == reference(expected, pre, vocabulary, ranks, whole=pre == "llama-bpe")
    assert mine.decode(row.ids) == expected


def test_it_is_the_tokenizer_that_the_file_was_made_from(saved, key_values: dict) -> None:
    mine, theirs = from_gguf(key_values | {"tokenizer.ggml.pre": "qwen2"}), saved("qwen2")[1]
    for text in TEXTS:
        assert list(mine.encode(text).ids) == theirs(text)["input_ids"]
    chat = theirs.apply_chat_template([{"role": "user", "content": "The fox"}], add_generation_prompt=True)["input_ids"]
    assert list(mine.encode_chat("The fox").ids) == chat


def test_special_tokens_are_known_by_their_role_and_typed_ones_are_text(key_values: dict) -> None:
    mine = from_gguf(key_values)
    assert mine.words([mine.before_id]) == ("<|endoftext|>",)
    assert mine.words([mine.bos_id, mine.eos_id, mine.pad_id]) == ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
    assert mine.mask_id is None and mine.vocab_size == len(key_values["tokenizer.ggml.tokens"])
    assert mine.hidden.isdisjoint(mine.encode("a <|im_start|> b<|im_end|>").ids)
    assert mine.decode([mine.bos_id, *mine.encode("fox").ids, mine.eos_id]) == "fox"


@pytest.mark.parametrize(("bos", "eos"), [(True, False), (True, True), (False, True), (False, False)])
def test_special_tokens_stand_around_the_text_where_the_file_says_so(key_values: dict, bos: bool, eos: bool) -> None:
    mine = from_gguf(key_values | {"tokenizer.ggml.add_bos_token": bos, "tokenizer.ggml.add_eos_token": eos})
    words = mine.encode("fox").words
    assert (words[0] == "<|im_start|>", words[-1] == "<|im_end|>") == (bos, eos)


def test_llama_3_begins_a_text_with_its_token_unless_the_file_says_otherwise(key_values: dict) -> None:
    plain = {key: value for key, value in key_values.items() if key != "tokenizer.ggml.add_bos_token"}
    assert from_gguf(plain | {"tokenizer.ggml.pre": "llama-bpe"}).encode("fox").words[0] == "<|im_start|>"
    assert from_gguf(plain).encode("fox").words[0] != "<|im_start|>"


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        ({"model": "llama"}, "unsupported_weights", "'llama'"),
        ({"model": None}, "unsupported_weights", "None"),
        ({"pre": "riddle"}, "unsupported_weights", "'riddle'"),
        ({"tokens": []}, "broken_weights", "0 entries"),
        ({"tokens": ["a", "a"], "token_type": [1, 1]}, "broken_weights", "1 differ"),
        ({"token_type": [1]}, "broken_weights", "1 types"),
        ({"merges": ["no such"]}, "broken_weights", "no such"),
        ({"merges": ["abc"]}, "broken_weights", "abc"),
        ({"eos_token_id": 10**6}, "broken_weights", "outside"),
    ],
)
def test_a_damaged_or_foreign_vocabulary_is_refused_in_one_sentence(key_values: dict, change: dict, key: str, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as caught:
        from_gguf(key_values | {f"tokenizer.ggml.{name}": value for name, value in change.items()}, file="small.gguf")
    assert caught.value.key == key and caught.value.values["file"] == "small.gguf"


def test_llama_3_takes_a_word_of_the_vocabulary_whole_although_no_merge_leads_to_it(key_values: dict) -> None:
    tokens, merges = key_values["tokenizer.ggml.tokens"], key_values["tokenizer.ggml.merges"]
    fewer = [merge for merge in merges if merge.replace(" ", "") != "Ġfox"]
    assert "Ġfox" in tokens and len(fewer) < len(merges)
    for pre, whole in [("llama-bpe", True), ("qwen2", False)]:
        mine = from_gguf(key_values | {"tokenizer.ggml.pre": pre, "tokenizer.ggml.merges": fewer, "tokenizer.ggml.add_bos_token": False})
        assert (mine.encode(" fox").words == ("▁fox",)) == whole
