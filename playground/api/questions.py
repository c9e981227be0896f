"""The endpoints of further questions: masks filled together, a translation that goes on from a beginning, the tree of its search."""

from collections.abc import Callable
from typing import TypedDict

import gradio as gr

from playground.service.playground import Playground
from playground.tasks import beam_tree, fill_masks, translate


class WholeFilling(TypedDict):
    """All masks filled in one `way`; `score`: sum of the log probabilities of all words, each masked in turn; nearer to 0 is better."""

    way: str
    words: list[str]
    text: str
    score: float
    rounds: list[list[str]]
    settled: bool


class Continued(TypedDict):
    """`given`: how many of `words` were given; `probabilities`: what the model thought of each word, those given too."""

    translation: str
    words: list[str]
    probabilities: list[float]
    given: int


class TreeNode(TypedDict):
    """One word of one beginning. `parent`: its place in the list, -1 for none; `score`: log probability of the beginning up to here.

    `texts`: the whole texts that go through here, 0 for the winner; empty where the beginning was given up.
    """

    word: str
    parent: int
    step: int
    score: float | None
    texts: list[int]


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

    def continue_translation(
        model: str, text: str, prefix: str, sentence: int = 0, beams: int = 1, request: gr.Request = None
    ) -> Continued:
        """A translation that goes on from a given beginning.

        Parameters:
            model: a name from /models that can "translate".
            text: what to translate.
            prefix: what the translation of one sentence has to begin with.
            sentence: which sentence that is, counted from 0.
            beams: how many translations to follow at once; 1 always takes the best next word.
        Returns:
            The whole `translation`, and of that sentence its `words`, their `probabilities` and how many were `given`.
        """
        result = playground.ask(model, "translate", translate.Request(text=text, beams=beams, prefix=prefix, prefix_at=sentence))
        one = result.sentences[min(max(sentence, 0), len(result.sentences) - 1)]
        return Continued(
            translation=result.translation, words=list(one.target_words), probabilities=one.probabilities.tolist(), given=one.given
        )

    def beam_tree_(
        model: str, text: str, sentence: int = 0, beams: int = 4, prefix: str = "", request: gr.Request = None
    ) -> list[TreeNode]:
        """The tree of a beam search: every beginning of a translation that was followed, and which were given up.

        Parameters:
            model: a name from /models that can "translate".
            text: what to translate.
            sentence: which of its sentences, counted from 0.
            beams: how many translations to follow at once, 2 at least.
            prefix: what the translation has to begin with; may be empty.
        Returns:
            One `{word, parent, step, score, texts}` for each word, in the order in which the tree grew.
        """
        question = beam_tree.Request(text=text, place=sentence, beams=beams, prefix=prefix)
        nodes = playground.ask(model, "beam_tree", question).nodes
        return [TreeNode(word=one.word, parent=one.parent, step=one.step, score=one.score, texts=list(one.texts)) for one in nodes]

    return {"fill_masks": fill_masks_, "continue_translation": continue_translation, "beam_tree": beam_tree_}
