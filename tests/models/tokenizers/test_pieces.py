"""Pieces of text become readable, whatever bytes they are made of."""

import pytest
from transformers.convert_slow_tokenizer import bytes_to_unicode

from models.tokenizers.pieces import byte_alphabet, complete, show, visible


def test_the_byte_alphabet_is_that_of_gpt2() -> None:
    assert byte_alphabet() == {letter: byte for byte, letter in bytes_to_unicode().items()}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (" the", "▁the"),
        ("a b", "a▁b"),
        ("\n\t\x00\x7f", "␊␉␀␡"),
        ("你好", "你好"),
        ("\u200d", "‹U+200D›"),
        ("\u202eabc", "‹U+202E›abc"),
        ("\u0301", "◌\u0301"),
        ("\u00a0\u3000", "‹U+00A0›‹U+3000›"),
        ("\x85\ue000", "‹U+0085›‹U+E000›"),
        ("\uffff\ufdd0\U0001fae8", "‹U+FFFF›‹U+FDD0›\U0001fae8"),
        ("", ""),
        ("<b>", "<b>"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, seen: str) -> None:
    assert visible(text) == seen


@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        ([b"\xe4\xbd", b"\xa0"], ("‹E4 BD›", "你")),
        ([b"\xf0", b"\x9f", b"\x98", b"\x80"], ("‹F0›", "‹9F›", "‹98›", "😀")),
        ([b" a\xe4", b"\xbd\xa0b\xe4", b"\xb8", b"\x96"], ("▁a‹E4›", "你b‹E4›", "‹B8›", "世")),
        ([b"\xe4\xbd", "</s>", b"\xa0"], ("‹E4 BD›", "</s>", "‹A0›")),
        ([b"\xe4\xbd"], ("‹E4 BD›",)),
        ([b"\xff\xfea", b"b\xc0"], ("‹FF FE›a", "b‹C0›")),
        ([b"\xed\xa0\x80"], ("‹ED A0 80›",)),
        ([b"\xe4", b"a", b"\xbd"], ("‹E4›", "a", "‹BD›")),
        ([b"", "x y", b""], ("", "x y", "")),
        ([], ()),
    ],
)
def test_a_character_is_shown_on_the_piece_that_completes_it(pieces: list[bytes | str], seen: tuple[str, ...]) -> None:
    assert show(pieces) == seen


def test_every_cut_of_a_text_into_pieces_is_readable() -> None:
    data = "a😀é你\u200d".encode()
    for first in range(len(data)):
        for second in range(first, len(data)):
            words = show([data[:first], data[first:second], data[second:]])
            assert len(words) == 3
            assert not any("\ufffd" in word for word in words)
            assert [c for c in "".join(words) if c in "a😀é你"] == list("a😀é你")


@pytest.mark.parametrize("text", ["a", "é", "你", "😀"])
def test_an_incomplete_end_is_left_out_and_a_broken_middle_is_not(text: str) -> None:
    data = text.encode()
    for length in range(1, len(data)):
        assert complete(b"x" + data[:length]) == "x"
        assert complete(b"x" + data[:length] + b"y") == "x\ufffdy"
    assert complete(b"x" + data) == "x" + text
    assert complete(b"") == ""
