"""A vocabulary learnt from text."""

import json
import subprocess
import sys
from pathlib import Path

from training_helpers import small_tokenizer, stories
from transformers import PreTrainedTokenizerFast

from models.training.vocabulary import SPECIAL, alphabet, learn_vocabulary

PROGRAM = "import sys; sys.path.insert(0, {folder!r}); from training_helpers import *; print(small_tokenizer().tokenizer.to_str())"


def test_every_run_learns_the_same_vocabulary() -> None:
    program = PROGRAM.format(folder=str(Path(__file__).parent))
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() for _ in range(3)]
    assert json.loads(runs[0]) == json.loads(runs[1]) == json.loads(runs[2]) == json.loads(small_tokenizer().tokenizer.to_str())


def test_frequent_words_are_whole_and_rare_ones_are_cut() -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.vocab_size == 250
    assert tokenizer.words(tokenizer.encode("Anna goes home").ids) == ("[CLS]", "anna", "goes", "home", "[SEP]")
    cut = tokenizer.words(tokenizer.encode("annabel").ids)[1:-1]
    assert len(cut) > 1 and all(piece.startswith("##") for piece in cut[1:]) and "".join(cut).replace("##", "") == "annabel"


def test_special_tokens_come_first_and_stand_around_texts() -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.words(range(5)) == SPECIAL and (tokenizer.pad_id, tokenizer.mask_id) == (0, 4)
    assert tokenizer.words(tokenizer.encode("Anna", "Ben").ids) == ("[CLS]", "anna", "[SEP]", "ben", "[SEP]")
    assert tokenizer.encode("Anna", "Ben").segments == (0, 0, 0, 1, 1)


def test_chinese_characters_stand_alone_and_never_go_on() -> None:
    tokenizer = learn_vocabulary(lambda: ["小猫没有过马路，因为它太累了。 The cat is tired."] * 3, size=200)
    assert tokenizer.words(tokenizer.encode("小猫 cats").ids)[1:3] == ("小", "猫")
    pieces = tokenizer.words(range(tokenizer.vocab_size))
    assert not any(piece.startswith("##") and ord(piece[2]) > 255 for piece in pieces)


def test_of_too_many_letters_the_frequent_ones_are_kept() -> None:
    assert alphabet(["aaab bbba c"], 4, lowercase=True) == ["a", "b", "##a", "##b"]
    small = learn_vocabulary(lambda: ["ab " * 9, "zq xw yv"], size=8)
    assert small.words(small.encode("xw").ids) == ("[CLS]", "[UNK]", "[SEP]")


def test_the_reference_cuts_a_text_alike(tmp_path: Path) -> None:
    tokenizer = small_tokenizer()
    tokenizer.tokenizer.save(str(tmp_path / "tokenizer.json"))
    reference = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    for text in stories()[:20]:
        assert reference(text).input_ids == list(tokenizer.encode(text).ids)
