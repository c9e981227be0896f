"""What one forward pass lets you see.

A trace travels with the call; no module keeps what it saw, so two visitors can never see each other's numbers.
"""

from collections.abc import Iterable

from torch import Tensor

KINDS = frozenset({"query", "key", "value", "scores", "weights", "head_output", "hidden", "update", "stream", "normed"})


class Trace:
    """A list of wishes that travels with one forward call and comes back filled.

    `kinds`: what to record: "query" (B, H, Q, D), "key" and "value" (B, H_kv, K, D), "scores" before the softmax (B, H, Q, K), "weights"
    after it, "head_output" (B, H, Q, D), "hidden" (B, Q, C). `sites`: where, as "encoder.3.self", "decoder.5.cross", or for "hidden"
    "encoder.3"; None means everywhere. "hidden" is also recorded at "encoder.embeddings" and "decoder.embeddings". Queries and keys are
    those that are multiplied: after rotation, before scaling.

    Of the parts of a layer, "encoder.3.feedforward" among them, all (B, Q, C): "update", what the part adds; "stream", the sum of that and
    what was there; "normed", what leaves the norm, which a pre-norm part reads and a post-norm part hands on.

    A `live` trace keeps what it saw a part of the calculation, so that gradients with respect to it can be asked for, also where no
    parameter learns.
    """

    def __init__(self, kinds: Iterable[str], *, sites: Iterable[str] | None = None, live: bool = False):
        self.kinds = frozenset(kinds)
        if unknown := self.kinds - KINDS:
            raise ValueError(f"a trace cannot record {sorted(unknown)}; it can record {sorted(KINDS)}")
        self.sites = None if sites is None else frozenset(sites)
        self.live = live
        self.seen: dict[tuple[str, str], Tensor] = {}

    def wants(self, site: str, *kinds: str) -> bool:
        """Whether any of `kinds` is to be recorded at `site`."""
        return (self.sites is None or site in self.sites) and not self.kinds.isdisjoint(kinds)

    def put(self, site: str, kind: str, value: Tensor) -> None:
        """Record `value` if it was asked for."""
        if self.wants(site, kind):
            self.seen[site, kind] = value if self.live else value.detach()
            if self.live and not value.requires_grad:
                value.requires_grad_()

    def get(self, site: str, kind: str) -> Tensor:
        """What was seen; a KeyError names what there is instead."""
        if (site, kind) not in self.seen:
            raise KeyError(f"{kind} at {site} was not traced; traced: {sorted(self.seen)}")
        return self.seen[site, kind]

    def places(self, kind: str) -> list[str]:
        """The sites at which `kind` was recorded, in the order of the forward pass."""
        return [site for site, what in self.seen if what == kind]
