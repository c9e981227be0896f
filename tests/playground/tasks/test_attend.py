"""Attention weights are those of `transformers`, for every site and head, whatever else is in the batch."""

import dataclasses

import numpy as np
import pytest
import torch

from models.errors import Problem
from models.trace import Trace
from playground.tasks import attend
from playground.tasks.attend import Request

TEXTS = ["The animal didn't cross the street because it was too tired.", "Paris", "我昨天在图书馆借了三本书。 tea 😀"]
CLOSE = {"rtol": 1e-4, "atol": 2e-6}


@pytest.mark.parametrize("second", ["", "It was too wide."])
def test_an_encoder_looks_where_transformers_says(ours, theirs, second: str) -> None:
    model, reference = ours("tiny-bert"), theirs("tiny-bert")
    results = attend.run(model, [Request(text=text, second=second) for text in TEXTS])
    for text, result in zip(TEXTS, results):
        row = model.tokenizer.encode(text, second or None)
        with torch.no_grad():
            expected = reference(torch.tensor([row.ids]), token_type_ids=torch.tensor([row.segments]), output_attentions=True).attentions
        assert result.sites == tuple(f"encoder.{layer}.self" for layer in range(3))
        for site, weights in zip(result.sites, expected):
            np.testing.assert_allclose(result.all_weights(site), weights[0].numpy(), **CLOSE)
            assert result.words_at(site) == (row.words, row.words)
        assert result.special["encoder"] == row.special and not result.causal


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama"])
def test_a_decoder_looks_where_transformers_says(ours, theirs, name: str) -> None:
    model, reference = ours(name), theirs(name)
    results = attend.run(model, [Request(text=text) for text in TEXTS])
    for text, result in zip(TEXTS, results):
        row = model.tokenizer.encode(text)
        with torch.no_grad():
            expected = reference(torch.tensor([row.ids]), output_attentions=True).attentions
        assert result.causal == set(result.sites) == {"decoder.0.self", "decoder.1.self"}
        for site, weights in zip(result.sites, expected):
            mine = result.all_weights(site)
            np.testing.assert_allclose(mine, weights[0].numpy(), **CLOSE)
            assert not np.triu(mine, 1).any()
            assert result.heads(site) == 4


def test_a_translator_with_a_given_target_looks_where_transformers_says(ours, theirs) -> None:
    model, reference = ours("tiny-marian"), theirs("tiny-marian")
    targets = ["The capital of France", "tea", "She drank a cup of coffee in the morning"]
    results = attend.run(model, [Request(text=text, target=target) for text, target in zip(TEXTS, targets)])
    for text, target, result in zip(TEXTS, targets, results):
        source, forced = model.tokenizer.encode(text), model.tokenizer.encode_target(target).ids[:-1]
        with torch.no_grad():
            expected = reference(
                input_ids=torch.tensor([source.ids]),
                decoder_input_ids=torch.tensor([[model.config.start_id, *forced]]),
                output_attentions=True,
            )
        assert result.sites == (
            "encoder.0.self", "encoder.1.self", "decoder.0.self", "decoder.0.cross", "decoder.1.self", "decoder.1.cross",
        )  # fmt: skip
        assert result.causal == {"decoder.0.self", "decoder.1.self"}
        for kind, attentions in [
            ("encoder.{}.self", expected.encoder_attentions),
            ("decoder.{}.self", expected.decoder_attentions),
            ("decoder.{}.cross", expected.cross_attentions),
        ]:
            for layer, weights in enumerate(attentions):
                np.testing.assert_allclose(result.all_weights(kind.format(layer)), weights[0].numpy(), **CLOSE)
        words = ("‹start›", *model.tokenizer.words(forced))
        assert result.words_at("decoder.0.cross") == (words, source.words)
        assert result.words_at("decoder.0.self") == (words, words)
        assert result.words_at("encoder.0.self") == (source.words, source.words)


def test_a_translator_without_a_target_shows_its_own_translation(ours, theirs) -> None:
    model, reference = ours("tiny-marian"), theirs("tiny-marian")
    requests = [Request(text=text) for text in TEXTS]
    requests.insert(1, Request(text=TEXTS[0], target="tea"))
    results = attend.run(model, requests)
    for request, result in zip(requests, results):
        source = model.tokenizer.encode(request.text)
        longest = 2 * len(source) + 16
        written = reference.generate(
            torch.tensor([source.ids]), num_beams=1, do_sample=False, max_new_tokens=longest, min_new_tokens=0, forced_eos_token_id=None
        )[0].tolist()
        expected = [index for index in written[1:] if index != model.tokenizer.eos_id]
        if not request.target:
            assert result.words["decoder"] == ("‹start›", *model.tokenizer.words(expected))
        else:
            assert result.words["decoder"] == ("‹start›", *model.tokenizer.encode_target("tea").words[:-1])


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian"])
def test_a_batch_gives_what_each_request_gives_alone(ours, name: str) -> None:
    model = ours(name)
    target = "tea and a sandwich" if name == "tiny-marian" else ""
    requests = [Request(text=text, target=target[: 3 + 5 * i]) for i, text in enumerate([*TEXTS, TEXTS[0] * 4])]
    together, alone = attend.run(model, requests), [attend.run(model, [request])[0] for request in requests]
    for one, other in zip(together, alone):
        assert one.words == other.words and one.sites == other.sites
        for site in one.sites:
            np.testing.assert_allclose(one.queries[site], other.queries[site], rtol=1e-4, atol=2e-5)
            np.testing.assert_allclose(one.all_weights(site), other.all_weights(site), **CLOSE)


