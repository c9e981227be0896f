"""Successive halving: who reads to the end has the exact share, who does not gains as much as those who do."""

from dataclasses import replace

import pytest
import torch

from playground.tasks import fill_mask_decoder, halving
from playground.tasks.fill_mask_decoder import Request

TEXT = "She drank a cup of [MASK] in the morning and then she took the bus to the city because it rained again."
each_model = pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama"])


@each_model
def test_who_reads_on_is_as_probable_as_without_a_choice(ours, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, request = ours(name), Request(text=TEXT, proposals=30)
    monkeypatch.setattr(halving, "AT_ONCE", 10_000)
    [exact] = fill_mask_decoder.run(model, [request])
    assert not any(one.estimated for one in exact.candidates)
    monkeypatch.setattr(halving, "AT_ONCE", 0)
    monkeypatch.setattr(halving, "STAGE", 3)
    monkeypatch.setattr(halving, "FEWEST", 4)
    [halved] = fill_mask_decoder.run(model, [request])
    wanted = {one.word: one for one in exact.candidates}
    ended = [one for one in halved.candidates if not one.estimated]
    assert {one.word for one in halved.candidates} == set(wanted) and 4 <= len(ended) <= 8
    reads = sorted({one.read for one in halved.candidates})
    assert reads[:3] == [3, 6, 9] and max(one.read for one in exact.candidates) == reads[-1]
    for one in halved.candidates:
        assert one.left == pytest.approx(wanted[one.word].left, rel=1e-4)
        first = ended[0]
        if not one.estimated:
            assert one.both / first.both == pytest.approx(wanted[one.word].both / wanted[first.word].both, rel=1e-3)
    assert sum(one.both for one in halved.candidates) == pytest.approx(1)
    assert [one.both for one in halved.candidates] == sorted((one.both for one in halved.candidates), reverse=True)


def test_who_stays_behind_gains_what_the_others_gain_together(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: three words, one is out after two tokens; its share moves as the sum of the other two does."""
    model = ours("tiny-gpt2")
    words = ("tea", "coffee", "rain")
    monkeypatch.setattr(halving, "AT_ONCE", 0)
    monkeypatch.setattr(halving, "STAGE", 2)
    monkeypatch.setattr(halving, "FEWEST", 2)
    [halved] = fill_mask_decoder.run(model, [Request(text=TEXT, candidates=words)])
    weights = {one.word: one for one in halved.candidates}
    out = [one for one in halved.candidates if one.estimated]
    assert len(out) == 1 and out[0].read == 2
    given = fill_mask_decoder.natural(model, "She drank a cup of")
    chances, ends = {}, {}
    for word in words:
        ids = fill_mask_decoder.natural(model, TEXT.replace("[MASK]", word))
        alone = len(fill_mask_decoder.natural(model, f"She drank a cup of {word}"))
        with torch.no_grad():
            scores = model.network.logits(model.network.decode(model.batch([fill_mask_decoder.bare_row(model, ids)])))[0].double()
        each = scores.log_softmax(-1)[:-1].gather(1, torch.tensor(ids[1:])[:, None])[len(given) - 1 :, 0]
        chances[word], ends[word] = each.sum(), each[: alone - len(given) + 2].sum()
    others = [word for word in words if word != out[0].word]
    gain = torch.stack([chances[word] for word in others]).logsumexp(0) - torch.stack([ends[word] for word in others]).logsumexp(0)
    wanted = {word: chances[word] for word in others} | {out[0].word: ends[out[0].word] + gain}
    shares = torch.stack([wanted[word] for word in words]).softmax(0)
    assert [weights[word].both for word in words] == pytest.approx(shares.tolist(), rel=1e-3)


@each_model
def test_requests_in_one_batch_are_halved_each_by_itself(ours, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halving, "AT_ONCE", 200)
    monkeypatch.setattr(halving, "FEWEST", 3)
    model = ours(name)
    long = Request(text=TEXT, proposals=20)
    requests = [long, replace(long, text="It rained [MASK]."), replace(long, text=TEXT[4:], proposals=16), replace(long, text="It [MASK]")]
    for together, request in zip(fill_mask_decoder.run(model, requests), requests, strict=True):
        [alone] = fill_mask_decoder.run(model, [request])
        mine, single = ([(one.word, one.read, one.estimated) for one in found.candidates] for found in (together, alone))
        assert mine == single
        assert [one.both for one in together.candidates] == pytest.approx([one.both for one in alone.candidates], rel=1e-3)
        assert any(one.estimated for one in alone.candidates) == (TEXT[4:] in request.text)
