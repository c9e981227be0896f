"""What the tabs of the questions show beyond the first answer, and their endpoints."""

import json
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from playground.tasks import beam_tree, fill_mask, fill_masks, generate, next_sentence, translate
from playground.ui import beam_tree as tree
from playground.ui import minimal_pairs
from playground.ui.branches import Branch, kept
from playground.ui.coloured import options
from playground.ui.fillings import chip, chips, together
from playground.ui.linked_words import linked, until

TWO = "She [MASK] a cup of [MASK] in the morning."


def handler(page: gr.Blocks, tab: str, name: str):
    """A handler of a tab."""
    return next(fn.fn for fn in page.fns.values() if fn.fn and (fn.fn.__module__, fn.fn.__name__) == (f"playground.tabs.{tab}", name))


def test_fill_masks_gives_the_three_ways(call) -> None:
    answer = call("fill_masks", "tiny-bert", TWO, 4)
    assert [one["way"] for one in answer] == list(fill_masks.WAYS)
    for one in answer:
        assert set(one) == {"way", "words", "text", "score", "rounds", "settled"} and one["score"] < 0
        assert len(one["words"]) == 2 and "[MASK]" not in one["text"]
    assert call("fill_masks", "tiny-bert", TWO, 0).startswith("refused: ")
    assert call("fill_masks", "tiny-gpt2", TWO, 4).startswith("refused: ")


def test_a_long_right_side_is_said_to_be_read_to_the_end_by_some(tiny_page: gr.Blocks) -> None:
    fill = handler(tiny_page, "masked_word", "fill")
    *_, short = fill("en", "tiny-bert", "tiny-gpt2", "She drank a cup of [MASK] in the morning.", "", 5)
    *_, long = fill("en", "tiny-bert", "tiny-gpt2", "She drank [MASK] in the morning" + " and took the bus to the city" * 4 + ".", "", 5)
    assert "It tried" in short[0] or "It had to try" in short[0]
    assert "are estimates" not in short[0] and "only the 10 words that went on best read all of it" in long[0]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_several_gaps_are_filled_together_and_one_is_not(tiny_page: gr.Blocks, language: str) -> None:
    fill = handler(tiny_page, "masked_word", "fill")
    first, second = fill(language, "tiny-bert", "", TWO, "", 5)
    assert first[4] == "" and second[4].count("<mark") == 6 and second[4].count("<li") == 3
    assert len(list(fill(language, "tiny-bert", "", "A cup of [MASK].", "", 5))) == 1
    *_, long = fill(language, "tiny-bert", "", "[MASK] and " * 13, "", 2)
    assert "12" in long[4] and "<ol" not in long[4], "the gaps by themselves are answered all the same"


def test_a_clicked_word_is_put_in_and_the_other_gaps_are_asked_again(tiny_page: gr.Blocks, tiny_playground) -> None:
    put = handler(tiny_page, "masked_word", "put")
    request = fill_mask.Request(text=TWO, top_k=5)
    asked, rest = (("tiny-bert", request), None), ("tiny-bert", "", TWO, "", 5)
    result = tiny_playground.ask("tiny-bert", fill_mask.NAME, request)
    for event in (SimpleNamespace(index=6), SimpleNamespace(y=260.0)):  # the second word of the second gap, in both
        mask, candidate = chip(result, 6)
        [update] = put("en", asked, *rest, event)
        assert update[5].startswith("She [MASK] a cup of") and update[5].endswith("in the morning.")
        assert update[5].count("[MASK]") == 1 and candidate.word.removeprefix("##") in update[5] and mask == result.masks[1]
        assert len(json.loads(update[2]["figure"])["data"][0]["y"]) == 5, "one gap is left"
    alone = fill_mask.Request(text="A [MASK]")
    [last] = put("en", (("tiny-bert", alone), None), "tiny-bert", "", alone.text, "", 5, SimpleNamespace(index=0))
    assert "[MASK]" not in last[5] and "Every gap" in last[0]
    [refused] = put("en", asked, "tiny-bert", "", "Another [MASK].", "", 5, SimpleNamespace(index=6))
    assert "no longer" in next(iter(refused.values()))
    assert list(put("en", None, *rest, SimpleNamespace(index=0))) == list(put("en", asked, *rest, SimpleNamespace(index=99))) == []


