"""Words and numbers as people read them."""

import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ui.reading import columns, escape_html, escape_plotly, isolate, join, label, percent, readable, shorten, visible, wrap

ANYTHING = st.text(alphabet=st.characters(), max_size=60)  # lone surrogates too
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$\\frac{a}{b}$",
    "%{x}",
    "&lt;b&gt;",
    "a\x00b",
    "\ud800",
    "\u202eabc",
    "🇨🇳👨‍👩‍👧",
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\tc", "a↵b⇥c"),
        ("\x00", "‹U+0000›"),
        ("\u202eevil", "‹U+202E›evil"),
        ("\u200d", "‹U+200D›"),
        ("\ud83d", "‹U+D83D›"),
        ("\ue000", "‹U+E000›"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("می‌خواهم", "می‌خواهم"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 3),
    ],
)
def test_what_would_hide_is_shown_and_what_is_writing_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("token", "shown"),
    [("▁the", "the"), ("##ing", "##ing"), ("▁", "␣"), ("▁▁▁", "␣␣␣"), ("", "∅"), ("␊", "↵"), ("a▁b", "a␣b"), ("国", "国")],
)
def test_a_token_is_shown_without_the_marks_of_its_tokenizer(token: str, shown: str) -> None:
    assert readable(token) == shown


def test_chinese_takes_two_columns_and_marks_none() -> None:
    assert columns("abc") == 3 and columns("国王") == 4 and columns("e\u0301") == 1


@pytest.mark.parametrize(
    ("text", "width", "short"), [("short", 10, "short"), ("incomprehensible", 8, "incompr…"), ("这是一个很长的词", 7, "这是一…")]
)
def test_a_long_text_is_cut_by_columns(text: str, width: int, short: str) -> None:
    assert shorten(text, width) == short


def test_a_cut_never_parts_a_letter_from_its_marks() -> None:
    assert shorten("abe\u0301defgh", 4) == "abe\u0301…"
    assert shorten("ab👨‍👩‍👧cdefg", 6) in ("ab…", "ab👨…")


@given(ANYTHING, st.integers(2, 30))
def test_a_shortened_text_fits(text: str, width: int) -> None:
    assert columns(shorten(text, width)) <= width


@given(ANYTHING, st.integers(4, 30), st.integers(1, 4))
def test_a_wrapped_text_fits_and_keeps_its_beginning(text: str, width: int, lines: int) -> None:
    made = wrap(text, width, lines)
    assert 1 <= len(made) <= lines and all(columns(line) <= width for line in made)
    whole, kept = "".join(text.split()), "".join("".join(made).split())
    assert whole == kept or (kept.endswith("…") and whole.startswith(kept[:-1]))


def test_a_sentence_breaks_between_words_and_chinese_between_characters() -> None:
    assert wrap("the quick brown fox", 10, 2) == ["the quick", "brown fox"]
    assert wrap("这是一个很长的句子", 10, 2) == ["这是一个很", "长的句子"]


@pytest.mark.parametrize("nasty", NASTY)
def test_html_shows_exactly_the_text(nasty: str) -> None:
    escaped = escape_html(nasty)
    assert not set("<>\"'") & set(escaped)
    assert html.unescape(escaped) == isolate(visible(nasty))


@given(ANYTHING)
def test_html_of_anything_is_harmless_and_can_be_encoded(text: str) -> None:
    escaped = escape_html(text)
    assert not set("<>\"'") & set(escaped)
    escaped.encode("utf-8")


@given(ANYTHING)
def test_plotly_finds_no_markup_formula_or_template_in_anything(text: str) -> None:
    escaped = escape_plotly(text)
    assert not set("<>$%\n\r") & set(escaped)
    assert html.unescape(escaped) == isolate(visible(text))
    escaped.encode("utf-8")


def test_right_to_left_writing_is_fenced_and_other_writing_is_not() -> None:
    assert isolate("שלום") == "\u2068שלום\u2069"
    assert isolate("café 国") == "café 国"


def test_a_label_is_readable_short_and_escaped() -> None:
    assert label("▁<b>") == "&lt;b&gt;"
    assert label("x" * 40) == "x" * 15 + "…"


def test_tokens_are_put_together_as_their_writing_has_them() -> None:
    assert join(["the", "cap", "##ital", ",", "of", "(", "france", ")", "."]) == "the capital, of (france)."
    assert join(["▁The", "▁cap", "ital", "."]) == "The capital."
    assert join(["我", "喜", "欢", "bert", "。"]) == "我喜欢bert。"
    assert join([]) == ""


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0.0 %"),
        (0.0001, "< 0.1 %"),
        (0.0005, "0.1 %"),
        (0.1234, "12.3 %"),
        (0.9994, "99.9 %"),
        (0.9999, "> 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share: float, shown: str) -> None:
    assert percent(share) == shown


@given(ANYTHING)
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    shown = visible(text)
    assert all(unicodedata.category(letter) not in ("Cc", "Cs", "Co", "Zl", "Zp") for letter in shown)
    assert visible(shown) == shown
