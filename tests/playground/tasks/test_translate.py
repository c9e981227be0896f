"""Translations are those of `transformers`, sentence by sentence, and every word says where it looked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.decode.sentences import Sentences, split
from models.errors import Problem
from playground.tasks import translate
from playground.tasks.translate import Alternative, Request

TEXT = "我昨天在图书馆借了三本书。今天下雨了！\n\n  小猫没有过马路，因为它太累了。"
TEXTS = [TEXT, "中国的首都是北京。", "Paris is the capital of France.\r\nShe drank a cup of tea."]
NEW = 24


@pytest.fixture
def model(ours):
    return ours("tiny-marian")


def reference(model, theirs, sentence: str, **given) -> dict:
    """What `generate` gives for one sentence: ids without start and end, and scores."""
    hub = theirs("tiny-marian")
    row = model.tokenizer.encode(sentence)
    never = [[word] for word in model.config.never_ids]
    out = hub.generate(
        torch.tensor([row.ids]),
        max_new_tokens=NEW,
        do_sample=False,
        forced_eos_token_id=None,
        bad_words_ids=never,
        output_scores=True,
        return_dict_in_generate=True,
        **given,
    )
    ids = [[word for word in text[1:] if word not in (0, hub.config.pad_token_id)] for text in out.sequences.tolist()]
    return {"row": row, "ids": ids, "scores": out.get("sequences_scores")}


def same(one: translate.Result, other: translate.Result) -> None:
    """Equal but for the last digits."""
    assert one.translation == other.translation
    assert [way.text for way in one.alternatives] == [way.text for way in other.alternatives]
    np.testing.assert_allclose([way.score for way in one.alternatives], [way.score for way in other.alternatives], atol=1e-5)
    for mine, theirs in zip(one.sentences, other.sentences, strict=True):
        assert (mine.source_words, mine.target_words, mine.text) == (theirs.source_words, theirs.target_words, theirs.text)
        np.testing.assert_allclose(mine.alignment, theirs.alignment, atol=1e-5)
        np.testing.assert_allclose(mine.probabilities, theirs.probabilities, atol=1e-5)


@pytest.mark.parametrize("text", TEXTS)
def test_a_greedy_translation_is_that_of_transformers_with_its_probabilities_and_weights(model, theirs, text: str) -> None:
    result = translate.run(model, [Request(text=text, max_new_tokens=NEW)])[0]
    for source, sentence in zip(split(text).sentences, result.sentences, strict=True):
        wanted = reference(model, theirs, source)
        assert sentence.source_words == wanted["row"].words
        ids = wanted["ids"][0]
        assert sentence.target_words == model.tokenizer.words(ids)
        assert sentence.text == model.tokenizer.decode(ids)
        start = model.config.start_id
        with torch.no_grad():
            read = theirs("tiny-marian")(
                torch.tensor([wanted["row"].ids]), decoder_input_ids=torch.tensor([[start, *ids]]), output_attentions=True
            )
        chances = read.logits[0].softmax(-1)[range(len(ids)), ids]
        np.testing.assert_allclose(sentence.probabilities, chances.numpy(), rtol=1e-4, atol=1e-6)
        [(layer, head)] = model.config.alignment_heads
        np.testing.assert_allclose(sentence.alignment, read.cross_attentions[layer][0, head, : len(ids)].numpy(), rtol=1e-4, atol=1e-6)
        assert sentence.finished == (len(ids) < NEW)


@pytest.mark.parametrize("beams", [2, 4])
def test_beams_and_their_scores_are_those_of_transformers(model, theirs, beams: int) -> None:
    text = TEXTS[1]
    result = translate.run(model, [Request(text=text, beams=beams, alternatives=beams - 1, max_new_tokens=NEW)])[0]
    wanted = reference(model, theirs, text, num_beams=beams, num_return_sequences=beams, early_stopping=False)
    texts = [model.tokenizer.decode(ids) for ids in wanted["ids"]]
    distinct = list(dict.fromkeys(texts))
    assert [result.translation, *(way.text for way in result.alternatives)] == distinct
    scores = [wanted["scores"][texts.index(text)].item() for text in distinct]
    np.testing.assert_allclose([way.score for way in result.alternatives], scores[1:], rtol=1e-4)
    assert result.alternatives == result.sentences[0].alternatives


@pytest.mark.parametrize("given", [{}, {"beams": 3, "alternatives": 2}], ids=["greedy", "beams"])
def test_texts_are_translated_the_same_in_any_company(model, given: dict) -> None:
    requests = [Request(text=text, max_new_tokens=NEW, **given) for text in TEXTS]
    together = translate.run(model, [*requests, Request(text=TEXTS[1], beams=2)])
    for request, result in zip(requests, together):
        same(translate.run(model, [request])[0], result)


def test_line_breaks_stay_and_every_word_has_a_row_that_sums_to_one(model) -> None:
    result = translate.run(model, [Request(text=TEXT, max_new_tokens=NEW)])[0]
    first, second, third = (sentence.text for sentence in result.sentences)
    assert first in result.translation.split("\n\n")[0] and second in result.translation.split("\n\n")[0]
    assert result.translation.split("\n\n")[1].strip() == third
    for sentence in result.sentences:
        assert sentence.alignment.shape == (len(sentence.target_words), len(sentence.source_words))
        assert sentence.probabilities.shape == (len(sentence.target_words),)
        assert sentence.alignment.dtype == sentence.probabilities.dtype == np.float32
        np.testing.assert_allclose(sentence.alignment.sum(1), 1.0, atol=1e-5)
        assert ((sentence.probabilities > 0) & (sentence.probabilities <= 1)).all()


def test_a_sentence_that_comes_twice_is_translated_once(model, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    together = translate.together
    monkeypatch.setattr(translate, "together", lambda model, batch: seen.append(len(batch)) or together(model, batch))
    one, two = translate.run(model, [Request(text="今天下雨了。" * 3), Request(text="今天下雨了。\n你好。")])
    assert sum(seen) == 2
    assert len(one.sentences) == 3 and one.sentences[0].alignment is one.sentences[2].alignment
    assert one.sentences[0].text == two.sentences[0].text


def test_asking_for_alternatives_widens_the_search(model) -> None:
    narrow, wide = (Request(text=TEXTS[1], beams=beams, alternatives=3, max_new_tokens=8) for beams in (1, 4))
    same(*translate.run(model, [narrow, wide]))
    assert len(translate.run(model, [narrow])[0].alternatives) == 3


def test_alternatives_of_a_text_are_the_best_ways_to_put_its_sentences_together() -> None:
    def done(*found: tuple[str, float]) -> translate.Done:
        empty = np.zeros(0)
        sentence = translate.Sentence(
            source_words=(), target_words=(), text=found[0][0], alternatives=(), alignment=empty, probabilities=empty
        )
        return translate.Done(sentence=sentence, found=tuple(Alternative(text=text, score=score) for text, score in found))

    text = Sentences(sentences=("x", "y"), gaps=("", "\n", ""))
    ways = translate.others(text, [done(("A", -1.0), ("B", -1.1), ("C", -9.0)), done(("D", -2.0), ("E", -2.5))], 3)
    assert [way.text for way in ways] == ["B\nD", "A\nE", "B\nE"]
    assert [way.score for way in ways] == pytest.approx([-1.55, -1.75, -1.8])
    assert translate.others(text, [], 0) == ()


def test_a_stream_grows_by_sentences_and_ends_with_the_whole(model) -> None:
    request = Request(text="今天下雨了。" + "你好，北京！\n" * 12, max_new_tokens=8)
    items = list(translate.stream(model, request))
    assert [len(item.sentences) for item in items] == [1, 9, 13]
    for shorter, longer in zip(items, items[1:]):
        assert longer.translation.startswith(shorter.translation.rstrip())
    same(items[-1], translate.run(model, [request])[0])


def test_a_sentence_longer_than_the_model_is_split_not_cut(model) -> None:
    text = "我昨天在图书馆借了三本书，" * 40
    assert len(model.tokenizer.encode(text)) > model.limit
    result = translate.run(model, [Request(text=text, max_new_tokens=4)])[0]
    assert len(result.sentences) > 1 and result.cut == 0
    assert "".join(word for sentence in result.sentences for word in sentence.source_words[:-1]).count("三") == 40


def test_the_size_is_the_tokens_of_all_sentences(model) -> None:
    result = translate.run(model, [Request(text=TEXT, max_new_tokens=4)])[0]
    assert translate.size(model, Request(text=TEXT)) == sum(len(sentence.source_words) for sentence in result.sentences)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"text": ""}, "empty_text"),
        ({"text": " \n\t "}, "empty_text"),
        ({"text": "字" * 10_001}, "long_text"),
        ({"beams": 0}, "bad_beams"),
        ({"beams": 9}, "bad_beams"),
        ({"alternatives": -1}, "bad_alternatives"),
        ({"alternatives": 8}, "bad_alternatives"),
        ({"max_new_tokens": 0}, "bad_max_new_tokens"),
        ({"max_new_tokens": 513}, "bad_max_new_tokens"),
    ],
)
def test_what_cannot_be_translated_is_refused_with_its_number(model, given: dict, key: str) -> None:
    request = replace(Request(text="你好。"), **given)
    for ask in (
        lambda: translate.size(model, request),
        lambda: translate.run(model, [request]),
        lambda: next(translate.stream(model, request)),
    ):
        with pytest.raises(Problem) as refusal:
            ask()
        assert refusal.value.key == key
        number = len(request.text) if key == "long_text" else next(iter(given.values()))
        assert key == "empty_text" or number in refusal.value.values.values()


def test_a_model_that_does_not_translate_says_so(ours) -> None:
    with pytest.raises(Problem) as refusal:
        translate.size(ours("tiny-gpt2"), Request(text="Hello."))
    assert refusal.value.key == "task_impossible"


ODD = [
    "😀🎉",
    "\x00\x07 bell",
    "<script>alert(1)</script>",
    "\ud800 lone",
    "مرحبا بالعالم",
    "e\u0301\u0327" * 50,
    "\u200b。",
    "a" * 3000,
    ">>fra<<",
]


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_texts_are_translated_or_refused_in_a_sentence(model, text: str) -> None:
    try:
        result = translate.run(model, [Request(text=text, max_new_tokens=6), Request(text="你好。", max_new_tokens=6)])[0]
    except Problem as refusal:
        assert refusal.key == "nothing_to_read"
    else:
        assert "\ufffd" not in result.translation + "".join(word for sentence in result.sentences for word in sentence.target_words)


@pytest.mark.fuzz
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_gives_a_translation_or_a_refusal(model, text: str) -> None:
    try:
        result = translate.run(model, [Request(text=text, max_new_tokens=3)])[0]
    except Problem as refusal:
        assert refusal.key in {"empty_text", "nothing_to_read"}
    else:
        for sentence in result.sentences:
            assert sentence.alignment.shape == (len(sentence.target_words), len(sentence.source_words))
