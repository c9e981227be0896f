"""What a map can show instead of the weights of attention. Arrays in, arrays out."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from playground.tasks import attend, attribute

MEASURES = ("weights", "value", "gradient", "rollout")
DEEPER = ("value", "gradient")  # measures that need the answer of the task `attribute`
MEAN, MAX = -1, -2  # in the place of a head


def maps(result: "attend.Result", measure: str, more: "attribute.Result | None" = None) -> Callable[[str], np.ndarray]:
    """A function from a site to its maps, (H, Q, K) float32, none below 0; "rollout" has one map instead of H.

    "weights": softmax(q k^T / sqrt(D)). "value": the length of weight * W_O v (Kobayashi et al. 2020). "gradient": the positive part of
    weight * gradient (Chefer et al. 2021, equation 5). "rollout": see `rollout`. ValueError where `more` is needed and missing.
    """
    if measure in DEEPER and more is None:
        raise ValueError(f"the measure {measure} needs the answer of the task attribute")
    if measure == "value":
        return lambda site: result.all_weights(site) * more.norms[site][:, None, :]
    if measure == "gradient":
        return lambda site: np.maximum(result.all_weights(site) * more.gradients(site), 0)
    if measure == "rollout":
        return rollouts(result)
    return result.all_weights


def over_heads(heads: np.ndarray, head: int) -> np.ndarray:
    """One head, the `MEAN` of all or the `MAX` of all. (H, Q, K) -> (Q, K)"""
    if head == MAX:
        return heads.max(0)
    return heads.mean(0) if head == MEAN or len(heads) == 1 else heads[head]


def rollout(weights: np.ndarray, below: np.ndarray | None = None) -> np.ndarray:
    """How much each word's vector after a layer stems from each word of the text (Abnar & Zuidema 2020, section 3). -> (S, S)

    `weights` (S, S) is the mean of the layer's heads, `below` the rollout of the layers before it. A layer passes on half of what it gets
    from the attention and half from the residual connection: A = 0.5 W + 0.5 I, rows made to sum to 1, multiplied layer by layer.
    """
    step = 0.5 * weights + 0.5 * np.eye(len(weights), dtype=weights.dtype)
    step = step / step.sum(-1, keepdims=True)
    return step if below is None else step @ below


def rollouts(result: "attend.Result") -> Callable[[str], np.ndarray]:
    """A function from a site to the rollout of its stack up to there, (1, Q, K); nothing flows from the keys of a prefix."""
    found: dict[str, np.ndarray] = {}

    def up_to(site: str) -> np.ndarray:
        stack, layer, kind = site.split(".")
        if kind != "self":
            raise ValueError(f"rollout is defined for self-attention only, not at {site}")
        below = None
        for name in rollout_sites(result):
            if name.startswith(f"{stack}.") and int(name.split(".")[1]) <= int(layer):
                if name not in found:
                    found[name] = rollout(result.weights(name)[:, result.before.get(name, 0) :], below)
                below = found[name]
        return np.pad(below, ((0, 0), (result.before.get(site, 0), 0)))[None]

    return up_to


def rollout_sites(result: "attend.Result") -> tuple[str, ...]:
    """The sites that have a rollout."""
    return tuple(site for site in result.sites if site.endswith(".self"))
