"""The endpoints of what lies beyond one map: other measures, every head in numbers, which words a prediction hangs on."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TypedDict

import gradio as gr

from models.errors import Problem
from playground.api import rows
from playground.service.playground import Playground
from playground.tasks import attend, attribute
from playground.tasks.head_table import heads
from playground.tasks.measures import MAX, MEASURES, over_heads, rollout_sites
from playground.ui.attention_view import Seen, deeper, numbers


class Measured(TypedDict):
    """`values[q][k]` between `words_query[q]` and `words_key[k]`."""

    words_query: list[str]
    words_key: list[str]
    site: str
    head: int
    measure: str
    values: list[list[float]]


class HeadRow(TypedDict):
    """A head in numbers; null where rows and columns are two texts."""

    site: str
    head: int
    kind: str
    entropy: float
    spread: float
    distance: float | None
    previous: float | None
    same: float | None
    next: float | None
    first: float
    special: float
    punctuation: float


class StackSaliency(TypedDict):
    """One number for each token that a stack reads."""

    stack: str
    words: list[str]
    saliency: list[float]


class Saliency(TypedDict):
    """What was predicted, and what it hangs on."""

    aim: str
    word: str
    stacks: list[StackSaliency]


def endpoints(playground: Playground) -> dict[str, Callable]:
    """Name of the endpoint -> its function. The docstrings are what the API page shows."""

    def attend_by_(
        model: str,
        text: str,
        text_b: str = "",
        target: str = "",
        site: str = "",
        head: int = -1,
        measure: str = "weights",
        whole_words: bool = False,
        hide_special: bool = False,
        request: gr.Request = None,
    ) -> Measured:
        """Attention by another measure, and between whole words.

        Parameters:
            model: a name from /models that can "attend".
            text: what the model reads.
            text_b: a second text; for an encoder only.
            target: a translation to look at instead of the model's own; for an encoder-decoder only.
            site: a layer as /attend lists it, such as "encoder.3.self"; empty for the last one.
            head: a head, counted from 0; -1 for the mean of all heads, -2 for the largest of them. Rollout has no heads.
            measure: "weights"; "value", the length of weight W_O v (Kobayashi et al. 2020); "gradient", the positive part of weight times
                gradient of the model's own prediction (Chefer et al. 2021); "rollout" (Abnar & Zuidema 2020).
            whole_words: sub-words put together to words: the sum over keys, the mean over queries.
            hide_special: leave special tokens out; rows are not made to sum to 1 again.
        Returns:
            `values[q][k]` between `words_query[q]` and `words_key[k]`.
        """
        if measure not in MEASURES:
            raise Problem("unknown_measure", measure=measure, measures=", ".join(MEASURES))
        question = attend.Request(text=text, second=text_b, target=target)
        result = playground.ask(model, attend.NAME, question)
        sites = rollout_sites(result) if measure == "rollout" else result.sites
        site = site or sites[-1]
        if site not in sites:
            raise Problem("unknown_site", site=site, sites=", ".join(sites))
        if not MAX <= head < result.heads(site):
            raise Problem("unknown_head", head=head, site=site, last=result.heads(site) - 1)
        seen = Seen(model, question, site, head, "one", measure, whole_words, hide_special)
        values, words = numbers(result, seen, deeper(playground, seen))
        looking, looked_at = words(site)
        table = rows(over_heads(values(site), head))
        return Measured(words_query=list(looking), words_key=list(looked_at), site=site, head=head, measure=measure, values=table)

    def heads_(model: str, text: str, text_b: str = "", target: str = "", request: gr.Request = None) -> list[HeadRow]:
        """Every head of a text in numbers, and its kind in a word.

        Parameters:
            model: a name from /models that can "attend".
            text: what the model reads.
            text_b: a second text; for an encoder only.
            target: a translation to look at instead of the model's own; for an encoder-decoder only.
        Returns:
            For each head of each `site` its `kind`, `entropy` in bits, the same as a share of the possible (`spread`), mean `distance` in
            positions, and the shares of its weight on the `previous` word, the word itself (`same`), the `next` one, the `first` token,
            `special` tokens and `punctuation`: means over the words that look.
        """
        result = playground.ask(model, attend.NAME, attend.Request(text=text, second=text_b, target=target))
        return [HeadRow(**asdict(one), kind=one.kind) for one in heads(result)]

    def saliency_(model: str, text: str, text_b: str = "", target: str = "", request: gr.Request = None) -> Saliency:
        """Which tokens the model's own prediction hangs on: gradient times input, summed over the features.

        Parameters:
            model: a name from /models that can "attend".
            text: what the model reads.
            text_b: a second text; for an encoder only.
            target: a translation to look at instead of the model's own; for an encoder-decoder only.
        Returns:
            `aim`, what the gradient is of: the score of the best word at the first mask ("masked"), of the best next word ("next"), of the
            best word at every place ("words"), of the second text following or not ("pair"), or half the squared length of the mean vector
            ("meaning"); the `word` where it is one; and for each stack its `words` and their signed `saliency`.
        """
        question = attend.Request(text=text, second=text_b, target=target)
        seeing, found = playground.ask(model, attend.NAME, question), playground.ask(model, attribute.NAME, question)
        stacks = [
            StackSaliency(stack=stack, words=list(seeing.words[stack]), saliency=[float(f"{value:.6g}") for value in values])
            for stack, values in found.saliency.items()
        ]
        return Saliency(aim=found.aim, word=found.word, stacks=stacks)

    return {"attend_by": attend_by_, "heads": heads_, "saliency": saliency_}
