"""What a soft prompt has learnt, as far as it can be said in words."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.model import Model


@dataclass(frozen=True, kw_only=True)
class Near:
    """A word of the vocabulary and the cosine between its vector and the prompt's."""

    word: str
    cosine: float


@torch.inference_mode()
def nearest(model: Model, vectors: Tensor, *, count: int = 5) -> list[tuple[Near, ...]]:
    """The words whose vectors point the most nearly where each of the `vectors` (P, C) points, best first."""
    table = torch.nn.functional.normalize(model.network.embeddings.words.weight.detach().float(), dim=-1)
    cosines, ids = (torch.nn.functional.normalize(vectors.detach().float(), dim=-1) @ table.T).topk(count)
    return [
        tuple(Near(word=model.tokenizer.words([index])[0], cosine=cosine) for index, cosine in zip(row, near))
        for row, near in zip(ids.tolist(), cosines.tolist())
    ]


@torch.inference_mode()
def cosines(vectors: Tensor) -> Tensor:
    """Between each pair of vectors. (P, C) -> (P, P) float32"""
    unit = torch.nn.functional.normalize(vectors.detach().float(), dim=-1)
    product = unit @ unit.T
    return (product + product.T) / 2  # the BLAS may round the two halves differently


@torch.inference_mode()
def drift(vectors: Tensor, start: Tensor) -> Tensor:
    """How far each vector has gone from its start, as a share of the start's length. -> (P,) float32"""
    start = start.detach().float()
    return (vectors.detach().float() - start).norm(dim=-1) / start.norm(dim=-1).clamp(min=1e-12)
