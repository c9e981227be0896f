"""Batches hold every text once, within their limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.batching import groups


@pytest.mark.fuzz
@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 5000), st.integers(1, 40))
def test_every_text_stands_in_exactly_one_batch_within_the_limits(lengths: list[int], tokens: int, rows: int) -> None:
    batches = groups(lengths, tokens=tokens, rows=rows)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= rows
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= tokens


def test_similar_lengths_stay_together_and_different_ones_part() -> None:
    assert groups([100, 500, 98, 510], tokens=4096) == [[3, 1], [0, 2]]


def test_short_texts_share_a_batch_though_they_differ() -> None:
    assert groups([2, 30, 7]) == [[1, 2, 0]]


def test_no_texts_make_no_batches() -> None:
    assert groups([]) == []
