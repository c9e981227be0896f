"""The endpoints of further questions: masks filled together."""

from collections.abc import Callable
from typing import TypedDict

import gradio as gr

from playground.service.playground import Playground
from playground.tasks import fill_masks


class WholeFilling(TypedDict):
    """All masks filled in one `way`; `score`: sum of the log probabilities of all words, each masked in turn; nearer to 0 is better."""

    way: str
    words: list[str]
    text: str
    score: float
    rounds: list[list[str]]
    settled: bool


def endpoints(playground: Playground) -> dict[str, Callable]:
    """Name of the endpoint -> its function. The docstrings are what the API page shows."""

    def fill_masks_(model: str, text: str, rounds: int = 10, request: gr.Request = None) -> list[WholeFilling]:
        """All [MASK]s of a text filled together, in three ways: independent, sequential (left to right) and iterative.

        Parameters:
            model: a name from /models that can "fill_mask".
            text: a text with several [MASK].
            rounds: how often the iterative way may go through all masks.
        Returns:
            One `{way, words, text, score, rounds, settled}` for each way.
        """
        result = playground.ask(model, "fill_masks", fill_masks.Request(text=text, rounds=rounds))
        return [
            WholeFilling(
                way=one.way,
                words=list(one.words),
                text=one.text,
                score=one.score,
                rounds=[list(words) for words in one.rounds],
                settled=one.settled,
            )
            for one in result.fillings
        ]

    return {"fill_masks": fill_masks_}
