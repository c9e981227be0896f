"""Where words begin among pieces."""

import pytest

from models.tokenizers.starts import word_starts


def bounds(pieces: list[bytes | str], alone: list[int] = ()) -> str:
    """The pieces with | where a word begins."""
    starts = word_starts(pieces, [place in alone for place in range(len(pieces))])
    return "".join("|" + str(place) if begins else str(place) for place, begins in enumerate(starts))


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["▁Par", "is", "▁is"], "|01|2"),
        (["▁tea", ".", "▁", "No"], "|0|1|23"),
        (["did", "n", "'", "t"], "|01|2|3"),
        (["我", "昨天", "在"], "|0|1|2"),
        (["▁", "我", "a", "b"], "|01|23"),
        ([b"caf", b"\xc3", b"\xa9", b" bar"], "|012|3"),
        ([b" ", b"\xe5", b"\x9b", b"\xbe", b"\xe4", b"\xb9\xa6"], "|0123|45"),
        ([b"\xf0\x9f", b"\x98", b"\x80", b"!"], "|012|3"),
        ([b"\xff", b"\xfe"], "|0|1"),
        (["e", "\u0301", "a"], "|012"),
        ([b"a", b"\n", b"b"], "|0|1|2"),
        ([], ""),
    ],
)
def test_words_end_at_spaces_signs_and_between_chinese_characters(pieces: list, expected: str) -> None:
    assert bounds(pieces) == expected


def test_what_stands_alone_is_a_word_and_ends_one() -> None:
    assert bounds(["a", "<mask>", "b", "c"], alone=[1]) == "|0|1|23"
