"""Dropout for small corpora, put around a network that has none (Srivastava et al. 2014)."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.transformer import Transformer


def add_dropout(network: Transformer, share: float) -> None:
    """Silence a share of the features where Vaswani et al. 2017 (section 5.4) do: after the embeddings and after each part of a layer.

    The engine needs no dropout to answer questions, so it hangs on hooks here; `network.eval()` switches it off.
    """
    if not 0 <= share < 1:
        raise ValueError(f"dropout silences a share from 0 to below 1, got {share}")

    def silence(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        return F.dropout(output, share, training=module.training)

    if share:
        for name, module in network.named_modules():
            last = name.rpartition(".")[2]
            if last in {"embeddings", "decoder_embeddings", "self_attention", "cross_attention", "feedforward", "ssru"}:
                module.register_forward_hook(silence)
