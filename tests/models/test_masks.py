"""Masks: who sees whom."""

import torch

from models import masks


def test_a_padded_key_is_hidden_from_every_query_of_every_head() -> None:
    mask = torch.tensor([[True, True, False], [True, False, False]])
    allowed = masks.padding(mask)
    assert allowed.shape == (2, 1, 1, 3)
    assert torch.equal(allowed[:, 0, 0], mask)


def test_a_position_sees_itself_and_what_stands_before_it() -> None:
    assert masks.causal(3, 3)[0, 0].tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_the_queries_are_the_last_of_the_keys() -> None:
    assert masks.causal(2, 4)[0, 0].tolist() == [[True, True, True, False], [True, True, True, True]]


def test_a_window_counts_the_position_itself() -> None:
    assert masks.causal(2, 4, window=2)[0, 0].tolist() == [[False, True, True, False], [False, False, True, True]]


def test_a_window_can_count_positions_where_padding_tears_columns_apart() -> None:
    queries, keys = torch.tensor([[2], [3]]), torch.tensor([[0, 0, 1, 2], [0, 1, 2, 3]])
    allowed = masks.within(queries, keys, 2)
    assert allowed.shape == (2, 1, 1, 4)
    assert allowed[:, 0, 0].tolist() == [[False, False, True, True], [False, False, True, True]]


def test_both_masks_have_to_allow() -> None:
    one, other = torch.tensor([True, True, False]), torch.tensor([True, False, False])
    assert masks.both(one, other).tolist() == [True, False, False]
    assert masks.both(None, other) is other and masks.both(one, None) is one
    assert masks.both(None, None) is None


def test_keys_in_front_are_seen_by_all() -> None:
    allowed = masks.extend(masks.causal(2, 2), 2)
    assert allowed[0, 0].tolist() == [[True, True, True, False], [True, True, True, True]]
    assert masks.extend(None, 2) is None
