"""Every endpoint of the page answers a program with the documented fields, from real (tiny) models."""

import math
from collections.abc import Callable

import gradio as gr
import pytest
from starlette.testclient import TestClient

from playground.service.playground import Playground
from playground.tasks import attend

TEXT = "The animal didn't cross the street because it was too tired."
ENDPOINTS = {
    "models": [],
    "attend": ["model", "text", "text_b", "target", "site", "head"],
    "weigh": ["model", "text", "text_b", "target", "site", "head", "query", "key"],
    "fill_mask": ["model", "text", "top_k", "candidates"],
    "fill_mask_decoder": ["model", "text", "candidates", "proposals"],
    "fill_masks": ["model", "text", "rounds"],
    "continue_translation": ["model", "text", "prefix", "sentence", "beams"],
    "beam_tree": ["model", "text", "sentence", "beams", "prefix"],
    "next_token": ["model", "prompt", "top_k", "top_p", "count"],
    "next_sentence": ["model", "first", "seconds"],
    "translate": ["model", "text", "beams", "alternatives", "max_new_tokens"],
    "generate": ["model", "prompt", "max_new_tokens", "temperature", "top_k", "top_p", "seed"],
    "tune": [
        *("model", "task", "methods", "steps", "seconds", "rate", "length", "rank", "seed", "data", "seeds"),
        *(
            "place",
            "start",
            "text",
            "shots",
            "template",
            "words",
            "hub_data",
            "reading",
            "head_rate",
            "soup",
            "adversarial",
            "teacher",
            "variants",
        ),
    ],
    "tuned": [],
    "export": ["name"],
    "attend_by": ["model", "text", "text_b", "target", "site", "head", "measure", "whole_words", "hide_special"],
    "heads": ["model", "text", "text_b", "target"],
    "saliency": ["model", "text", "text_b", "target"],
    "ablate": ["model", "text", "silent", "text_b", "target", "position", "top_k"],
    "logit_lens": ["model", "text", "text_b", "target", "position", "top_k"],
}


def test_the_public_endpoints_are_exactly_the_documented_ones(client: TestClient) -> None:
    described = client.get("/gradio_api/info").json()["named_endpoints"]
    assert {name.strip("/"): [field["parameter_name"] for field in one["parameters"]] for name, one in described.items()} == ENDPOINTS


def test_every_field_of_every_endpoint_is_described(tiny_page: gr.Blocks, client: TestClient) -> None:
    described = client.get("/gradio_api/info").json()["named_endpoints"]
    for name, fields in ENDPOINTS.items():
        text = described[f"/{name}"]["description"]
        assert len(text) > 40, name
        assert all(field["python_type"]["type"] for field in described[f"/{name}"]["parameters"])
        assert all(field in text for field in fields if field not in ("model", "text", "prompt", "first")), (name, text)


def test_predictions_do_not_wait_for_each_other(tiny_page: gr.Blocks) -> None:
    slow = [fn for fn in tiny_page.fns.values() if fn.queue and fn.fn is not None]
    assert slow and all(fn.concurrency_limit is None for fn in slow)


def test_the_handlers_of_the_page_are_not_part_of_the_api(tiny_page: gr.Blocks) -> None:
    public = {fn.api_name for fn in tiny_page.fns.values() if fn.api_visibility != "private"}
    assert public == set(ENDPOINTS)


def test_models_lists_what_each_model_can_do(call: Callable) -> None:
    # Results of tunings stand in the list too, and other tests may have made some.
    rows = {row["name"]: row for row in call("models") if " + " not in row["name"]}
    assert set(rows) == {"tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian"}
    assert all(set(row) == {"name", "family", "tasks", "languages", "parameters", "licence", "size_mb", "ready"} for row in rows.values())
    assert set(rows["tiny-bert"]["tasks"]) == {"attend", "fill_mask", "next_sentence", "tune"}
    assert set(rows["tiny-marian"]["tasks"]) == {"attend", "translate", "tune"}
    assert set(rows["tiny-llama"]["tasks"]) == {"attend", "fill_mask_decoder", "generate", "tune"}
    assert all(row["ready"] for row in rows.values())


@pytest.mark.parametrize(
    ("model", "target", "kinds"),
    [
        ("tiny-bert", "", {"encoder.self"}),
        ("tiny-gpt2", "", {"decoder.self"}),
        ("tiny-llama", "", {"decoder.self"}),
        ("tiny-marian", "She drank tea.", {"encoder.self", "decoder.self", "decoder.cross"}),
    ],
)
def test_attend_gives_rows_that_sum_to_one_for_every_architecture(call: Callable, model: str, target: str, kinds: set[str]) -> None:
    answer = call("attend", model, TEXT, "", target, "", -1)
    assert set(answer) == {"words_query", "words_key", "sites", "heads", "site", "head", "weights"}
    assert {f"{site.split('.')[0]}.{site.split('.')[2]}" for site in answer["sites"]} == kinds
    assert answer["site"] == answer["sites"][-1] and answer["head"] == -1 and answer["heads"] == 4
    for site in answer["sites"]:
        one = call("attend", model, TEXT, "", target, site, 2)
        assert len(one["weights"]) == len(one["words_query"]) and len(one["weights"][0]) == len(one["words_key"])
        assert all(math.isclose(sum(row), 1, abs_tol=1e-4) for row in one["weights"])
        if site.startswith("decoder") and site.endswith("self"):
            assert all(weight == 0 for place, row in enumerate(one["weights"]) for weight in row[place + 1 :])


