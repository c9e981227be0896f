"""How the model translates, and which source word each target word looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest

import numpy as np
import torch

from models.batching import groups
from models.decode.alignment import align
from models.decode.beam import Hypothesis, search
from models.decode.greedy import greedy
from models.decode.sentences import Sentences, fitting, split
from models.decode.steps import Written, collect
from models.errors import Problem
from models.model import Model
from models.tokens import Row
from playground.tasks.refusals import able, some_text

NAME = "translate"
LONGEST = 10_000  # characters of a text
MOST_BEAMS = 8
MOST_NEW_TOKENS = 512
BATCH = 2048  # source positions of one batch, times beams
WASTE = 2.0  # short sentences may wait for long ones: they leave the batch as soon as they end
TOGETHER = 8  # sentences between two items of a stream


@dataclass(frozen=True, kw_only=True)
class Request:
    """`alternatives`: how many other translations to show; the search is as wide as that needs.

    `prefix`: what the translation of sentence number `prefix_at` (from 0) has to begin with; the model goes on from there.
    """

    text: str
    beams: int = 1
    alternatives: int = 0
    max_new_tokens: int = 256  # of one sentence
    prefix: str = ""
    prefix_at: int = 0

    @property
    def width(self) -> int:
        """Beginnings that go on side by side; 1 is greedy decoding."""
        return max(self.beams, self.alternatives + 1)


@dataclass(frozen=True, kw_only=True)
class Alternative:
    text: str
    score: float  # log probability divided by length ** length_penalty


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence: `alignment` (T, S) cross-attention, rows sum to 1; `probabilities` (T,) of each target word when it was chosen."""

    source_words: tuple[str, ...]
    target_words: tuple[str, ...]  # without the end token
    text: str
    alternatives: tuple[Alternative, ...]
    alignment: np.ndarray = field(hash=False)
    probabilities: np.ndarray = field(hash=False)
    finished: bool = True  # the model ended the sentence itself, before `max_new_tokens`
    given: int = 0  # of the target words: those that the visitor gave


@dataclass(frozen=True, kw_only=True)
class Result:
    translation: str  # line breaks as in the source
    alternatives: tuple[Alternative, ...]  # of the whole text; the score is the mean of its sentences' scores
    sentences: tuple[Sentence, ...]
    cut: int = 0


@dataclass(frozen=True, kw_only=True)
class Job:
    """One sentence to translate, and how; equal ones are done once."""

    row: Row
    width: int
    max_new_tokens: int
    begun: tuple[int, ...] = ()  # words that the translation has to begin with


@dataclass(frozen=True, kw_only=True)
class Done:
    """A translated sentence without the others, and all that the search found, best first (nothing after greedy decoding)."""

    sentence: Sentence
    found: tuple[Alternative, ...]

    def chosen(self, alternatives: int) -> Sentence:
        return replace(self.sentence, alternatives=self.found[1 : 1 + alternatives])


def size(model: Model, request: Request) -> int:
    """Tokens of a text; Problem where the model cannot translate it."""
    return sum(len(job.row) for job in jobs(model, request, sentences(model, request)))


