"""The rows of the word table that can move at all: those of the words that occur.

A row without a gradient is left alone by Adam (without weight decay), so learning these rows alone is learning the whole table; but the
gradient, its norm and the optimiser's moments need the rows of a few hundred words instead of the vocabulary's thirty thousand.
"""

from collections.abc import Iterable

import torch
from torch import nn

from models.linear import Linear


class Touched:
    """Stands between a table and the optimiser, which has `rows` in place of it: gradients go in before a step, numbers out after it."""

    def __init__(self, network: nn.Module, table: nn.Embedding, ids: Iterable[int]):
        """`ids` are all that ever have a gradient; `network` may read the same table as an output matrix, row by row."""
        self.table = table.weight
        self.ids = torch.tensor(sorted(set(ids)), device=self.table.device)
        self.place = torch.full((len(self.table),), -1, device=self.table.device)
        self.place[self.ids] = torch.arange(len(self.ids), device=self.table.device)
        self.rows = nn.Parameter(self.table.detach()[self.ids])
        for module in network.modules():
            if isinstance(module, (nn.Embedding, Linear)) and module.weight is self.table:
                module.sparse = True

    def gather(self) -> None:
        """The table's gradient becomes that of the rows."""
        gradient, self.table.grad = self.table.grad, None
        self.rows.grad = None
        if gradient is None:
            return
        if gradient.is_sparse:
            places = self.place[gradient._indices()[0]]
            assert int(places.min()) >= 0, "a word that was not foreseen has a gradient"
            self.rows.grad = torch.zeros_like(self.rows).index_add_(0, places, gradient._values())
        else:
            self.rows.grad = gradient[self.ids]

    @torch.no_grad()
    def spread(self) -> None:
        """The rows' numbers become the table's."""
        self.table.index_copy_(0, self.ids, self.rows)

    @torch.no_grad()
    def read(self) -> None:
        """The table's numbers become the rows'."""
        self.rows.copy_(self.table[self.ids])
