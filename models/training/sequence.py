"""Sequence to sequence: guess each word of the target from the source and from the *true* words before it (teacher forcing)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.sequence_batches import SequenceBatch
from models.transformer import Transformer

SMOOTHING = 0.1  # Vaswani et al. 2017, section 5.4


class Translating(nn.Module):
    """A network that learns to translate. Returns the summed loss of the real target words, in nats: "words"."""

    def __init__(self, network: Transformer, *, smoothing: float = SMOOTHING):
        super().__init__()
        self.network, self.smoothing = network, smoothing

    def forward(self, batch: SequenceBatch) -> dict[str, Tensor]:
        return {"words": word_loss(self.scores(batch), batch.words, smoothing=self.smoothing)}

    def scores(self, batch: SequenceBatch) -> Tensor:
        """Scores of every word at the real places of the targets. -> (N, V)"""
        memory = self.network.encode(batch.source)
        hidden = self.network.decode(batch.read, memory=memory, memory_mask=None if batch.source.full else batch.source.mask)
        # The product with the vocabulary costs as much as all layers together, so padding does not go through it.
        return self.network.logits(hidden.flatten(0, 1).index_select(0, batch.places))


def shift(target: Tensor, *, start_id: int) -> Tensor:
    """What the decoder reads: the start token, then the target without its last token. (B, S) -> (B, S)"""
    return torch.cat([target.new_full((target.shape[0], 1), start_id), target[:, :-1]], dim=1)


def sequence_loss(scores: Tensor, target: Tensor, mask: Tensor, *, smoothing: float = SMOOTHING) -> Tensor:
    """The summed cross-entropy of the real target words, in nats. scores (B, S, V), target and mask (B, S)"""
    real = mask.flatten().nonzero().squeeze(1)
    return word_loss(scores.flatten(0, 1)[real], target.flatten()[real], smoothing=smoothing)


def word_loss(scores: Tensor, words: Tensor, *, smoothing: float = SMOOTHING) -> Tensor:
    """The same of words that stand alone. scores (N, V), words (N,)

    With smoothing e the model is asked for (1 - e) of the true word and e spread evenly over all words (Szegedy et al. 2016, section 7),
    which keeps it from being too sure.
    """
    return F.cross_entropy(scores.float(), words, reduction="sum", label_smoothing=smoothing)