def test_what_a_visitor_typed_is_escaped_in_fillings(tiny_playground) -> None:
    request = "<b>She</b> [MASK] tea\nand [MASK]"
    shown = together(tiny_playground.ask("tiny-bert", fill_masks.NAME, fill_masks.Request(text=request)), "en")
    assert "<b>She" not in shown and "&lt;b&gt;She" in shown and "<br>" in shown
    assert "<button" in chips(tiny_playground.ask("tiny-bert", fill_mask.NAME, fill_mask.Request(text=request)), "zh")


def test_minimal_pairs_differ_in_one_thing_and_are_judged_by_the_chosen_model(tiny_page: gr.Blocks, tiny_playground) -> None:
    pairs = minimal_pairs.pairs()
    assert len(pairs) == len(set(pairs)) and {pair.kind for pair in pairs} == {"random", "topic", "swapped", "negated"}
    for pair in pairs:
        if pair.kind == "swapped":
            assert (pair.wrong.first, pair.wrong.second) == (pair.right.second, pair.right.first)
        else:
            assert pair.wrong.first == pair.right.first and pair.wrong.second != pair.right.second
    judge = handler(tiny_page, "next_sentence", "judge")
    notice, model, shown = judge("en", "tiny-bert")
    assert (notice, model) == ("", "tiny-bert") and shown.count("<tr>") == 5 and shown.count("<li>") == len(pairs)
    told = 0
    for pair in [pair for pair in pairs if pair.kind == "swapped"]:
        right, wrong = tiny_playground.ask_all("tiny-bert", next_sentence.NAME, [pair.right, pair.wrong])
        told += right.probability > wrong.probability
    assert f"The two sentences swapped</th><td>{told} of 8</td>" in shown
    assert "两句颠倒" in judge("zh", "tiny-bert")[2]
    assert "problem" in next(iter(judge("en", "tiny-gpt2").values()))


def test_a_translation_goes_on_from_a_beginning_over_the_api(call) -> None:
    answer = call("continue_translation", "tiny-marian", "今天下雨了。", "Paris is", 0, 2)
    assert answer["translation"].startswith("Paris is") and 0 < answer["given"] < len(answer["words"]) == len(answer["probabilities"])
    assert call("continue_translation", "tiny-marian", "今天下雨了。", "Paris", 3, 2).startswith("refused: ")
    nodes = call("beam_tree", "tiny-marian", "今天下雨了。", 0, 3, "Paris")
    assert set(nodes[0]) == {"word", "parent", "step", "score", "texts"} and nodes[0]["parent"] == -1
    assert all(-1 <= node["parent"] < place for place, node in enumerate(nodes))
    assert call("beam_tree", "tiny-marian", "今天下雨了。", 0, 1, "").startswith("refused: ")


def test_words_are_linked_by_the_alignment_and_escaped() -> None:
    weights = np.array([[0.9, 0.06, 0.04], [0.1, 0.2, 0.7]], dtype=np.float32)
    words = {"source_words": ("▁<b>", "京", "</s>"), "target_words": ("▁two", "▁words")}
    one = translate.Sentence(**words, text="two words", alternatives=(), alignment=weights, probabilities=weights[:, 0], given=1)
    shown = linked(one, "en")
    assert 'data-side="t" data-index="0" data-links="0:0.90 1:0.06" tabindex="0"' in shown and shown.count("linked given") == 1
    assert 'data-side="s" data-index="2" data-links="1:0.70" tabindex="-1"' in shown
    assert "&lt;b&gt; 90.0 %" in shown and "<b>" not in shown
    assert until(one, 0) == "two" and until(one, 1) == "two words"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tree_is_drawn_with_a_box_for_each_word(tiny_playground, language: str) -> None:
    result = tiny_playground.ask("tiny-marian", beam_tree.NAME, beam_tree.Request(text="今天下雨了。", beams=3, max_new_tokens=6))
    shown = tree.drawn(result, language)
    assert shown.count("<rect") == len(result.nodes) and shown.count("<path") == sum(node.parent >= 0 for node in result.nodes)
    given_up = sum(not node.texts for node in result.nodes)
    assert shown.count('<g class="pruned') == given_up and "#1 " in shown and "NaN" not in shown


