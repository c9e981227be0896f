"""A translation that goes on from a given beginning, and the tree of its search."""

import pytest

from models.errors import Problem
from playground.tasks import beam_tree, translate
from playground.tasks.translate import Request

TEXT = "今天下雨了。\n我昨天在图书馆借了三本书。"
NEW = 12


@pytest.fixture
def model(ours):
    return ours("tiny-marian")


@pytest.mark.parametrize("beams", [1, 3])
def test_the_model_goes_on_from_a_prefix_in_one_sentence_only(model, beams: int) -> None:
    free, begun = translate.run(
        model,
        [
            Request(text=TEXT, beams=beams, max_new_tokens=NEW),
            Request(text=TEXT, beams=beams, max_new_tokens=NEW, prefix="Paris is ", prefix_at=1),
        ],
    )
    assert begun.sentences[0].text == free.sentences[0].text and begun.sentences[0].given == 0
    one = begun.sentences[1]
    assert one.text.startswith("Paris is") and one.given == len(model.tokenizer.encode_target("Paris is").ids) - 1
    assert len(one.target_words) > one.given and one.alignment.shape == (len(one.target_words), len(one.source_words))
    [alone] = translate.run(model, [Request(text=TEXT, beams=beams, max_new_tokens=NEW, prefix="Paris is", prefix_at=1)])
    assert alone.translation == begun.translation
    [blank] = translate.run(model, [Request(text=TEXT, beams=beams, max_new_tokens=NEW, prefix="  ", prefix_at=7)])
    assert blank.translation == free.translation


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"prefix": "Paris", "prefix_at": 2}, "no_such_sentence"),
        ({"prefix": "Paris", "prefix_at": -1}, "no_such_sentence"),
        ({"prefix": "Paris is the capital of France. " * 4}, "long_prefix"),
    ],
)
def test_a_prefix_that_cannot_be_is_refused(model, asked: dict, key: str) -> None:
    with pytest.raises(Problem) as caught:
        translate.run(model, [Request(text=TEXT, max_new_tokens=NEW, **asked)])
    assert caught.value.key == key


def test_the_tree_ends_in_the_translations_of_the_search(model) -> None:
    questions = [
        beam_tree.Request(text=TEXT, place=1, beams=3, max_new_tokens=NEW),
        beam_tree.Request(text=TEXT, place=0, beams=2, max_new_tokens=NEW, prefix="She"),
        beam_tree.Request(text=TEXT, place=0, beams=3, max_new_tokens=NEW),
    ]
    results = beam_tree.run(model, questions)
    for question, result in zip(questions, results):
        asked = Request(
            text=TEXT, beams=question.beams, max_new_tokens=NEW, alternatives=0, prefix=question.prefix, prefix_at=question.place
        )
        [translated] = translate.run(model, [asked])
        assert result.texts[0].text == translated.sentences[question.place].text and len(result.texts) == result.beams
        winner = [node for node in result.nodes if 0 in node.texts]
        assert tuple(node.word for node in winner) == translated.sentences[question.place].target_words
        assert [node.parent for node in winner[1:]] == [result.nodes.index(node) for node in winner[:-1]]
        assert any(not node.texts for node in result.nodes), "something was given up"
    assert results[1].given == len(model.tokenizer.encode_target("She").ids) - 1


@pytest.mark.parametrize(
    ("asked", "key"),
    [({"beams": 1}, "one_beam"), ({"place": 2}, "no_such_sentence"), ({"text": " "}, "empty_text"), ({"beams": 9}, "bad_beams")],
)
def test_what_has_no_tree_is_refused(model, asked: dict, key: str) -> None:
    for ask in (beam_tree.size, lambda model, request: beam_tree.run(model, [request])):
        with pytest.raises(Problem) as caught:
            ask(model, beam_tree.Request(**({"text": TEXT, "max_new_tokens": NEW} | asked)))
        assert caught.value.key == key
