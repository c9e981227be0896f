"""How the model goes on, word by word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from models.decode import steps as decoding
from models.decode.sample import Sampling, sample
from models.errors import Problem
from models.model import Model
from models.tokens import Row
from playground.tasks.refusals import able, some_text, some_words

NAME = "generate"
OTHERS = 8  # of the most likely words at each place
MOST_NEW_TOKENS = 1024
NEAR = 3  # tokens before one that may hold the first bytes of its character


@dataclass(frozen=True, kw_only=True)
class Request:
    prompt: str
    max_new_tokens: int = 64
    temperature: float = 0.7  # 0: always the most likely word
    top_k: int = 50  # 0: all
    top_p: float = 0.9
    seed: int = 0
    chat: bool = True  # put the prompt into the model's chat template where it has one
    begun: tuple[int, ...] = ()  # tokens that the answer has to begin with, as the `token` of each step tells them; they count as new ones


@dataclass(frozen=True, kw_only=True)
class Step:
    """One generated token. Probabilities are those of the model's own distribution: temperature 1, nothing cut off."""

    word: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]  # the most likely words at this place, best first
    text: str  # all the text so far; a character whose last bytes are still to come waits for them
    finished: bool = False  # after this token the model ended its text itself
    cut: int = 0  # tokens of the prompt that were left out because it was too long
    token: int = -1  # its number in the vocabulary
    others: tuple[int, ...] = ()  # those of the alternatives


@dataclass(frozen=True, kw_only=True)
class Result:
    text: str
    steps: tuple[Step, ...]
    cut: int = 0
    finished: bool = True  # the model ended its text itself


def size(model: Model, request: Request) -> int:
    """Tokens of a prompt; Problem where the model cannot answer it."""
    return len(read(model, request))


def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer all requests side by side; each draws from its own seed."""
    rows = [read(model, request) for request in requests]
    pens = [Pen(model, row) for row in rows]
    for step in draw(model, rows, requests):
        put(step, pens)
    return [pen.result() for pen in pens]


def stream(model: Model, request: Request) -> Iterator[Step]:
    """The same, each token as soon as the next is known: only then is it known whether it was the last."""
    pen, held = Pen(model, read(model, request)), None
    for step in draw(model, [pen.row], [request]):
        put(step, [pen])
        if pen.ended:
            break
        if held is not None:
            yield held
        held = pen.steps[-1]
    if held is not None:
        yield replace(held, finished=pen.ended)


def draw(model: Model, rows: Sequence[Row], requests: Sequence[Request]) -> Iterator[decoding.Step]:
    """The decoder's steps for these prompts."""
    settings = [
        Sampling(temperature=request.temperature, top_k=request.top_k, top_p=request.top_p, seed=request.seed) for request in requests
    ]
    room = [min(request.max_new_tokens, model.limit - len(row)) for request, row in zip(requests, rows)]
    tokens = model.batch(rows, side="left")
    begun = [request.begun for request in requests] if any(request.begun for request in requests) else ()
    return sample(model.network, tokens, settings, max_new_tokens=room, probabilities=True, others=OTHERS, begun=begun)


def put(step: decoding.Step, pens: Sequence["Pen"]) -> None:
    """Give each row its new word."""
    words, chances = step.others
    for row, word, chance, others, theirs in zip(
        step.rows, step.ids.tolist(), step.probabilities.tolist(), words.tolist(), chances.tolist()
    ):
        if row >= 0:
            pens[row].put(word, chance, list(zip(others, theirs)))


class Pen:
    """What is written of one text."""

    def __init__(self, model: Model, row: Row):
        self.model, self.row = model, row
        self.ids: list[int] = []
        self.steps: list[Step] = []
        self.text = ""
        self.ended = False

    def put(self, word: int, chance: float, others: list[tuple[int, float]]) -> None:
        """One more word; nothing is written after the end."""
        if self.ended or word in self.model.config.end_ids:
            self.ended = True
            return
        tokenizer = self.model.tokenizer
        before = self.ids[-NEAR:]
        self.ids.append(word)
        self.text = tokenizer.decode(self.ids).replace("\ufffd", "")

        def shown(piece: int) -> str:
            return tokenizer.words([*before, piece])[-1]

        pairs = tuple((shown(other), share) for other, share in others)
        ids = tuple(other for other, _ in others)
        self.steps.append(
            Step(word=shown(word), probability=chance, alternatives=pairs, text=self.text, cut=self.row.cut, token=word, others=ids)
        )

    def result(self) -> Result:
        """The whole text."""
        last = [replace(step, finished=self.ended) for step in self.steps[-1:]]
        return Result(text=self.text, steps=(*self.steps[:-1], *last), cut=self.row.cut, finished=self.ended)


def read(model: Model, request: Request) -> Row:
    """The prompt as the model reads it, with room for an answer; Problem for what it cannot answer."""
    able(model, NAME)
    some_text(request.prompt)
    if not 1 <= request.max_new_tokens <= MOST_NEW_TOKENS:
        raise Problem("bad_max_new_tokens", asked=request.max_new_tokens, most=MOST_NEW_TOKENS)
    if not (isfinite(request.temperature) and request.temperature >= 0):
        raise Problem("bad_temperature", temperature=request.temperature)
    if request.top_k < 0:
        raise Problem("bad_drawing_top_k", top_k=request.top_k)
    if not 0 < request.top_p <= 1:
        raise Problem("bad_top_p", top_p=request.top_p)
    limit = model.limit - min(request.max_new_tokens, model.limit // 2)
    row = model.tokenizer.encode_chat(request.prompt, limit=limit) if request.chat else None
    return row or some_words(model.tokenizer.encode(request.prompt, limit=limit))
