"""The loop that greedy decoding and sampling share: rows that end, rows that are dropped, what a step tells."""

import pytest
import torch

from models.decode import steps as module
from models.decode.greedy import greedy
from models.decode.steps import Step, collect
from models.tokens import Tokens
from models.transformer import Transformer

WRITERS = ["decoder", "grouped decoder", "window decoder", "translator", "student"]
each_writer = pytest.mark.parametrize("name", WRITERS)
NEW = 12


def prompts(network: Transformer, tokens, lengths=(5, 2, 7, 3, 6, 4)) -> Tokens:
    return tokens(list(lengths), side="left" if network.encoder is None else "right")


def one_by_one(network: Transformer, batch: Tokens) -> list[tuple[int, ...]]:
    """Greedy decoding in its simplest form: everything again for each word, a row at a time."""
    found = []
    for ids, mask in zip(batch.ids, batch.mask):
        row = ids[mask][None]
        written: list[int] = []
        begun = [network.config.start_id] if network.encoder is not None else row[0].tolist()
        while len(written) < NEW:
            given = {"memory": network.encode(whole(row))} if network.encoder is not None else {}
            scores = network.logits(network.decode(whole(torch.tensor([begun + written])), **given))[0, -1]
            scores[list(network.config.never_ids)] = float("-inf")
            word = int(scores.argmax())
            if word in network.config.end_ids:
                break
            written.append(word)
        found.append(tuple(written))
    return found


def whole(ids: torch.Tensor) -> Tokens:
    mask = torch.ones_like(ids, dtype=torch.bool)
    return Tokens(ids=ids, mask=mask, segments=torch.zeros_like(ids), lengths=(ids.shape[1],) * len(ids))


