"""The endpoints of the questions: the same answers that the tabs show."""

from collections.abc import Callable, Iterator
from typing import TypedDict

import gradio as gr
import numpy as np

from models.errors import Problem
from playground.api import rows
from playground.service.offers import Row
from playground.service.playground import Playground
from playground.tasks import attend, fill_mask, fill_mask_decoder, generate, next_sentence, translate


class Attention(TypedDict):
    """`weights[q][k]`: how much `words_query[q]` looks at `words_key[k]`; a row sums to 1. `heads`: how many heads `site` has."""

    words_query: list[str]
    words_key: list[str]
    sites: list[str]
    heads: int
    site: str
    head: int
    weights: list[list[float]]


class Candidate(TypedDict):
    """A word and its probability."""

    word: str
    probability: float


class FilledMask(TypedDict):
    """One mask: its place in `words`, and what may stand there, best first."""

    position: int
    candidates: list[Candidate]


class Filled(TypedDict):
    """A text with masks, as the model reads it, and what it would put behind each."""

    words: list[str]
    masks: list[FilledMask]


class DecoderCandidate(TypedDict):
    """A word and its shares among the candidates: from what stands before the gap, and from the whole text.

    `estimated`: the right side is long, and `both` comes from its beginning, since other words went on better there.
    """

    word: str
    left: float
    both: float
    estimated: bool


class DecoderFilled(TypedDict):
    """Candidates for a gap, best by `both` first; `covered`: their probability after the left side in all; `cut`: tokens left out."""

    candidates: list[DecoderCandidate]
    covered: float
    cut: int


class Following(TypedDict):
    """A sentence and the probability that it follows the first one."""

    sentence: str
    probability: float


class OtherTranslation(TypedDict):
    """`score`: log probability divided by a power of the length; nearer to 0 is better."""

    text: str
    score: float


class Translation(TypedDict):
    """`alignment[t][s]`: how much target word t looked at source word s (mean of the aligning heads); words of other sentences get 0."""

    translation: str
    alternatives: list[OtherTranslation]
    source_words: list[str]
    target_words: list[str]
    alignment: list[list[float]]


class GeneratedToken(TypedDict):
    """A token, its probability in the model's own distribution, and the best others at its place."""

    word: str
    probability: float
    alternatives: list[Candidate]


class Generated(TypedDict):
    """The text so far and its tokens."""

    text: str
    tokens: list[GeneratedToken]


