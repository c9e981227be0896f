"""Whatever somebody types, every tokenizer answers with a row that can be shown."""

import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.tokenizers import from_folder, sentencepieces
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.tokens import Row, Tokenizer

KINDS = ["bert", "gpt2", "roberta", "llama", "qwen2", "xlm-roberta", "sentencepiece"]
INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"}
BYTES = re.compile("‹[0-9A-F]{2}( [0-9A-F]{2})*›")
SPECIALS = ["[MASK]", "[SEP]", "<mask>", "</s>", "<s>", "<|im_start|>", "<0xE4>", ">>fra<<", "▁", "##", "\ue000", "\u2003", "\ufffd"]
ANY_TEXT = st.lists(
    st.one_of(
        st.text(alphabet=st.characters(exclude_categories=()), max_size=12),  # surrogates too
        st.sampled_from(SPECIALS),
        st.binary(max_size=6).map(lambda data: data.decode("utf-8", "surrogateescape")),
    ),
    max_size=8,
).map("".join)
bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest, saved, spm, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    if request.param != "sentencepiece":
        return from_folder(saved(request.param)[0], request.param)
    path = tmp_path_factory.mktemp("spm") / "vocab.any.spm"
    path.write_bytes(spm(model_type="bpe", byte_fallback=True, eos_id=0, unk_id=1, bos_id=-1, vocab_size=420))
    return sentencepieces.student(path)


def visible(word: str) -> bool:
    """Whether a reader sees all of a word; between the bytes of an incomplete character stand spaces."""
    return not any(unicodedata.category(sign) in INVISIBLE for sign in BYTES.sub("", word))


def check(row: Row, texts: list[str]) -> None:
    for word in row.words:
        assert "\ufffd" not in word or "\ufffd" in "".join(texts)
        assert visible(word), ascii(word)
        word.encode()
    for span, segment, special in zip(row.spans, row.segments, row.special):
        assert span is not None or special
        if span is not None:
            text = texts[min(segment, len(texts) - 1)]
            assert 0 <= span[0] <= span[1] <= max(map(len, texts)) if len(texts) > 1 else len(text)


@pytest.mark.fuzz
@bounded
@given(text=ANY_TEXT, limit=st.one_of(st.none(), st.integers(4, 12)))
def test_any_text_becomes_a_row(tokenizer: Tokenizer, text: str, limit: int | None) -> None:
    row = tokenizer.encode(text, limit=limit)
    check(row, [text])
    assert limit is None or len(row) <= limit
    assert row.cut == len(tokenizer.encode(text)) - len(row)
    check(tokenizer.encode(text, special=False), [text])
    check(tokenizer.encode_target(text, limit=limit), [text])
    assert tokenizer.words(row.ids) == row.words
    tokenizer.decode(row.ids).encode()


@pytest.mark.fuzz
@bounded
@given(first=ANY_TEXT, second=ANY_TEXT, limit=st.one_of(st.none(), st.integers(5, 12)))
def test_any_pair_becomes_a_row(tokenizer: Tokenizer, first: str, second: str, limit: int | None) -> None:
    if isinstance(tokenizer, SentencePieceTokenizer):
        with pytest.raises(ValueError, match="not a pair"):
            tokenizer.encode(first, second, limit=limit)
        return
    row = tokenizer.encode(first, second, limit=limit)
    check(row, [first, second])
    assert limit is None or len(row) <= limit
    assert row.cut == len(tokenizer.encode(first, second)) - len(row)


@pytest.mark.fuzz
@bounded
@given(prompt=ANY_TEXT)
def test_any_prompt_becomes_a_conversation_without_new_special_tokens(tokenizer: Tokenizer, prompt: str) -> None:
    row = tokenizer.encode_chat(prompt)
    if row is None:
        assert tokenizer.chat(prompt) is None
        return
    empty = tokenizer.encode_chat("")
    marks = [[index for index, special in zip(one.ids, one.special) if special] for one in (row, empty)]
    assert marks[0] == marks[1]
    assert all(span is None or 0 <= span[0] <= span[1] <= len(prompt) for span in row.spans)
    assert all(map(visible, row.words))


@pytest.mark.fuzz
@bounded
@given(ids=st.lists(st.integers(0, 10_000), max_size=12), piece=ANY_TEXT)
def test_any_ids_can_be_shown_and_any_piece_looked_up(tokenizer: Tokenizer, ids: list[int], piece: str) -> None:
    words = tokenizer.words(ids)
    assert len(words) == len(ids)
    assert not any("\ufffd" in word for word in words) or any("\ufffd" in word for index in ids for word in tokenizer.words([index]))
    found = tokenizer.piece_id(piece)
    assert found is None or 0 <= found < tokenizer.vocab_size
    known = [index for index in ids if index < tokenizer.vocab_size]
    tokenizer.decode(known).encode()
