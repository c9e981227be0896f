"""Dropout for small corpora, put around a network that has none (Srivastava et al. 2014)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.transformer import Transformer

BYTE = 256  # values of a byte


def add_dropout(network: Transformer, share: float) -> None:
    """Silence a share of the features where Vaswani et al. 2017 (section 5.4) do: after the embeddings and after each part of a layer.

    The engine needs no dropout to answer questions, so it hangs on hooks here; `network.eval()` switches it off.
    """
    if not 0 <= share < 1:
        raise ValueError(f"dropout silences a share from 0 to below 1, got {share}")

    def silence(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        return dropout(output, share) if module.training else output

    if share:
        for name, module in network.named_modules():
            last = name.rpartition(".")[2]
            if last in {"embeddings", "decoder_embeddings", "self_attention", "cross_attention", "feedforward", "ssru"}:
                module.register_forward_hook(silence)


def dropout(x: Tensor, share: float) -> Tensor:
    """Zero so large a share of the features, by chance, and enlarge the others, so that the sum stays what it is on average.

    A CPU draws a number for each feature one after another, which costs a tenth of a training; there a byte decides, and the share is
    rounded to whole 256ths. (torch.nn.functional.dropout takes four times as long.)
    """
    if x.device.type != "cpu":
        return F.dropout(x, share)
    below, count = min(round(share * BYTE), BYTE - 1), x.numel()
    chance = torch.empty(-(-count // 8), dtype=torch.int64).random_(-(2**63), None).view(torch.uint8)[:count]
    return x * (chance >= below).view(x.shape).to(x.dtype).mul_(BYTE / (BYTE - below))
