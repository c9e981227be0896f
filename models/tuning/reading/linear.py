"""Classes read through a new layer of one row a class, which learns beside whatever else moves (Devlin et al. 2019, figure 4)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from models.linear import Linear
from models.model import Model
from models.tuning.reading import Guesses, Item, hidden, label_loss, labelled, pooled, size
from models.tuning.task import Example, Task
from models.tuning.tuned import Tuned


class LinearHead:
    """Reads the first position of an encoder and the last of a decoder ("linear"), or the mean of all ("mean"), for which encoders
    of sentences were made. It starts at zero, so all classes are equally likely.
    """

    words = ()

    def __init__(self, model: Model, task: Task, *, limit: int, name: Literal["linear", "mean"] = "linear"):
        self.model, self.limit, self.name = model, limit, name
        self.labels = tuple(task.labels)
        self.layer = Linear(model.config.d_model, len(self.labels), device=model.device)
        for parameter in self.layer.parameters():
            torch.nn.init.zeros_(parameter)
        self.trainable = {f"reading.{name}": parameter for name, parameter in self.layer.named_parameters()}

    def items(self, examples: Sequence[Example]) -> list[Item]:
        encoder = self.model.config.architecture != "decoder"
        rows = [self.model.tokenizer.encode(example.text, limit=self.limit) for example in examples]
        return [
            Item(
                row=row,
                column=0 if encoder else len(row),
                answer=self.labels.index(example.answer) if example.answer else -1,
                size=size(self.model, example.text, limit=self.limit),
                chances=example.chances,
            )
            for example, row in zip(examples, rows)
        ]

    def scores(self, network: Tuned, items: Sequence[Item]) -> Tensor:
        """Of each label. -> (B, L)"""
        tokens = self.model.batch([item.row for item in items])
        column = torch.tensor([item.column for item in items], device=tokens.ids.device)
        return self.layer(pooled(network, tokens) if self.name == "mean" else hidden(network, tokens, column))

    def loss(self, network: Tuned, items: Sequence[Item]) -> Tensor:
        return label_loss(self.scores(network, items), items)

    def guess(self, network: Tuned, items: Sequence[Item]) -> Guesses:
        return labelled(self.scores(network, items), items, self.labels)