@each_writer
@pytest.mark.parametrize("look", [1, 3, 8])
def test_a_batch_writes_what_each_row_writes_alone_without_a_cache(
    networks, tokens, name: str, look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK", {"cpu": look})  # as on a GPU, rows that have ended are noticed late
    network = networks[name]
    batch = prompts(network, tokens)
    found = collect(greedy(network, batch, max_new_tokens=NEW), rows=6, end_ids=network.config.end_ids)
    with torch.inference_mode():
        wanted = one_by_one(network, batch)
    assert [text.ids for text in found] == wanted
    assert [text.ended for text in found] == [len(ids) < NEW for ids in wanted]


def test_rows_that_have_ended_leave_the_batch(networks, tokens) -> None:
    network = networks["grouped decoder"]
    steps = list(greedy(network, prompts(network, tokens), max_new_tokens=[1, 2, 12, 12, 3, 3]))
    widths = [len(step.rows) for step in steps]
    assert widths == sorted(widths, reverse=True) and widths[0] == 6 and widths[-1] < 6
    for number, step in enumerate(steps):
        assert len(step.ids) == len(step.rows)
        assert not any(row in step.rows for row, limit in enumerate([1, 2, 12, 12, 3, 3]) if number >= limit)


def test_each_row_has_its_own_limit(networks, tokens) -> None:
    network = networks["decoder"]
    batch = prompts(network, tokens)
    limits = [1, 9, 2, 5, 3, 4]
    free = collect(greedy(network, batch, max_new_tokens=9), rows=6, end_ids=network.config.end_ids)
    found = collect(greedy(network, batch, max_new_tokens=limits), rows=6, end_ids=network.config.end_ids)
    assert [text.ids for text in found] == [text.ids[:limit] for text, limit in zip(free, limits)]


def test_a_model_stops_where_its_positions_end(networks, tokens) -> None:
    decoder, translator = networks["decoder"], networks["translator"]
    for network, batch, room in ((decoder, tokens([45, 40], side="left"), [3, 8]), (translator, tokens([40, 44]), [48, 48])):
        assert network.config.max_positions == 48
        found = collect(greedy(network, batch, max_new_tokens=500), rows=2, end_ids=())
        assert [len(text.ids) for text in found] == room


@pytest.mark.parametrize("limit", [0, -3, [4, 0], [4]])
def test_a_limit_that_leaves_nothing_to_write_is_refused(networks, tokens, limit) -> None:
    with pytest.raises(ValueError, match="at least 1 for each of 2 rows"):
        next(greedy(networks["decoder"], tokens([4, 5], side="left"), max_new_tokens=limit))


def test_a_prompt_that_fills_the_model_is_refused_with_its_length(networks, tokens) -> None:
    with pytest.raises(ValueError, match="48 tokens leaves no room in a model of 48"):
        next(greedy(networks["decoder"], tokens([4, 48], side="left"), max_new_tokens=5))


@each_writer
def test_probabilities_and_others_are_those_of_the_models_own_distribution(networks, tokens, name: str) -> None:
    network = networks[name]
    batch = prompts(network, tokens, (5,))
    step = next(greedy(network, batch, max_new_tokens=3, probabilities=True, others=4))
    with torch.inference_mode():
        begun = batch if network.encoder is None else whole(torch.tensor([[network.config.start_id]]))
        given = {"memory": network.encode(batch)} if network.encoder is not None else {}
        chances = network.logits(network.decode(begun, **given))[:, -1].softmax(-1)
    words, shares = step.others
    torch.testing.assert_close(shares, chances.topk(4).values, rtol=1e-4, atol=1e-6)
    assert torch.equal(words, chances.topk(4).indices)
    torch.testing.assert_close(step.probabilities, chances[0, step.ids], rtol=1e-4, atol=1e-6)


def test_a_word_that_may_not_be_chosen_is_not_but_keeps_its_probability(networks, tokens) -> None:
    network = networks["translator"]
    bias = network.heads["lm"].bias
    before = bias.clone()
    try:
        bias[22] = 100.0
        step = next(greedy(network, tokens([5, 3]), max_new_tokens=2, probabilities=True, others=2))
    finally:
        bias.copy_(before)
    assert 22 not in step.ids.tolist()
    assert step.others[0][:, 0].tolist() == [22, 22] and (step.others[1][:, 0] > 0.99).all()
    assert (step.probabilities < 0.01).all()


def test_words_after_the_end_are_dropped_when_texts_are_put_together() -> None:
    numbers = [([0, 1], [5, 6]), ([0, 1], [9, 7]), ([0, 1], [4, 9]), ([-1, 1], [3, 3])]
    steps = [Step(rows=tuple(rows), ids=torch.tensor(ids), probabilities=torch.tensor(ids) / 10) for rows, ids in numbers]
    first, second = collect(iter(steps), rows=2, end_ids=(9,))
    assert first.ids == (5,) and first.ended and first.probabilities == pytest.approx([0.5])
    assert second.ids == (6, 7) and second.ended and second.probabilities == pytest.approx([0.6, 0.7])


def test_what_the_encoder_made_can_be_handed_in(networks, tokens) -> None:
    network, batch = networks["translator"], tokens([5, 3])
    with torch.inference_mode():
        memory = network.encode(batch)
    found, wanted = (collect(greedy(network, batch, max_new_tokens=6, memory=given), rows=2, end_ids=(0,)) for given in (memory, None))
    assert found == wanted
    other = collect(greedy(network, batch, max_new_tokens=6, memory=-memory), rows=2, end_ids=(0,))
    assert other != wanted


def test_a_step_is_not_computed_before_it_is_asked_for(networks, tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    network, calls = networks["decoder"], []
    decode = Transformer.decode
    monkeypatch.setattr(Transformer, "decode", lambda self, *given, **named: calls.append(1) or decode(self, *given, **named))
    steps = greedy(network, tokens([4], side="left"), max_new_tokens=5)
    assert not calls
    next(steps)
    assert len(calls) == 1
    next(steps)
    assert len(calls) == 2


def test_no_gradient_mode_is_held_between_steps(networks, tokens) -> None:
    steps = greedy(networks["decoder"], tokens([4], side="left"), max_new_tokens=3)
    for _ in steps:
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
