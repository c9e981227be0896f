"""Span corruption: cut spans out of a text and write them down in order (Raffel et al. 2020, section 3.1.4)."""

from collections.abc import Sequence

import numpy as np

SHARE = 0.15  # of the tokens are cut out
SPAN = 3.0  # tokens a span, on average


def corrupt(
    ids: np.ndarray, rng: np.random.Generator, *, sentinels: Sequence[int], end_id: int, share: float = SHARE, span: float = SPAN
) -> tuple[np.ndarray, np.ndarray]:
    """Source and target of one text (S,): in the source a sentinel stands for each span, in the target each span follows its sentinel.

    One more sentinel closes the target, and both end in `end_id`. As in T5 the text begins with a token that stays and ends with a span.
    Raises ValueError for a text of fewer than two tokens, or with more spans than there are sentinels.
    """
    if len(ids) < 2:
        raise ValueError(f"a text needs 2 tokens to lose one and keep one, got {len(ids)}")
    cut = int(np.clip(np.rint(len(ids) * share), 1, len(ids) - 1))
    spans = int(np.clip(np.rint(cut / span), 1, min(cut, len(ids) - cut)))
    if spans >= len(sentinels):
        raise ValueError(f"{spans} spans need {spans + 1} sentinels, got {len(sentinels)}")
    source: list[np.ndarray] = []
    target: list[np.ndarray] = []
    at = 0
    for sentinel, keep, drop in zip(sentinels, segments(len(ids) - cut, spans, rng), segments(cut, spans, rng)):
        source += [ids[at : at + keep], np.array([sentinel])]
        target += [np.array([sentinel]), ids[at + keep : at + keep + drop]]
        at += keep + drop
    return np.concatenate([*source, [end_id]]), np.concatenate([*target, [sentinels[spans], end_id]])


def segments(total: int, parts: int, rng: np.random.Generator) -> np.ndarray:
    """`total` cut into so many random parts of at least 1, every way to do it equally likely."""
    cuts = np.sort(rng.choice(total - 1, size=parts - 1, replace=False)) + 1 if parts > 1 else np.array([], dtype=np.int64)
    return np.diff(np.concatenate([[0], cuts, [total]])).astype(np.int64)
