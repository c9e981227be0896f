"""Texts fall into sentences where a reader would cut them, and nothing of them is lost."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decode.sentences import fitting, split
from models.tokens import Row


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Smith met Dr. Who. They talked.", ["Mr. Smith met Dr. Who.", "They talked."]),
        ("The U.S. Army came. He lives in the U.S. She does not.", ["The U.S. Army came.", "He lives in the U.S.", "She does not."]),
        ("Some, e.g. Paris, i.e. cities, cost 3.14. Really?! Yes.", ["Some, e.g. Paris, i.e. cities, cost 3.14.", "Really?!", "Yes."]),
        ("See Fig. 3 and No. 5. No. I will not.", ["See Fig. 3 and No. 5.", "No.", "I will not."]),
        ("J. S. Bach wrote it. So did I. Nobody knew.", ["J. S. Bach wrote it.", "So did I.", "Nobody knew."]),
        ("It began at 9 a.m. The rain stopped.", ["It began at 9 a.m.", "The rain stopped."]),
        ("Wait... what? Well... Yes…  No", ["Wait... what?", "Well...", "Yes…", "No"]),
        ("1. First item. More of it.\n2. Second", ["1. First item.", "More of it.", "2. Second"]),
        ("Visit example.com. It's version 2.0. Buy!", ["Visit example.com.", "It's version 2.0.", "Buy!"]),
        ('He said "Stop!" Then he left. \'Why?\' she asked. (It was late.) OK.',
         ['He said "Stop!"', "Then he left.", "'Why?' she asked.", "(It was late.)", "OK."]),
        ("In 1999. In 2000 they fell.", ["In 1999.", "In 2000 they fell."]),
        ("你好。“今天天气很好！”我们去公园吧；好吗？好……走吧。", ["你好。", "“今天天气很好！”", "我们去公园吧；", "好吗？", "好……走吧。"]),
        ("他说：「走吧。」然后走了！！真的？！是", ["他说：「走吧。」", "然后走了！！", "真的？！", "是"]),
        ("你好!我是小明?对 OK", ["你好!", "我是小明?", "对 OK"]),
        ("今日は。元気ですか？はい", ["今日は。", "元気ですか？", "はい"]),
        ("Olá, Sr. Silva. O Dr. Pedro mora na Av. Paulista. Fim.", ["Olá, Sr. Silva.", "O Dr. Pedro mora na Av. Paulista.", "Fim."]),
        ("Fim de Dr. Ávila. Élan. Ça va. école", ["Fim de Dr. Ávila.", "Élan.", "Ça va. école"]),
        ("Sí. ¿Qué? ¡No!", ["Sí.", "¿Qué?", "¡No!"]),
        ("مرحبا؟ كيف حالك؟ شكرا.", ["مرحبا؟", "كيف حالك؟", "شكرا."]),
        ("नमस्ते। आप कैसे हैं?", ["नमस्ते।", "आप कैसे हैं?"]),
        ("no end", ["no end"]),
        ("", []),
        (" \n\t\n", []),
        ("...", ["..."]),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    found = split(text)
    assert list(found.sentences) == sentences
    assert found.text == text


def test_line_breaks_and_indents_stay_when_translations_are_put_in() -> None:
    text = "\n  你好。我是学生。\r\n\r\n\t再见。今天\u2028好\n"
    assert (
        split(text).join(["Hello.", "I am a student.", "Bye.", "Today", "good"])
        == "\n  Hello. I am a student.\r\n\r\n\tBye. Today\u2028good\n"
    )


def test_scripts_without_spaces_are_joined_without_them_and_others_with() -> None:
    english, chinese = split("One.  Two. Three."), split("一。二。三。")
    assert english.join(["一。", "二。", "三。"]) == "一。二。三。"
    assert english.join(["Um.", "Dois.", "Três."]) == "Um. Dois. Três."
    assert chinese.join(["One.", "Two.", "Three."]) == "One. Two. Three."
    assert chinese.join(["하나.", "둘.", "셋."]) == "하나. 둘. 셋."
    assert english.join(["One.", "", "Three."]) == "One. Three."
    assert english.join(["หนึ่ง", "สอง", "สาม"]) == "หนึ่งสองสาม"
    assert split("   ").join([]) == "   "
    with pytest.raises(ValueError, match="3 sentences, but 1 translations"):
        english.join(["一。"])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("aaa aaa aaa; bbb bbb bbb", ["aaa aaa aaa;", "bbb bbb bbb"]),
        ("aaa aaa aaa, bbb bbb bbb", ["aaa aaa aaa,", "bbb bbb bbb"]),
        ("aaaa aaaa aaa aaaa", ["aaaa aaaa", "aaa aaaa"]),
        ("一二三四五六七，一二三四五六七八", ["一二三四五六七，", "一二三四五六七八"]),
        ("abcdefghijklmnop", ["abcdefgh", "ijklmnop"]),
    ],
)
def test_an_over_long_sentence_is_split_at_the_best_place_near_its_middle(text: str, parts: list[str]) -> None:
    found = split(text, fits=lambda part: len(part) <= 12)
    assert list(found.sentences) == parts
    assert found.text == text


def test_a_word_that_had_to_be_cut_is_one_word_again() -> None:
    assert split("abcdefghijklmnop", fits=lambda part: len(part) <= 12).join(["ABCDEFGH", "IJKLMNOP"]) == "ABCDEFGHIJKLMNOP"
    assert split("一二三四五六七八九十", fits=lambda part: len(part) <= 6).join(["one", "two"]) == "one two"


def test_an_accent_stays_with_its_letter() -> None:
    text = "e\u0301" * 20
    found = split(text, fits=lambda part: len(part) <= 7)
    assert found.text == text and not any(part.startswith("\u0301") for part in found.sentences)


class Counter:
    """A tokenizer that counts characters."""

    def encode(self, text: str, *, limit: int) -> Row:
        ids = tuple(range(min(len(text), limit)))
        return Row(
            ids=ids, words=("a",) * len(ids), segments=(0,) * len(ids), special=(False,) * len(ids), spans=(None,) * len(ids),
            cut=max(0, len(text) - limit),
        )  # fmt: skip


def test_fitting_counts_the_tokens_of_a_tokenizer() -> None:
    fits = fitting(Counter(), 10)
    assert fits("a" * 10) and not fits("a" * 11) and not fits("a" * 1_000_000)
    assert max(map(len, split("word " * 1000, fits=fits).sentences)) <= 10


@pytest.mark.parametrize(
    "unit", ["a", "你。", "Hello. ", " ", ".", ". ", "a\n", "'", '!"', "J. ", "a.b.", "!", "1. ", "! ", "!你", "\u0301", "a, ", ".' "]
)
def test_a_hundred_thousand_characters_of_anything_take_about_a_second(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    start = time.process_time()
    found = split(text, fits=lambda part: len(part) <= 200)
    assert time.process_time() - start < 4, "the time must not grow with the square of the length"
    assert found.text == text


@pytest.mark.fuzz
@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from(".!?。！ \n'\"”Aa1你,"), st.characters()), max_size=80), st.integers(1, 20))
def test_nothing_is_ever_lost(text: str, longest: int) -> None:
    found = split(text, fits=lambda part: len(part) <= longest)
    assert found.text == text
    assert len(found.gaps) == len(found.sentences) + 1
    assert all(gap == "" or gap.isspace() for gap in found.gaps)
    assert all(part and part == part.strip() for part in found.sentences)
    joined = found.join(found.sentences)
    assert "".join(joined.split()) == "".join(text.split())
