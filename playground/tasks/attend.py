"""Which words look at which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import torch

from models.decode.greedy import greedy
from models.decode.steps import collect
from models.errors import Problem
from models.model import Model
from models.tokens import Row
from models.trace import Trace
from playground.tasks.refusals import able, some_text, some_words
from playground.tasks.words import Side, side

NAME = "attend"
LIMIT = 1024  # tokens: a picture of more shows nothing, and the queries and keys of 30 layers would be 100 MB
START = "‹start›"  # what a decoder reads before its first word
PARTS = ("ids", "words", "segments", "special", "spans")  # what a row has of each token


@dataclass(frozen=True, kw_only=True)
class Request:
    """One text, or a pair of texts for an encoder, or a text and its forced translation for an encoder-decoder."""

    text: str
    second: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Queries and keys of every attention site, so that any layer and head can be shown without running the model again.

    `sites`: in the order of the forward pass. `queries[site]` (H, Q, D), `keys[site]` (H_kv, K, D), float32, cut to the real tokens.
    The words of a translator's decoder are those it reads: `‹start›` first, and at each place the word before the one it writes there.
    """

    sites: tuple[str, ...]
    causal: frozenset[str]  # the sites at which a position sees only itself and what stands before it
    words: dict[str, tuple[str, ...]] = field(hash=False)  # "encoder" and "decoder"
    special: dict[str, tuple[bool, ...]] = field(hash=False)
    queries: dict[str, np.ndarray] = field(hash=False)
    keys: dict[str, np.ndarray] = field(hash=False)
    starts: dict[str, tuple[bool, ...]] = field(default_factory=dict, hash=False)  # whether a word begins with the token
    window: int | None = None  # sliding window of a decoder, in positions
    before: dict[str, int] = field(default_factory=dict, hash=False)  # keys of a prefix in front of the words, by site
    cut: int = 0  # tokens left out because the text was too long
    limit: int = 0  # tokens that fit

    def heads(self, site: str) -> int:
        """How many heads there are at `site`."""
        return self.queries[self.known(site)].shape[0]

    def words_at(self, site: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The words that ask (rows) and the words that are looked at (columns), those of a prefix first."""
        return words_at(self.known(site), self.words, self.before.get(site, 0))

    def sides(self, site: str, *, whole: bool = False, hide: bool = False) -> tuple[Side, Side]:
        """What a picture shows as rows and columns of a site: `whole` words or tokens, special ones or not; a prefix always."""
        stack, _, kind = self.known(site).split(".")
        both, before = zip((stack, "encoder" if kind == "cross" else stack), self.words_at(site)), self.before.get(site, 0)
        made = []
        for (name, words), more in zip(both, (0, before)):
            starts = self.starts.get(name, (True,) * len(self.words[name]))
            made.append(side(words, (True,) * more + starts, (False,) * more + self.special[name], whole=whole, hide=hide))
        return made[0], made[1]

    def weights(self, site: str, head: int = -1) -> np.ndarray:
        """softmax(q k^T / sqrt(D)), (Q, K) float32; head -1 is the mean of all, -2 the largest. ValueError for an unknown site or head."""
        if not -2 <= head < self.heads(site):
            raise ValueError(f"{site} has heads 0 to {self.heads(site) - 1}, -1 for their mean and -2 for the largest; got {head}")
        if head >= 0:
            return self.softmax(site, slice(head, head + 1))[0]
        return self.all_weights(site).mean(0) if head == -1 else self.all_weights(site).max(0)

    def all_weights(self, site: str) -> np.ndarray:
        """Every head of a site, (H, Q, K) float32."""
        return self.softmax(site, slice(0, self.heads(site)))

    def softmax(self, site: str, heads: slice) -> np.ndarray:
        """The weights of some heads of a site. -> (H, Q, K) float32"""
        queries, keys = self.queries[site], self.keys[site]
        group = queries.shape[0] // keys.shape[0]  # so many heads of queries share one of keys
        shared = keys[np.arange(heads.start, heads.stop) // group]
        scores = queries[heads] @ shared.swapaxes(-1, -2) / np.float32(np.sqrt(queries.shape[-1]))
        if site in self.causal:
            distance = np.arange(keys.shape[1] - queries.shape[1], keys.shape[1])[:, None] - np.arange(keys.shape[1])
            hidden = distance < 0 if self.window is None else (distance < 0) | (distance >= self.window)
            hidden[:, : self.before.get(site, 0)] = False  # a prefix is seen from everywhere
            scores = np.where(hidden, np.float32(-np.inf), scores)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        return scores / scores.sum(-1, keepdims=True)

    def known(self, site: str) -> str:
        """The site itself, if there is such a one."""
        if site not in self.sites:
            raise ValueError(f"there is no attention at {site!r}; there is at {', '.join(self.sites)}")
        return site


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where the model cannot answer it."""
    read = len(source(model, request))
    return max(read, len(forced(model, request.target))) if given(request.target) else read


@torch.inference_mode()
def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests with one forward pass; an encoder-decoder without a target first writes its own translation, greedily."""
    trace = Trace({"query", "key"})
    stacks = read(model, requests, trace)
    sites = tuple(trace.places("query"))
    seen = {(site, kind): trace.get(site, kind).float().cpu().numpy() for site in sites for kind in ("query", "key")}
    results = []
    for index in range(len(requests)):
        own = {stack: model.extra.asking(stack, stack_rows[index]) for stack, stack_rows in stacks.items()}
        looking = {site: len(own[site.split(".")[0]]) for site in sites}
        before = {site: model.extra.before(site) for site in sites}
        looked_at = {site: before[site] + (len(own["encoder"]) if site.endswith("cross") else looking[site]) for site in sites}
        results.append(
            Result(
                sites=sites,
                causal=frozenset(site for site in sites if site.startswith("decoder") and site.endswith("self")),
                words={stack: row.words for stack, row in own.items()},
                special={stack: row.special for stack, row in own.items()},
                starts={stack: starts(model, row, stack) for stack, row in own.items()},
                queries={site: seen[site, "query"][index, :, : looking[site]].copy() for site in sites},
                keys={site: seen[site, "key"][index, :, : looked_at[site]].copy() for site in sites},
                window=model.config.sliding_window,
                before=before,
                cut=sum(row.cut for row in own.values()),
                limit=limit(model),
            )
        )
    return results


def read(model: Model, requests: Sequence[Request], trace: Trace) -> dict[str, list[Row]]:
    """The forward pass of all requests, which fills `trace`. -> what "encoder" and "decoder" read, a row for each request

    Where the trace wants nothing of a translator's decoder, nothing is translated.
    """
    rows = [source(model, request) for request in requests]
    tokens = model.batch(rows)
    if model.config.architecture == "decoder":
        model.network.decode(tokens, trace=trace)
        return {"decoder": rows}
    memory = model.network.encode(tokens, trace=trace)
    only_encoder = trace.sites is not None and all(site.startswith("encoder.") for site in trace.sites)
    if model.config.architecture == "encoder" or only_encoder:
        return {"encoder": rows}
    written = targets(model, requests, rows)
    model.network.decode(model.batch(written), memory=memory, memory_mask=None if tokens.full else tokens.mask, trace=trace)
    return {"encoder": rows, "decoder": written}


def words_at(site: str, words: Mapping[str, tuple[str, ...]], before: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that ask and those that are looked at; `words` of each stack, `before` keys of a prefix in front of the latter."""
    stack, _, kind = site.split(".")
    prefix = tuple(f"[P{index + 1}]" for index in range(before))
    return words[stack], prefix + words["encoder" if kind == "cross" else stack]


def starts(model: Model, row: Row, stack: str) -> tuple[bool, ...]:
    """Which tokens of a row begin a word; each special one stands alone."""
    found: list[bool] = []
    for special, run in groupby(zip(row.special, row.ids), key=lambda pair: pair[0]):
        ids = [index for _, index in run]
        reads = "source" if stack == "encoder" else "target"
        found += (True,) * len(ids) if special else model.tokenizer.starts(ids, side=reads)
    return tuple(found)


def limit(model: Model) -> int:
    """Tokens of a text that are shown."""
    return min(model.limit, LIMIT)


def given(text: str) -> bool:
    """Whether an optional text was given."""
    return bool(text.strip())


def source(model: Model, request: Request) -> Row:
    """What the first stack reads; Problem for what this model cannot read."""
    able(model, NAME)
    some_text(request.text)
    architecture = model.config.architecture
    if given(request.second) and architecture != "encoder":
        raise Problem("no_second_text", model=model.name)
    if given(request.target) and architecture != "encoder_decoder":
        raise Problem("no_target_text", model=model.name)
    return some_words(model.tokenizer.encode(request.text, request.second if given(request.second) else None, limit=limit(model)))


def targets(model: Model, requests: Sequence[Request], rows: Sequence[Row]) -> list[Row]:
    """What the decoder of a translator reads: the forced translation where there is one, else its own."""
    own = [row for request, row in zip(requests, rows) if not given(request.target)]
    written = iter(translated(model, own) if own else [])
    return [started(model, forced(model, request.target) if given(request.target) else next(written)) for request in requests]


def translated(model: Model, rows: Sequence[Row]) -> list[Row]:
    """The model's own translations, without end tokens."""
    room = [min(2 * len(row) + 16, limit(model) - 1) for row in rows]
    steps = greedy(model.network, model.batch(rows), max_new_tokens=room)
    found = [written.ids for written in collect(steps, rows=len(rows), end_ids=model.config.end_ids)]
    return [
        Row(ids=ids, words=model.tokenizer.words(ids), segments=(0,) * len(ids), special=(False,) * len(ids), spans=(None,) * len(ids))
        for ids in found
    ]


def forced(model: Model, text: str) -> Row:
    """A translation that the visitor gave, without its end token."""
    row = model.tokenizer.encode_target(text, limit=limit(model))
    length = len(row) - (row.ids[-1:] == (model.tokenizer.eos_id,))
    return some_words(replace(row, **{name: getattr(row, name)[:length] for name in PARTS}))


def started(model: Model, row: Row) -> Row:
    """A row with what the decoder reads before its first word."""
    start = {"ids": model.config.start_id, "words": START, "segments": 0, "special": True, "spans": None}
    return replace(row, **{name: (start[name], *getattr(row, name)) for name in PARTS})
