"""The endpoints of further questions: masks filled together, translations that go on from a beginning, the tree of a search, one token."""

from collections.abc import Callable
from typing import TypedDict

import gradio as gr

from playground.service.playground import Playground
from playground.tasks import beam_tree, fill_masks, next_token, translate


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


class NextToken(TypedDict):
    """A token; a probability for each temperature: `probabilities` among all tokens, `drawn` after the cut (0: it cannot be drawn)."""

    word: str
    probabilities: list[float]
    drawn: list[float]


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

    def next_token_(
        model: str,
        prompt: str,
        top_k: int = 0,
        top_p: float = 1.0,
        count: int = 10,
        request: gr.Request = None,
    ) -> list[NextToken]:
        """The likeliest next tokens after a prompt, at the temperatures 0.2, 0.7, 1 and 1.5.

        Parameters:
            model: a name from /models that can "generate".
            prompt: what the token comes after; in the model's chat template where it has one.
            top_k: draw from the k most likely tokens only; 0 for all.
            top_p: draw from the most likely tokens that make up this share only.
            count: how many tokens to give.
        Returns:
            One `{word, probabilities, drawn}` for each token, the likeliest first.
        """
        result = playground.ask(model, "next_token", next_token.Request(prompt=prompt, top_k=top_k, top_p=top_p, count=count))
        columns = zip(result.words, result.chances.T.tolist(), result.drawn.T.tolist())
        return [NextToken(word=word, probabilities=chances, drawn=drawn) for word, chances, drawn in columns]

    functions = (fill_masks_, continue_translation, beam_tree_, next_token_)
    return {function.__name__.rstrip("_"): function for function in functions}
