"""Answers that are texts: the model learns to write them, each word from the true words before it."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from models.decode.greedy import greedy
from models.decode.steps import collect
from models.errors import Problem
from models.model import Model
from models.tokens import Row, Tokens
from models.training.sequence import sequence_loss, shift
from models.tuning.reading import Guesses, Item, size
from models.tuning.task import Example, Task
from models.tuning.template import parts, shortened
from models.tuning.tuned import Tuned

MARK = "\n"  # ends the question of a decoder where the template has no ending of its own


class TextAnswer:
    """For decoders, whose question and answer are one row (segments 0 and 1), and for encoder-decoders. Loss of the answer alone."""

    name = "text"
    words = None

    def __init__(self, model: Model, task: Task, *, limit: int):
        if "lm" not in model.network.heads:
            raise Problem("no_writing", model=model.name)
        self.model, self.limit = model, limit
        self.sourced = model.config.architecture == "encoder_decoder"
        self.opening, self.ending = parts(model, task)
        self.ending = self.ending if self.ending or self.sourced else MARK
        self.trainable = {}

    def question(self, text: str) -> Row:
        """A text in the task's template."""
        text = shortened(self.model, text, self.opening, self.ending, limit=self.limit)
        return self.model.tokenizer.encode(self.opening + text + self.ending, limit=self.limit)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        made = []
        for example in examples:
            row = self.question(example.text)
            length = size(self.model, example.text, limit=self.limit)
            made.append(Item(row=row, column=len(row), answer=self.target(example.answer, row), size=length))
        return made

    def target(self, text: str, row: Row) -> Row | None:
        """The answer with its end token; a decoder has room for it behind the question only."""
        if not text:
            return None
        room = self.model.limit if self.sourced else self.model.limit - len(row)
        written = self.model.tokenizer.encode_target(text, limit=max(1, min(self.limit, room)))
        return replace(written, segments=(1,) * len(written))

    def scores(self, network: Tuned, items: Sequence[Item]) -> tuple[Tensor, Tokens]:
        """Scores of the words at each place of the answers (B, T, V), and the answers."""
        targets = self.model.batch([item.answer for item in items])
        if self.sourced:
            source = self.model.batch([item.row for item in items])
            memory = network.encode(source)
            read = replace(targets, ids=shift(targets.ids, start_id=self.model.config.start_id))
            hidden = network.decode(read, memory=memory, memory_mask=None if source.full else source.mask)
            return network.logits(hidden), targets
        tokens = self.model.batch([joined(item.row, item.answer) for item in items])
        start = torch.tensor([item.column for item in items], device=tokens.ids.device)
        places = start[:, None] + torch.arange(targets.ids.shape[1], device=start.device)
        places = torch.where(targets.mask, places, start[:, None])
        only = network.before(tokens, places)
        return network.logits(network.decode(tokens, only=only)), targets

    def loss(self, network: Tuned, items: Sequence[Item]) -> Tensor:
        scores, targets = self.scores(network, items)
        return sequence_loss(scores, targets.ids, targets.mask, smoothing=0.0) / sum(targets.lengths)

    def guess(self, network: Tuned, items: Sequence[Item]) -> Guesses:
        """Words guessed right from the true words before them; no text is written for this."""
        scores, targets = self.scores(network, items)
        right = (scores.argmax(-1) == targets.ids) & targets.mask
        return Guesses(answers=(), chances=None, right=int(right.sum()), asked=sum(targets.lengths))

    def write(self, network: Tuned, texts: Sequence[str], *, most: int = 64) -> list[str]:
        """The network's own answers to texts."""
        rows = [self.question(text) for text in texts]
        tokens = self.model.batch(rows, side="right" if self.sourced else "left")
        room = self.model.limit - network.extra.length
        limits = [max(1, min(most, room - (0 if self.sourced else len(row)))) for row in rows]
        written = collect(greedy(network, tokens, max_new_tokens=limits), rows=len(rows), end_ids=self.model.config.end_ids)
        return [self.model.tokenizer.decode(found.ids).strip() for found in written]


def joined(question: Row, answer: Row) -> Row:
    """Question and answer as one row."""
    both = {name: (*getattr(question, name), *getattr(answer, name)) for name in ("ids", "words", "segments", "special", "spans")}
    return replace(question, **both)
