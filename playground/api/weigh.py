"""The endpoint of the arithmetic of one attention weight."""

from collections.abc import Callable
from typing import TypedDict

import gradio as gr
import numpy as np

from playground.service.playground import Playground
from playground.tasks import attend, weigh


class Weighed(TypedDict):
    """Every number between two words, in the order in which they are computed; vectors have one number for each place of the head."""

    word_query: str
    word_key: str
    site: str
    head: int
    key_head: int
    q: list[float]
    k: list[float]
    dot_product: float
    before_mask: list[float]
    scores: list[float | None]
    highest: float
    exps: list[float]
    denominator: float
    weights: list[float]
    weight: float
    v: list[float]
    weighted_value: list[float]
    head_output: list[float]
    head_parts: list[float]
    update: float
    bias: float


def endpoints(playground: Playground) -> dict[str, Callable]:
    """Name of the endpoint -> its function. The docstring is what the API page shows."""

    def weigh_(
        model: str,
        text: str,
        text_b: str = "",
        target: str = "",
        site: str = "",
        head: int = 0,
        query: int = 0,
        key: int = 0,
        request: gr.Request = None,
    ) -> Weighed:
        """The arithmetic of one attention weight: softmax(q k / sqrt(d_k)) v with its real numbers, and what each head adds to the word.

        Parameters:
            model: a name from /models that can "attend".
            text: what the model reads.
            text_b: a second text; for an encoder only.
            target: a translation to look at instead of the model's own; for an encoder-decoder only.
            site: a layer as /attend lists it in `sites`, such as "encoder.3.self"; empty for the last one.
            head: a head, counted from 0.
            query: the place of the word that looks, counted from 0 in `words_query` of /attend.
            key: the place of the word that is looked at, counted from 0 in `words_key` of /attend.
        Returns:
            `dot_product` is q k; `before_mask` and `scores` are q k / sqrt(d_k) of the whole row, null where the mask hides a word;
            `exps` are exp(score - highest), `denominator` their sum, `weights` their shares of it; `head_output` is the sum of
            weight v over all words. `head_parts` are the lengths of what each head adds after the output projection, `update` the length
            of their sum with the bias. `key_head` is the head of keys and values that this head reads.
        """
        question = attend.Request(text=text, second=text_b, target=target)
        site = site or playground.ask(model, attend.NAME, question).sites[-1]
        one = playground.ask(model, weigh.NAME, weigh.Request(question=question, site=site, head=head, query=query, key=key))
        return Weighed(
            word_query=one.words_query[one.query],
            word_key=one.words_key[one.key],
            site=one.site,
            head=one.head,
            key_head=one.key_head,
            q=one.q.tolist(),
            k=one.k.tolist(),
            dot_product=one.total,
            before_mask=one.before.tolist(),
            scores=[None if np.isneginf(score) else score for score in one.scores.tolist()],
            highest=one.highest,
            exps=one.exps.tolist(),
            denominator=one.denominator,
            weights=one.weights.tolist(),
            weight=one.weight,
            v=one.v.tolist(),
            weighted_value=one.weighted.tolist(),
            head_output=one.output.tolist(),
            head_parts=one.parts.tolist(),
            update=one.update,
            bias=one.bias,
        )

    return {"weigh": weigh_}
