"""With a cache every word is computed once, and the numbers are the same."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from models.cache import Cache, KeysValues
from models.tokens import Tokens
from models.transformer import Transformer

DECODERS = ["decoder", "grouped decoder", "window decoder", "translator", "student"]
each_decoder = pytest.mark.parametrize("name", DECODERS)
CLOSE = dict(rtol=1e-5, atol=2e-5)


def cut(tokens: Tokens, start: int, end: int) -> Tokens:
    """Some columns of a batch."""
    mask = tokens.mask[:, start:end]
    lengths = tuple(mask.sum(1).tolist())
    return Tokens(ids=tokens.ids[:, start:end], mask=mask, segments=tokens.segments[:, start:end], lengths=lengths)


def chosen(tokens: Tokens, rows: Sequence[int]) -> Tokens:
    rows = list(rows)
    lengths = tuple(tokens.lengths[row] for row in rows)
    return Tokens(ids=tokens.ids[rows], mask=tokens.mask[rows], segments=tokens.segments[rows], lengths=lengths)


def source(network: Transformer, tokens) -> dict[str, Tensor]:
    """What a translator reads besides, for three rows."""
    if network.encoder is None:
        return {}
    batch = tokens([5, 2, 4], seed=9)
    return {"memory": network.encode(batch), "memory_mask": batch.mask}


@each_decoder
@pytest.mark.parametrize("lengths", [[9, 9, 9], [9, 4, 6]], ids=["full", "left-padded"])
@pytest.mark.parametrize("parts", [[9], [1] * 9, [4, 1, 1, 3], [2, 5, 2]], ids=str)
def test_in_parts_or_at_once_is_the_same(networks, tokens, name: str, lengths: list[int], parts: list[int]) -> None:
    network = networks[name]
    if network.decoder is not None and network.config.decoder_mixer == "ssru" and len(set(lengths)) > 1:
        lengths = [9, 9, 9]  # an SSRU has no mask: it is never padded on the left
    batch = tokens(lengths, side="left")
    with torch.inference_mode():
        given = source(network, tokens)
        whole = network.decode(batch, **given)
        cache, found, start = Cache(network.config, room=2), [], 0
        for width in parts:
            found.append(network.decode(cut(batch, start, start + width), cache=cache, **given))
            start += width
    assert cache.length == 9
    torch.testing.assert_close(torch.cat(found, dim=1)[batch.mask], whole[batch.mask], **CLOSE)


@each_decoder
def test_rows_can_be_chosen_repeated_and_reordered_on_the_way(networks, tokens, name: str) -> None:
    network = networks[name]
    ssru = network.config.decoder_mixer == "ssru"
    batch = tokens([7, 7, 7] if ssru else [7, 4, 6], side="left")
    rows = [2, 0, 0, 2]
    with torch.inference_mode():
        given = source(network, tokens)
        cache = Cache(network.config)
        network.decode(cut(batch, 0, 5), cache=cache, **given)
        order = torch.tensor(rows)
        cache.select(order, sources=order)
        later = {key: value[order] for key, value in given.items()}
        found = network.decode(cut(chosen(batch, rows), 5, 7), cache=cache, **later)
        whole = network.decode(batch, **given)[order]
    torch.testing.assert_close(found, whole[:, 5:], **CLOSE)


def test_sources_stay_where_rows_that_share_them_change_places(networks, tokens) -> None:
    network = networks["translator"]
    sources, starts = tokens([5, 3], seed=1), tokens([[4], [7]])
    rows, parents = tokens([[4, 9], [4, 8], [7, 6], [7, 6]]), torch.tensor([0, 0, 1, 1])
    with torch.inference_mode():
        given = {"memory": network.encode(sources), "memory_mask": sources.mask}
        cache = Cache(network.config)
        network.decode(starts, cache=cache, **given)
        cache.select(parents)  # two beginnings a source
        found = network.decode(cut(rows, 1, 2), cache=cache, **given)
        alone = network.decode(rows, memory=given["memory"][parents], memory_mask=given["memory_mask"][parents])
    torch.testing.assert_close(found[:, 0], alone[:, 1], **CLOSE)


def test_room_grows_by_doubling_and_what_was_there_stays() -> None:
    cache, parts = KeysValues(room=4), torch.randn(11, 2, 3, 1, 5)
    rooms = []
    for part in parts:
        keys, values = cache.append(part, 2 * part)
        rooms.append(cache.keys.shape[2])
    assert rooms == [4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 16]
    wanted = torch.cat(list(parts), dim=2)
    assert torch.equal(keys, wanted) and torch.equal(values, 2 * wanted)
    cache.select(torch.tensor([1]))
    assert cache.keys.shape[2] == 16 and torch.equal(cache.read()[0], wanted[1:])


def test_an_empty_cache_has_nothing_to_choose_from(networks) -> None:
    for name in ("decoder", "student"):
        cache = Cache(networks[name].config)
        cache.select(torch.tensor([0]), sources=torch.tensor([0]))
        assert cache.length == 0
