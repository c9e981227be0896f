"""Measures, heads and saliency for programs, over HTTP."""

from collections.abc import Callable

import pytest

TEXT = "The grandmothers are tired."


def test_whole_words_and_other_measures_answer_a_program(call: Callable) -> None:
    plain = call("attend", "tiny-bert", TEXT, "", "", "encoder.0.self", 2)
    answer = call("attend_by", "tiny-bert", TEXT, "", "", "encoder.0.self", 2, "weights", True, False)
    assert answer["words_query"] == ["[CLS]", "the", "grandmothers", "are", "tired", ".", "[SEP]"]
    assert len(plain["words_query"]) > len(answer["words_query"])
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in answer["values"])
    hidden = call("attend_by", "tiny-bert", TEXT, "", "", "encoder.0.self", 2, "weights", True, True)
    assert hidden["words_key"] == answer["words_key"][1:-1]
    assert hidden["values"] == [row[1:-1] for row in answer["values"][1:-1]]
    for measure in ("value", "gradient", "rollout"):
        values = call("attend_by", "tiny-llama", TEXT, "", "", "", -2, measure, False, False)["values"]
        assert min(map(min, values)) >= 0 and max(map(max, values)) > 0


def test_what_there_is_not_is_refused_in_one_sentence(call: Callable) -> None:
    assert "true or false" in call("attend_by", "tiny-bert", TEXT, "", "", "", -1, "weights", 1, False)
    for given in (["", -1, "length"], ["encoder.9.self", -1, "weights"], ["decoder.0.cross", -1, "rollout"], ["", 9, "weights"]):
        answer = call("attend_by", "tiny-marian", TEXT, "", "tea", *given, False, False)
        assert answer.startswith("refused: "), given


def test_heads_and_saliency_answer_a_program(call: Callable) -> None:
    rows = call("heads", "tiny-marian", TEXT, "", "She drank tea")
    assert len(rows) == 24 and {row["distance"] is None for row in rows if row["site"].endswith("cross")} == {True}
    found = call("saliency", "tiny-llama", TEXT, "", "")
    assert found["aim"] == "next" and found["word"]
    [stack] = found["stacks"]
    assert len(stack["words"]) == len(stack["saliency"]) > 4 and any(stack["saliency"])
