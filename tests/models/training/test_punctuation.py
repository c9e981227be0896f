"""Signs that a vocabulary folds into ASCII come back as Chinese writes them, here and in other libraries."""

from pathlib import Path

import pytest
from training_helpers import translator_tokenizer
from transformers import MarianTokenizer

from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training.export_translator import write_tokenizer
from models.training.pieces import PAD, learn_pieces, processor
from models.training.punctuation import punctuated, with_wide_signs

DECODED = {  # what a text becomes that is cut into pieces and put together again
    "你好，世界！": "你好，世界！",
    "他说：“好。”，然后走了；为什么？": "他说：“好。”，然后走了；为什么？",
    "3:30 花了 1,234 元？": "3:30 花了 1,234 元？",
    "Tom, come! (ok)? a:b": "Tom， come！ (ok)？ a:b",
    "好 , ？": "好 , ?",
    "abcdefgh 0123456789": "abcdefgh 0123456789",
}
TEXTS, FOUND = list(DECODED), list(DECODED.values())


@pytest.fixture(scope="module")
def tokenizer() -> SentencePieceTokenizer:
    pieces = processor(learn_pieces(TEXTS * 20, size=200, coverage=1.0))
    ids = {pieces.id_to_piece(index): index for index in range(pieces.vocab_size())}
    return SentencePieceTokenizer(pieces, pieces, vocabulary=ids | {PAD: len(ids)}, pad=PAD)


def test_signs_behind_chinese_words_and_quotes_are_wide_and_numbers_stay(tokenizer: SentencePieceTokenizer, tmp_path: Path) -> None:
    wide = punctuated(tokenizer)
    rows = [wide.encode_target(text).ids for text in TEXTS]
    assert rows == [tokenizer.encode_target(text).ids for text in TEXTS], "what is cut stays as it is"
    assert [wide.decode(row) for row in rows] == FOUND
    assert tokenizer.decode(rows[0]) == "你好,世界!", "without the rules they are those of ASCII"
    write_tokenizer(tmp_path, wide, languages="en-zh")
    theirs = MarianTokenizer.from_pretrained(tmp_path)
    assert [theirs.decode(row, skip_special_tokens=True) for row in rows] == FOUND


def test_rules_are_put_into_a_file_once_and_alike() -> None:
    model = translator_tokenizer().target.serialized_model_proto()
    once = with_wide_signs(model)
    assert once.startswith(model[:1000]) and with_wide_signs(once) == once == with_wide_signs(model)


def test_a_student_keeps_one_file_for_both_languages() -> None:
    student = translator_tokenizer(student=True)
    wide = punctuated(student)
    assert wide.source is wide.target and wide.pad_id is None and wide.vocabulary == student.vocabulary
