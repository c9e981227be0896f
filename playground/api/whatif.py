"""The endpoints of experiments: a guess with parts of the model silent, and the guess after every layer."""

from collections.abc import Callable
from typing import TypedDict

import gradio as gr

from models.ablation import Ablation
from playground.api.answers import Candidate
from playground.service.playground import Playground
from playground.tasks import attend, guess, logit_lens, predict, whatif

ANYWHERE = -1  # the place of which nobody says where it is


class Ablated(TypedDict):
    """A guess at `words[position]` (a decoder: at the word after it) with the whole model, and with parts of it silent."""

    words: list[str]
    position: int
    before: list[Candidate]
    after: list[Candidate]


class LensLayer(TypedDict):
    """The guess after one layer; `final` is the probability that it gives to the model's own first guess."""

    layer: str
    candidates: list[Candidate]
    final: float


class Lens(TypedDict):
    """The guess at `words[position]` (a decoder: at the word after it) after every layer, the embedding first."""

    words: list[str]
    position: int
    layers: list[LensLayer]


def endpoints(playground: Playground) -> dict[str, Callable]:
    """Name of the endpoint -> its function. The docstrings are what the API page shows."""

    def ablate(
        model: str,
        text: str,
        silent: list[str] = [],  # noqa: B006 - the API page shows the default; nothing changes it
        text_b: str = "",
        target: str = "",
        position: int = ANYWHERE,
        top_k: int = 10,
        request: gr.Request = None,
    ) -> Ablated:
        """What the model guesses at one place of a text, with the whole model and with parts of it silent: what they would add is 0.

        Parameters:
            model: a name from /models that can "attend" and guesses words.
            text: what the model reads; an encoder guesses at the first [MASK].
            silent: heads ("encoder.3.self:5", from 0), attentions ("decoder.0.cross"), "encoder.3.feedforward", whole layers ("encoder.3").
            text_b: a second text; for an encoder only.
            target: the translation that is read; for an encoder-decoder only.
            position: the token to guess (a decoder: the one to go on from), counted from 0; -1 for the mask, the end, or the beginning.
            top_k: how many of the best words to give.
        Returns:
            `words` as the model reads them, the `position` among them, and the best candidates `before` and `after`.
        """
        about = attend.Request(text=text, second=text_b, target=target)
        question = predict.Request(about=about, place=placed(position), top_k=top_k)
        before = playground.ask(model, predict.NAME, question)
        changed = whatif.Request(task=predict.NAME, question=question, ablation=Ablation.of(silent))
        after = playground.ask(model, whatif.NAME, changed)
        return Ablated(words=list(before.words), position=before.place, before=listed(before.candidates), after=listed(after.candidates))

    def logit_lens_(
        model: str, text: str, text_b: str = "", target: str = "", position: int = ANYWHERE, top_k: int = 5, request: gr.Request = None
    ) -> Lens:
        """What the model would guess if it stopped after each layer: its head for words reads every layer as if it were the last.

        Parameters:
            model: a name from /models that can "attend" and guesses words.
            text: what the model reads; an encoder guesses at the first [MASK].
            text_b: a second text; for an encoder only.
            target: the translation that is read; for an encoder-decoder only.
            position: the token to guess (a decoder: the one to go on from), counted from 0; -1 for the mask, the end, or the beginning.
            top_k: how many of the best words to give for each layer.
        Returns:
            `words` as the model reads them, the `position` among them, and for each of the `layers` its best candidates.
        """
        about = attend.Request(text=text, second=text_b, target=target)
        found = playground.ask(model, logit_lens.NAME, logit_lens.Request(about=about, place=placed(position), top_k=top_k))
        layers = [LensLayer(layer=layer.site, candidates=listed(layer.candidates), final=layer.final) for layer in found.layers]
        return Lens(words=list(found.words), position=found.place, layers=layers)

    return {"ablate": ablate, "logit_lens": logit_lens_}


def placed(position: int) -> int | None:
    """The place that a program means."""
    return None if position == ANYWHERE else position


def listed(candidates: tuple[guess.Candidate, ...]) -> list[Candidate]:
    return [Candidate(word=one.word, probability=one.probability) for one in candidates]
