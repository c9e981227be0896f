"""Sequence to sequence: guess each word of the target from the source and from the *true* words before it (teacher forcing)."""

import torch
from torch import Tensor
from torch.nn import functional as F

SMOOTHING = 0.1  # Vaswani et al. 2017, section 5.4


def shift(target: Tensor, *, start_id: int) -> Tensor:
    """What the decoder reads: the start token, then the target without its last token. (B, S) -> (B, S)"""
    return torch.cat([target.new_full((target.shape[0], 1), start_id), target[:, :-1]], dim=1)


def sequence_loss(scores: Tensor, target: Tensor, mask: Tensor, *, smoothing: float = SMOOTHING) -> Tensor:
    """The summed cross-entropy of the real target words, in nats. scores (B, S, V), target and mask (B, S)

    With smoothing e the model is asked for (1 - e) of the true word and e spread evenly over all words (Szegedy et al. 2016, section 7),
    which keeps it from being too sure.
    """
    real = mask.flatten().nonzero().squeeze(1)
    return F.cross_entropy(scores.flatten(0, 1)[real].float(), target.flatten()[real], reduction="sum", label_smoothing=smoothing)