def test_one_head_and_the_mean_of_heads_are_parts_of_all_weights(ours) -> None:
    for name in ("tiny-bert", "tiny-llama"):
        result = attend.run(ours(name), [Request(text=TEXTS[0])])[0]
        for site in result.sites:
            every = result.all_weights(site)
            assert every.dtype == np.float32 and every.shape[0] == result.heads(site)
            np.testing.assert_allclose(every.sum(-1), 1, rtol=1e-5)
            np.testing.assert_allclose(result.weights(site), every.mean(0), rtol=1e-6)
            np.testing.assert_array_equal(result.weights(site, -2), every.max(0))
            for head in range(result.heads(site)):
                np.testing.assert_array_equal(result.weights(site, head), every[head])


def test_a_sliding_window_hides_what_is_far_away(ours) -> None:
    model = ours("tiny-llama")
    narrow = dataclasses.replace(model, config=dataclasses.replace(model.config, sliding_window=4))
    narrow.network = type(model.network).build(narrow.config)
    narrow.network.load_state_dict(model.network.state_dict(), assign=True)
    narrow.network.tie()
    result = attend.run(narrow, [Request(text=TEXTS[0])])[0]
    row, trace = narrow.tokenizer.encode(TEXTS[0]), Trace({"weights"})
    with torch.no_grad():
        narrow.network.decode(narrow.batch([row]), trace=trace)
    assert result.window == 4
    for site in result.sites:
        mine = result.all_weights(site)
        np.testing.assert_allclose(mine, trace.get(site, "weights")[0].numpy(), **CLOSE)
        assert ((mine > 0).sum(-1) <= 4).all()


def test_arrays_are_small_copies_that_belong_to_one_visitor(ours) -> None:
    result = attend.run(ours("tiny-bert"), [Request(text=text) for text in TEXTS])[1]
    for array in (*result.queries.values(), *result.keys.values()):
        assert array.base is None and array.dtype == np.float32 and array.shape[1] == len(result.words["encoder"])


def test_a_text_that_is_too_long_is_cut_and_says_so(ours) -> None:
    for name in ("tiny-bert", "tiny-gpt2"):
        model = ours(name)
        result = attend.run(model, [Request(text="tea " * 500)])[0]
        stack = result.sites[0].split(".")[0]
        assert len(result.words[stack]) == result.limit == 128
        assert result.cut == len(model.tokenizer.encode("tea " * 500)) - 128
    result = attend.run(ours("tiny-marian"), [Request(text="tea", target="tea " * 500)])[0]
    assert len(result.words["decoder"]) == 128 and result.cut > 300


def test_only_queries_and_keys_are_traced_so_that_the_fused_kernel_runs(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.attention.explicit_attention", lambda *a, **k: pytest.fail("the slow path ran"))
    for name in ("tiny-bert", "tiny-llama", "tiny-marian"):
        attend.run(ours(name), [Request(text=TEXTS[0]), Request(text=TEXTS[1])])


@pytest.mark.parametrize(
    ("name", "request_", "key"),
    [
        ("tiny-bert", Request(text=""), "empty_text"),
        ("tiny-bert", Request(text=" \n\t "), "empty_text"),
        ("tiny-bert", Request(text="\u200b\x01\ufffd"), "nothing_to_read"),
        ("tiny-bert", Request(text="a", target="b"), "no_target_text"),
        ("tiny-gpt2", Request(text="a", second="b"), "no_second_text"),
        ("tiny-gpt2", Request(text="a", target="b"), "no_target_text"),
        ("tiny-marian", Request(text="a", second="b"), "no_second_text"),
        ("tiny-marian", Request(text="a", target="\u200b"), "nothing_to_read"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_sentence(ours, name: str, request_: Request, key: str) -> None:
    for ask in (lambda: attend.size(ours(name), request_), lambda: attend.run(ours(name), [request_])):
        with pytest.raises(Problem) as caught:
            ask()
        assert caught.value.key == key


def test_a_model_that_cannot_attend_is_refused(ours) -> None:
    silent = dataclasses.replace(ours("tiny-bert"), tasks=frozenset())
    with pytest.raises(Problem, match="task_impossible"):
        attend.size(silent, Request(text="a"))


def test_an_unknown_site_or_head_is_the_callers_mistake(ours) -> None:
    result = attend.run(ours("tiny-bert"), [Request(text="tea")])[0]
    for ask in (result.weights, result.all_weights, result.heads, result.words_at):
        with pytest.raises(ValueError, match="'encoder.9.self'.*encoder.0.self"):
            ask("encoder.9.self")
    for head in (4, -3):
        with pytest.raises(ValueError, match="heads 0 to 3"):
            result.weights("encoder.0.self", head)


def test_size_counts_the_longer_of_source_and_target(ours) -> None:
    assert attend.size(ours("tiny-bert"), Request(text="tea")) == len(ours("tiny-bert").tokenizer.encode("tea"))
    short, long = Request(text="tea", target="a"), Request(text="tea", target="She drank a cup of tea in the morning")
    assert attend.size(ours("tiny-marian"), long) > attend.size(ours("tiny-marian"), short)
    assert hash(short) != hash(long) and short == dataclasses.replace(short)


@pytest.mark.parametrize(
    "text", ["😀👩‍👩‍👧", "\x00\x07\x1b[31m", "עברית ثم العربية", "<b onclick=x>&amp;</b>", "\ud83d a \udfff", "[MASK]" * 20, "[SEP]</s>"]
)
def test_any_text_has_words_that_can_be_shown(ours, text: str) -> None:
    for name in ("tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian"):
        result = attend.run(ours(name), [Request(text=f"tea {text}")])[0]
        for words in result.words.values():
            "".join(words).encode()
            assert not any("\ufffd" in word for word in words)
