"""Measures of attention, by hand on paper first."""

from types import SimpleNamespace

import numpy as np
import pytest

from playground.tasks import attend
from playground.tasks.head_table import Head, counted, heads, heads_of, punctuation
from playground.tasks.measures import MAX, MEAN, maps, over_heads, rollout


def seen(weights: dict[str, list], words: list[str], special: tuple[int, ...] = (), **more) -> SimpleNamespace:
    """As much of a result as the measures read, with the weights (H, Q, K) given."""
    made = {site: np.array(one, dtype=np.float32) for site, one in weights.items()}
    stack = next(iter(made)).split(".")[0]
    marks = tuple(place in special for place in range(len(words)))
    common = dict(sites=tuple(made), causal=frozenset(), before={}, window=None, words={stack: tuple(words)}, special={stack: marks})
    return SimpleNamespace(**common | more, all_weights=made.__getitem__, weights=lambda site: made[site].mean(0))


def test_rollout_is_the_product_of_half_attention_and_half_identity() -> None:
    first, second = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    # 0.5 W + 0.5 I: [[1, 0], [.25, .75]] and [[.5, .5], [0, 1]]; their product by hand
    np.testing.assert_allclose(rollout(first), [[1, 0], [0.25, 0.75]])
    np.testing.assert_allclose(rollout(second, rollout(first)), [[0.625, 0.375], [0.25, 0.75]])
    result = seen({"encoder.0.self": [first], "encoder.1.self": [second]}, ["a", "b"])
    found = maps(result, "rollout")
    for _ in range(2):  # asked again, and from the top
        np.testing.assert_allclose(found("encoder.1.self"), [[[0.625, 0.375], [0.25, 0.75]]])
        np.testing.assert_allclose(found("encoder.0.self"), [[[1, 0], [0.25, 0.75]]])


def test_rollout_leaves_the_keys_of_a_prefix_empty_and_makes_rows_whole() -> None:
    result = seen({"decoder.0.self": [[[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]]]}, ["a", "b"], before={"decoder.0.self": 1})
    # without the prefix [[.5, 0], [.25, .25]]; halved, with half an identity: [[.75, 0], [.125, .625]]; rows made to sum to 1
    np.testing.assert_allclose(maps(result, "rollout")("decoder.0.self"), [[[0, 1, 0], [0, 1 / 6, 5 / 6]]], rtol=1e-6)
    with pytest.raises(ValueError, match="self-attention only"):
        maps(result, "rollout")("decoder.0.cross")


def test_a_weight_times_the_length_of_what_it_passes_on_and_times_its_gradient() -> None:
    site = "encoder.0.self"
    result = seen({site: [[[0.25, 0.75], [0.5, 0.5]]]}, ["a", "b"])
    more = SimpleNamespace(norms={site: np.array([[4.0, 2.0]])}, gradients=lambda site: np.array([[[2.0, -1.0], [0.0, 4.0]]]))
    np.testing.assert_allclose(maps(result, "value", more)(site), [[[1, 1.5], [2, 1]]])
    np.testing.assert_allclose(maps(result, "gradient", more)(site), [[[0.5, 0], [0, 2]]])
    with pytest.raises(ValueError, match="task attribute"):
        maps(result, "value")


def test_mean_and_largest_of_heads() -> None:
    heads_ = np.array([[[0.2, 0.8]], [[0.6, 0.4]]])
    np.testing.assert_allclose(over_heads(heads_, MEAN), [[0.4, 0.6]])
    np.testing.assert_allclose(over_heads(heads_, MAX), [[0.6, 0.8]])
    np.testing.assert_allclose(over_heads(heads_, 1), [[0.6, 0.4]])
    np.testing.assert_allclose(over_heads(heads_[:1], 7), [[0.2, 0.8]])


def test_the_numbers_of_a_head() -> None:
    weights = [[0, 0.5, 0.5, 0], [1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0, 0, 1, 0]]
    head = heads_of(seen({"encoder.0.self": [weights]}, ["[CLS]", "tea", ",", "[SEP]"], (0, 3)), "encoder.0.self")[0]
    assert head.entropy == pytest.approx((1 + 0 + 2 + 0) / 4)
    assert head.spread == pytest.approx((1 / 2 + 0 + 1 + 0) / 4)
    assert head.distance == pytest.approx((1.5 + 1 + (2 + 1 + 0 + 1) / 4 + 1) / 4)
    assert head.previous == pytest.approx((1 + 0.25 + 1) / 3)
    assert head.same == pytest.approx(0.25 / 4) and head.next == pytest.approx((0.5 + 0 + 0.25) / 3)
    assert head.first == pytest.approx(1.25 / 4)
    assert head.special == pytest.approx((0 + 1 + 0.5 + 0) / 4) and head.punctuation == pytest.approx((0.5 + 0 + 0.25 + 1) / 4)
    assert head.kind == "previous"


def test_the_first_word_of_a_causal_text_has_no_choice_and_does_not_count() -> None:
    result = seen({"decoder.0.self": [[[1, 0, 0], [0.5, 0.5, 0], [1, 0, 0]]]}, ["a", "b", "c"], causal=frozenset({"decoder.0.self"}))
    head = heads_of(result, "decoder.0.self")[0]
    assert head.first == pytest.approx(0.75) and head.same == pytest.approx(0.25) and head.next == 0
    assert head.spread == pytest.approx(0.5)  # one bit of the two keys that are seen, and none of three
    assert head.distance == pytest.approx((0.5 + 2) / 2) and head.previous == pytest.approx(0.25) and head.kind == "first"
    alone = heads_of(seen({"decoder.0.self": [[[1]]]}, ["a"], causal=frozenset({"decoder.0.self"})), "decoder.0.self")[0]
    assert alone.previous == 0 and alone.same == 1


def head(**numbers) -> Head:
    zero = dict.fromkeys(("entropy", "previous", "same", "next", "first", "special", "punctuation"), 0.0)
    return Head(site="encoder.0.self", head=0, **zero | {"spread": 0.5, "distance": 9.0} | numbers)


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ({"previous": 0.5, "special": 0.9}, "previous"),
        ({"same": 0.5}, "same"),
        ({"next": 0.6}, "next"),
        ({"special": 0.3, "punctuation": 0.3}, "separators"),
        ({"first": 0.5}, "first"),
        ({"spread": 0.85}, "broad"),
        ({"distance": 2.5}, "local"),
        ({"spread": 0.35}, "narrow"),
        ({}, "mixed"),
        ({"previous": None, "same": None, "next": None, "distance": None}, "mixed"),
    ],
)
def test_kinds_have_thresholds(numbers: dict, kind: str) -> None:
    assert head(**numbers).kind == kind


def test_kinds_are_counted_and_signs_told_from_words() -> None:
    assert counted([head(), head(next=1), head()]) == {"next": 1, "mixed": 2}
    assert punctuation("▁.") and punctuation("。") and punctuation("##)")
    assert not any(map(punctuation, ("▁", "tea", "‹E4›", "", "##s")))


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-llama", "tiny-marian"])
def test_every_head_of_a_model_is_listed(ours, name: str) -> None:
    result = attend.run(ours(name), [attend.Request(text="The animal was tired.")])[0]
    found = heads(result)
    assert [(one.site, one.head) for one in found] == [(site, number) for site in result.sites for number in range(result.heads(site))]
    assert all((one.distance is None) == one.site.endswith("cross") for one in found)
    assert all(0 <= one.spread <= 1 + 1e-6 for one in found)
