"""Which source word each written word looked at, read off the cross-attention of a finished translation."""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.config import ModelConfig
from models.tokens import Tokens
from models.trace import Trace
from models.transformer import Transformer

LAST_LAYERS = 2  # where no head is known to align best: the mean of all heads of so many last layers


def heads(config: ModelConfig) -> tuple[tuple[int, int], ...]:
    """The (layer, head) pairs whose mean is the alignment."""
    first = max(0, config.n_decoder_layers - LAST_LAYERS)
    return config.alignment_heads or tuple(
        (layer, head) for layer in range(first, config.n_decoder_layers) for head in range(config.n_heads)
    )


@torch.inference_mode()
def align(network: Transformer, tokens: Tokens, written: Sequence[Sequence[int]], *, memory: Tensor | None = None) -> list[Tensor]:
    """Read all translations once more, at one go, and look where each word's query went. -> one (T, S) a row, float32; its rows sum to 1

    `tokens`: the source texts; `written`: the words of each translation, without end token; `memory`: what the encoder made of the sources.
    A word is guessed at the position before its own, and there it looks at the source: so the row of word t is that of position t - 1.
    """
    memory = network.encode(tokens) if memory is None else memory
    chosen = heads(network.config)
    sites = {layer: f"decoder.{layer}.cross" for layer, _ in chosen}
    trace = Trace({"weights"}, sites=sites.values())
    network.decode(
        begun(network.config, written, like=tokens.ids), memory=memory, memory_mask=None if tokens.full else tokens.mask, trace=trace
    )
    weights = torch.stack([trace.get(sites[layer], "weights")[:, head] for layer, head in chosen]).float().mean(0)  # (B, T, S)
    if weights.shape[-1] > memory.shape[1]:  # keys of a prefix stand in front of those of the words
        weights = weights[..., -memory.shape[1] :]
        weights = weights / weights.sum(-1, keepdim=True)
    return [weights[row, : len(ids), :length] for row, (ids, length) in enumerate(zip(written, tokens.lengths))]


def begun(config: ModelConfig, written: Sequence[Sequence[int]], *, like: Tensor) -> Tokens:
    """What the decoder reads to write these words: the start, and each word but the last. Right-padded, on the device of `like`."""
    lengths = tuple(max(1, len(ids)) for ids in written)
    ids = torch.zeros(len(written), max(lengths), dtype=like.dtype)
    for row, words in enumerate(written):
        ids[row, : lengths[row]] = torch.tensor([config.start_id, *words[:-1]])
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return Tokens(ids=ids, mask=mask, segments=torch.zeros_like(ids), lengths=lengths).to(like.device)