def test_the_mean_of_heads_is_the_mean_of_the_heads(call: Callable) -> None:
    heads = [call("attend", "tiny-bert", TEXT, "", "", "encoder.0.self", head)["weights"] for head in range(4)]
    mean = call("attend", "tiny-bert", TEXT, "", "", "encoder.0.self", -1)["weights"]
    assert mean[3][4] == pytest.approx(sum(head[3][4] for head in heads) / 4, abs=2e-6)


def test_attend_reads_a_second_text(call: Callable) -> None:
    answer = call("attend", "tiny-bert", "tea", "coffee", "", "", -1)
    assert answer["words_query"].count("[SEP]") == 2


def test_fill_mask_gives_the_best_words_of_every_mask(call: Callable) -> None:
    answer = call("fill_mask", "tiny-bert", "She drank a [MASK] of [MASK].", 7, [])
    assert set(answer) == {"words", "masks"} and len(answer["masks"]) == 2
    for mask in answer["masks"]:
        shares = [candidate["probability"] for candidate in mask["candidates"]]
        assert len(shares) == 7 and shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1
        assert answer["words"][mask["position"]] == "[MASK]"


def test_fill_mask_compares_the_words_it_is_given(call: Callable) -> None:
    free = call("fill_mask", "tiny-bert", "She drank a cup of [MASK].", 90, [])["masks"][0]["candidates"]
    whole = [one for one in free if one["word"].isascii() and one["word"].isalpha()]
    chosen = [whole[-1], whole[2]]
    answer = call("fill_mask", "tiny-bert", "She drank a cup of [MASK].", 10, [one["word"] for one in chosen])
    given = answer["masks"][0]["candidates"]
    assert [one["word"] for one in given] == [one["word"] for one in reversed(chosen)]
    assert [one["probability"] for one in given] == pytest.approx([one["probability"] for one in reversed(chosen)], rel=1e-4)


def test_fill_mask_decoder_gives_both_shares_of_every_candidate(call: Callable) -> None:
    answer = call("fill_mask_decoder", "tiny-llama", "She drank a cup of [MASK] in the morning.", ["tea", "coffee", "sandwich"], 50)
    assert set(answer) == {"candidates", "covered", "cut"} and answer["cut"] == 0 and 0 < answer["covered"] <= 1
    assert {one["word"] for one in answer["candidates"]} == {"tea", "coffee", "sandwich"}
    for share in ("left", "both"):
        assert math.isclose(sum(one[share] for one in answer["candidates"]), 1, abs_tol=1e-6)
    both = [one["both"] for one in answer["candidates"]]
    assert both == sorted(both, reverse=True)
    assert not any(one["estimated"] for one in answer["candidates"])
    assert len(call("fill_mask_decoder", "tiny-gpt2", "She drank a cup of [MASK].", [], 6)["candidates"]) == 6


def test_a_long_right_side_is_read_to_the_end_by_the_better_candidates(call: Callable) -> None:
    long = "She drank a cup of [MASK] in the morning" + " and took the bus to the city because it rained" * 3 + "."
    found = call("fill_mask_decoder", "tiny-gpt2", long, [], 40)["candidates"]
    assert 10 <= sum(not one["estimated"] for one in found) < len(found) == 40
    assert math.isclose(sum(one["both"] for one in found), 1, abs_tol=1e-6)


@pytest.mark.parametrize("text", ["no gap", "[MASK] and [MASK]"])
def test_fill_mask_decoder_refuses_any_other_number_of_gaps(call: Callable, text: str) -> None:
    for language in ("en", "zh"):
        said = call("fill_mask_decoder", "tiny-gpt2", text, [], 5, language=language)
        assert said.startswith("refused: ") and "[MASK]" in said


def test_next_sentence_answers_in_the_order_of_the_question(call: Callable) -> None:
    seconds = ["The streets were still wet.", "Paris is the capital of France.", "小猫没有过马路。"]
    together = call("next_sentence", "tiny-bert", "It had been raining all night.", seconds)
    assert [one["sentence"] for one in together] == seconds
    alone = [call("next_sentence", "tiny-bert", "It had been raining all night.", [second])[0]["probability"] for second in seconds]
    assert [one["probability"] for one in together] == pytest.approx(alone, abs=1e-4)


def test_translate_aligns_every_target_word_with_the_source(call: Callable) -> None:
    answer = call("translate", "tiny-marian", "我昨天在图书馆借了三本书。\n今天下雨了。", 3, 2, 20)
    assert set(answer) == {"translation", "alternatives", "source_words", "target_words", "alignment"}
    assert len(answer["alignment"]) == len(answer["target_words"]) and len(answer["alignment"][0]) == len(answer["source_words"])
    assert all(math.isclose(sum(row), 1, abs_tol=1e-3) for row in answer["alignment"])
    assert len(answer["alternatives"]) == 2 and all(set(other) == {"text", "score"} for other in answer["alternatives"])
    assert answer["translation"].count("\n") == 1


def test_the_weights_are_those_of_the_service(call: Callable, tiny_playground: Playground) -> None:
    result = tiny_playground.ask("tiny-gpt2", "attend", attend.Request(text=TEXT))
    answer = call("attend", "tiny-gpt2", TEXT, "", "", "decoder.1.self", 3)
    assert answer["weights"][4] == pytest.approx(result.weights("decoder.1.self", 3)[4].tolist(), abs=1e-6)