def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Translate all sentences of all texts together, those of similar length side by side."""
    texts = [sentences(model, request) for request in requests]
    wanted = [jobs(model, request, text) for request, text in zip(requests, texts)]
    done = translate(model, [job for some in wanted for job in some])
    return [put_together(request, text, [done[job] for job in some]) for request, text, some in zip(requests, texts, wanted)]


def stream(model: Model, request: Request) -> Iterator[Result]:
    """The same in the order of reading: a Result of the first sentences, then of more of them, at last of all."""
    text = sentences(model, request)
    wanted = jobs(model, request, text)
    ready: list[Done] = []
    while len(ready) < len(wanted):
        some = wanted[len(ready) : len(ready) + (TOGETHER if ready else 1)]
        done = translate(model, some)
        ready += [done[job] for job in some]
        count = len(ready)
        yield put_together(request, Sentences(sentences=text.sentences[:count], gaps=text.gaps[: count + 1]), ready)


def sentences(model: Model, request: Request) -> Sentences:
    """The sentences of a text, none longer than the model can read; Problem for what it cannot translate."""
    able(model, NAME)
    some_text(request.text)
    if len(request.text) > LONGEST:
        raise Problem("long_text", characters=len(request.text), most=LONGEST)
    if not 1 <= request.beams <= MOST_BEAMS:
        raise Problem("bad_beams", beams=request.beams, most=MOST_BEAMS)
    if not 0 <= request.alternatives < MOST_BEAMS:
        raise Problem("bad_alternatives", alternatives=request.alternatives, most=MOST_BEAMS - 1)
    if not 1 <= request.max_new_tokens <= MOST_NEW_TOKENS:
        raise Problem("bad_max_new_tokens", asked=request.max_new_tokens, most=MOST_NEW_TOKENS)
    return split(request.text, fits=fitting(model.tokenizer, model.limit))


def jobs(model: Model, request: Request, text: Sentences) -> list[Job]:
    """What there is to translate; Problem where nothing is left for the model to read."""
    rows = [model.tokenizer.encode(sentence, limit=model.limit) for sentence in text.sentences]
    if all(all(row.special) for row in rows):
        raise Problem("nothing_to_read")
    begun = given(model, request, len(rows))
    return [
        Job(row=row, width=request.width, max_new_tokens=request.max_new_tokens, begun=begun if place == request.prefix_at else ())
        for place, row in enumerate(rows)
    ]


def given(model: Model, request: Request, count: int) -> tuple[int, ...]:
    """The words that one of `count` sentences has to begin with; Problem where there is no such sentence, or no room left behind them."""
    if not request.prefix.strip():
        return ()
    if not 0 <= request.prefix_at < count:
        raise Problem("no_such_sentence", place=request.prefix_at + 1, sentences=count)
    row = model.tokenizer.encode_target(request.prefix.strip())
    begun = tuple(index for index, special in zip(row.ids, row.special) if not special)
    most = min(request.max_new_tokens, model.limit - 1) - 1
    if len(begun) > most:
        raise Problem("long_prefix", tokens=len(begun), most=most)
    return begun


def translate(model: Model, wanted: Sequence[Job]) -> dict[Job, Done]:
    """Do all jobs; those that are done alike and of similar length together."""
    done = {job: nothing(job) for job in wanted if all(job.row.special)}
    alike: dict[tuple[int, int], list[Job]] = {}
    for job in dict.fromkeys(wanted):
        if job not in done:
            alike.setdefault((job.width, job.max_new_tokens), []).append(job)
    for (width, _), some in alike.items():
        for places in groups([len(job.row) for job in some], tokens=BATCH // width, waste=WASTE):
            batch = [some[place] for place in places]
            done.update(zip(batch, together(model, batch)))
    return done


@torch.inference_mode()
def together(model: Model, batch: Sequence[Job]) -> list[Done]:
    """Translate one batch, and look where each word looked."""
    network, ends = model.network, model.config.end_ids
    width, room = batch[0].width, batch[0].max_new_tokens
    tokens = model.batch([job.row for job in batch])
    memory = network.encode(tokens)
    begun = [job.begun for job in batch] if any(job.begun for job in batch) else ()
    if width == 1:
        steps = greedy(network, tokens, max_new_tokens=room, probabilities=True, memory=memory, begun=begun)
        found = [[written] for written in collect(steps, rows=len(batch), end_ids=ends)]
    else:
        found = search(network, tokens, beams=width, max_new_tokens=room, memory=memory, begun=begun)
    looks = align(network, tokens, [texts[0].ids for texts in found], memory=memory)
    return [finished(model, job, texts, look.cpu().numpy().copy()) for job, texts, look in zip(batch, found, looks)]


def finished(model: Model, job: Job, texts: Sequence[Written | Hypothesis], look: np.ndarray) -> Done:
    """From numbers to words."""
    best = texts[0]
    found: dict[str, Alternative] = {}  # the same text can be cut into tokens in several ways: its best score counts
    for hypothesis in texts if isinstance(best, Hypothesis) else ():
        text = model.tokenizer.decode(hypothesis.ids)
        found.setdefault(text, Alternative(text=text, score=hypothesis.score))
    sentence = Sentence(
        source_words=job.row.words,
        target_words=model.tokenizer.words(best.ids),
        text=model.tokenizer.decode(best.ids),
        alternatives=(),
        alignment=look,
        probabilities=np.array(best.probabilities, dtype=np.float32),
        finished=best.ended,
        given=len(job.begun),
    )
    return Done(sentence=sentence, found=tuple(found.values()))


def nothing(job: Job) -> Done:
    """The translation of a sentence of which the tokenizer left nothing."""
    empty = np.zeros(0, dtype=np.float32)
    sentence = Sentence(
        source_words=job.row.words,
        target_words=(),
        text="",
        alternatives=(),
        alignment=np.zeros((0, len(job.row)), dtype=np.float32),
        probabilities=empty,
    )
    return Done(sentence=sentence, found=())


def put_together(request: Request, text: Sentences, done: Sequence[Done]) -> Result:
    """The text in its new language."""
    parts = [one.chosen(request.alternatives) for one in done]
    return Result(
        translation=text.join([part.text for part in parts]),
        alternatives=others(text, done, request.alternatives),
        sentences=tuple(parts),
    )


def others(text: Sentences, done: Sequence[Done], count: int) -> tuple[Alternative, ...]:
    """The best ways to put the sentences' alternatives together, apart from the best itself."""
    if not count:
        return ()
    ways: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]
    for one in done:
        found = one.found or (Alternative(text="", score=0.0),)
        longer = ((score + choice.score, (*texts, choice.text)) for score, texts in ways for choice in found)
        ways = nlargest(count + 1, longer, key=lambda way: way[0])
    return tuple(Alternative(text=text.join(texts), score=score / len(done)) for score, texts in ways[1:])
