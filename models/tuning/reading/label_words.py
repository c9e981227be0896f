"""Classes read through the model's own head: which of the label words does it put into the gap?"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.errors import Problem
from models.model import Model
from models.tuning.reading import Guesses, Item, hidden, label_loss, labelled, size
from models.tuning.task import Example, Task
from models.tuning.template import ask
from models.tuning.tuned import Tuned
from models.tuning.words import label_words

HEADS = {"encoder": "mlm", "decoder": "lm"}  # what fills the gap


class LabelWords:
    """Only the label words' rows of the output matrix are computed. A word of several pieces is worth the mean of their scores."""

    name = "words"

    def __init__(self, model: Model, task: Task, *, limit: int, shown: Sequence[Example] = (), calibrate: bool = False):
        self.head = HEADS.get(model.config.architecture, "")
        if self.head not in model.network.heads:
            raise Problem("no_word_head", model=model.name)
        self.model, self.task, self.limit, self.calibrate = model, task, limit, calibrate
        self.labels = tuple(task.labels)
        self.trainable = {}
        pieces = label_words(model, task)
        rows = sorted({piece for found in pieces for piece in found})
        self.words, self.rows = tuple(rows), torch.tensor(rows, device=model.device)
        mean = torch.zeros(len(pieces), len(rows))
        for label, found in enumerate(pieces):
            for piece in found:
                mean[label, rows.index(piece)] += 1 / len(found)
        self.mean = mean.to(model.device)
        self.single = torch.equal(mean, torch.eye(len(rows)))
        self.shown = tuple(shown)
        self.empty = self.item(Example(text="", answer=""))

    def item(self, example: Example) -> Item:
        question = ask(self.model, self.task, example.text, limit=self.limit, shown=self.shown)
        return Item(
            row=question.row,
            column=question.column,
            answer=self.labels.index(example.answer) if example.answer else -1,
            size=size(self.model, example.text, limit=self.limit),
            chances=example.chances,
        )

    def items(self, examples: Sequence[Example]) -> list[Item]:
        return [self.item(example) for example in examples]

    def scores(self, network: Tuned, items: Sequence[Item]) -> Tensor:
        """Of each label. -> (B, L)"""
        asked = [*items, self.empty] if self.calibrate else items
        tokens = self.model.batch([item.row for item in asked])
        column = torch.tensor([item.column for item in asked], device=tokens.ids.device)
        scores = network.heads[self.head](hidden(network, tokens, column), rows=self.rows)
        scores = scores if self.single else scores @ self.mean.T
        if self.calibrate:
            scores = scores.log_softmax(-1)
            scores = scores[:-1] - scores[-1:]
        return scores

    def loss(self, network: Tuned, items: Sequence[Item]) -> Tensor:
        return label_loss(self.scores(network, items), items)

    def guess(self, network: Tuned, items: Sequence[Item]) -> Guesses:
        return labelled(self.scores(network, items), items, self.labels)