def endpoints(playground: Playground) -> dict[str, Callable]:
    """Name of the endpoint -> its function. The docstrings are what the API page shows."""

    def models_() -> list[Row]:
        """The models that this page offers.

        Returns:
            One `{name, family, tasks, languages, parameters, licence, size_mb, ready}` for each; `ready` means that its files are here.
        """
        return playground.models()

    def attend_(
        model: str, text: str, text_b: str = "", target: str = "", site: str = "", head: int = -1, request: gr.Request = None
    ) -> Attention:
        """Which words look at which: the attention weights of one layer and head.

        Parameters:
            model: a name from /models that can "attend".
            text: what the model reads.
            text_b: a second text; for an encoder only.
            target: a translation to look at instead of the model's own; for an encoder-decoder only.
            site: a layer as listed in the answer's `sites`, such as "encoder.3.self"; empty for the last one.
            head: a head, counted from 0; -1 for the mean of all heads.
        Returns:
            `weights[q][k]`, how much `words_query[q]` looks at `words_key[k]`; each row sums to 1.
        """
        result = playground.ask(model, "attend", attend.Request(text=text, second=text_b, target=target))
        site = site or result.sites[-1]
        if site not in result.sites:
            raise Problem("unknown_site", site=site, sites=", ".join(result.sites))
        if not -1 <= head < result.heads(site):
            raise Problem("unknown_head", head=head, site=site, last=result.heads(site) - 1)
        words_query, words_key = result.words_at(site)
        return Attention(
            words_query=list(words_query),
            words_key=list(words_key),
            sites=list(result.sites),
            heads=result.heads(site),
            site=site,
            head=head,
            weights=rows(result.weights(site, head)),
        )

    def fill_mask_(
        model: str,
        text: str,
        top_k: int = 10,
        candidates: list[str] = [],  # noqa: B006 - the API page shows the default; nothing changes it
        request: gr.Request = None,
    ) -> Filled:
        """What the model would put behind each [MASK] of a text.

        Parameters:
            model: a name from /models that can "fill_mask".
            text: a text with one or several [MASK].
            top_k: how many of the best words to give for each mask.
            candidates: words to compare instead of the best ones.
        Returns:
            `words`, as the model reads them, and for each mask its `position` among them and the `candidates`, best first.
        """
        result = playground.ask(model, "fill_mask", fill_mask.Request(text=text, top_k=top_k, candidates=tuple(candidates)))
        masks = [
            FilledMask(
                position=mask.position, candidates=[Candidate(word=found.word, probability=found.probability) for found in mask.candidates]
            )
            for mask in result.masks
        ]
        return Filled(words=list(result.words), masks=masks)

    def fill_mask_decoder_(
        model: str,
        text: str,
        candidates: list[str] = [],  # noqa: B006 - the API page shows the default; nothing changes it
        proposals: int = 50,
        request: gr.Request = None,
    ) -> DecoderFilled:
        """What a decoder would put behind the [MASK] of a text: from the left side alone, and with the right side read too.

        Parameters:
            model: a name from /models that can "fill_mask_decoder".
            text: a text with exactly one [MASK].
            candidates: words to compare instead of the decoder's own.
            proposals: how many of its own words to try, the likeliest after the left side.
        Returns:
            The `candidates`, best first, each with `left` and `both`: its shares among them by the left side and by the whole text.
        """
        question = fill_mask_decoder.Request(text=text, candidates=tuple(candidates), proposals=proposals)
        result = playground.ask(model, "fill_mask_decoder", question)
        words = [DecoderCandidate(word=one.word, left=one.left, both=one.both, estimated=one.estimated) for one in result.candidates]
        return DecoderFilled(candidates=words, covered=result.covered, cut=result.cut)

    def next_sentence_(model: str, first: str, seconds: list[str], request: gr.Request = None) -> list[Following]:
        """How probable it is that a sentence follows another. This is BERT's own training task: it knows topics better than order.

        Parameters:
            model: a name from /models that can judge "next_sentence".
            first: the sentence that comes first.
            seconds: the candidates for the next one.
        Returns:
            One `{sentence, probability}` for each candidate, in the order of `seconds`.
        """
        if not seconds:
            raise Problem("no_candidates")
        questions = [next_sentence.Request(first=first, second=second) for second in seconds]
        results = playground.ask_all(model, "next_sentence", questions)
        return [Following(sentence=second, probability=result.probability) for second, result in zip(seconds, results, strict=True)]

    def translate_(
        model: str, text: str, beams: int = 1, alternatives: int = 0, max_new_tokens: int = 256, request: gr.Request = None
    ) -> Translation:
        """Translate a text, line breaks kept, with the word alignment of the model's cross-attention.

        Parameters:
            model: a name from /models that can "translate"; its languages are given there, source first.
            text: what to translate.
            beams: how many translations to follow at once; 1 always takes the best next word.
            alternatives: how many other translations to give, with their scores; the search is as wide as that needs.
            max_new_tokens: the longest translation of one sentence.
        Returns:
            `translation`, `alternatives`, and `alignment[t][s]`: how much `target_words[t]` looked at `source_words[s]`.
        """
        question = translate.Request(text=text, beams=beams, alternatives=alternatives, max_new_tokens=max_new_tokens)
        result = playground.ask(model, "translate", question)
        sentences = result.sentences
        return Translation(
            translation=result.translation,
            alternatives=[OtherTranslation(text=other.text, score=other.score) for other in result.alternatives],
            source_words=[word for sentence in sentences for word in sentence.source_words],
            target_words=[word for sentence in sentences for word in sentence.target_words],
            alignment=rows(_block_diagonal([sentence.alignment for sentence in sentences])),
        )

    def generate_(
        model: str,
        prompt: str,
        max_new_tokens: int = 64,
        temperature: float = 0.7,
        top_k: int = 50,
        top_p: float = 0.9,
        seed: int = 0,
        request: gr.Request = None,
    ) -> Iterator[Generated]:
        """Continue a prompt, or answer it where the model has a chat template, token by token.

        Each item that is sent holds everything so far.

        Parameters:
            model: a name from /models that can "generate".
            prompt: what to continue or to answer.
            max_new_tokens: the longest answer.
            temperature: 0 takes the most likely token each time; higher values dare more.
            top_k: draw from the k most likely tokens only; 0 for all.
            top_p: draw from the most likely tokens that make up this share only.
            seed: the same seed gives the same text.
        Returns:
            `text` so far and its `tokens`, each with its probability in the model's own distribution and the likeliest others.
        """
        question = generate.Request(
            prompt=prompt, max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed
        )
        tokens: list[GeneratedToken] = []
        for step in playground.stream(model, "generate", question):
            others = [Candidate(word=word, probability=probability) for word, probability in step.alternatives]
            tokens.append(GeneratedToken(word=step.word, probability=step.probability, alternatives=others))
            yield Generated(text=step.text, tokens=list(tokens))
        if not tokens:
            yield Generated(text="", tokens=[])

    functions = (models_, attend_, fill_mask_, fill_mask_decoder_, next_sentence_, translate_, generate_)
    return {function.__name__.rstrip("_"): function for function in functions}


def _block_diagonal(blocks: list[np.ndarray]) -> np.ndarray:
    """Matrices one after the other along the diagonal of a bigger one, zeros elsewhere."""
    result = np.zeros((sum(block.shape[0] for block in blocks), sum(block.shape[1] for block in blocks)), dtype=np.float32)
    row = column = 0
    for block in blocks:
        result[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return result