def test_the_tab_takes_a_beginning_from_a_clicked_word_and_keeps_it(tiny_page: gr.Blocks) -> None:
    render, begin, climb = (handler(tiny_page, "translation", name) for name in ("render", "begin", "climb"))
    visitor = SimpleNamespace(session_hash="me")
    first, _ = render("en", "tiny-marian", "今天下雨了。\n小猫累了。", 2, 0, "Paris is", 1, visitor)
    done = first[1]
    assert done[2].sentences[1].text.startswith("Paris is") and first[4]["value"] == 1 and "linked given" in first[5]
    notice, prefix, place = begin("en", done, 1, SimpleNamespace(side="t", index=1))
    assert "sentence 2" in notice and place == 1 and done[2].sentences[1].text.startswith(prefix)
    assert begin("en", done, 1, SimpleNamespace(side="s", index=1)) == gr.skip() == begin("en", None, 0, SimpleNamespace(side="t", index=1))
    assert "<svg" in climb("en", done, 1)[1] and "first" in climb("en", None, None)[0]


def test_a_generated_text_branches_and_goes_back(tiny_page: gr.Blocks) -> None:
    write, leave, inspect, back, warm = (handler(tiny_page, "generation", name) for name in ("write", "leave", "inspect", "back", "warm"))
    visitor = SimpleNamespace(session_hash="me")
    told = list(write("en", "tiny-gpt2", "She drank", 8, 0.7, 50, 1.0, 1, False, visitor))
    saved, listed = told[-1][4], [one[6]["value"] for one in told if "value" in one[6]]
    assert len(saved) == 1 and listed == [None, 1], "chosen once: a visitor may choose another while it grows"
    table, place = inspect("en", saved, 1, SimpleNamespace(index=2))
    assert place == 2 and table.count("<button") == table.count("<tr") - 1, "every token but the chosen one can be clicked"
    rank = next(rank for rank, option in enumerate(options(saved[0].steps[2])) if option[2] not in (saved[0].steps[2].token, 0))
    told = list(leave("en", saved, 1, 2, 8, SimpleNamespace(index=rank), visitor))
    last, (update,) = told[-1], [one[6] for one in told if "value" in one[6]]
    first, branch = last[4]
    assert first == saved[0] and (branch.number, branch.parent, branch.place) == (2, 1, 2)
    assert update["visible"] and update["value"] == 2
    assert [step.token for step in branch.steps[:2]] == [step.token for step in first.steps[:2]]
    assert branch.steps[2].token == options(first.steps[2])[rank][2] and 3 <= len(branch.steps) <= 11
    assert "branch 1, token 3" in update["choices"][1][0] and back("en", last[4], 1, visitor)[0] != back("en", last[4], 2, visitor)[0]
    for wrong in ((saved, 1, None), (saved, 1, 99), ((), None, 0)):
        assert list(leave("en", *wrong, 8, SimpleNamespace(index=0), visitor)) == []
    notice, drawn = warm("zh", True, last[4], 2, 2, None, "", False, 5, 0.9)
    bars = json.loads(drawn["figure"])["data"]
    assert notice == "" and len(bars) == 4 and "温度" in drawn["description"]
    assert warm("en", False, last[4], 2, 2, None, "", False, 5, 0.9) == gr.skip()
    assert len(json.loads(warm("en", True, (), None, None, "tiny-gpt2", "Paris", False, 0, 1)[1]["figure"])["data"]) == 4


def test_of_too_many_branches_the_first_and_the_newest_stay() -> None:
    one = Branch(number=1, model="m", question=generate.Request(prompt="a"), steps=())
    found = (one,)
    for number in range(2, 12):
        found = kept(found, replace(one, number=number, parent=1))
    assert [branch.number for branch in found] == [1, *range(5, 12)]


def test_next_token_gives_every_temperature(call) -> None:
    answer = call("next_token", "tiny-llama", "She drank", 3, 1.0, 5)
    assert len(answer) == 5 and all(len(one["probabilities"]) == len(one["drawn"]) == 4 for one in answer)
    assert [one["drawn"][0] > 0 for one in answer] == [True] * 3 + [False] * 2
    assert answer[0]["probabilities"] == sorted(answer[0]["probabilities"], reverse=True), "warmth takes from the likeliest"
    assert call("next_token", "tiny-llama", "She drank", 0, 0.0, 5).startswith("refused: ")
