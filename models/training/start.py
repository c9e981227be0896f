"""Where a training begins: with weights that exist, or with chance."""

from dataclasses import replace
from math import sqrt

import numpy as np
import torch
from torch import nn

from models.config import ModelConfig
from models.norms import build_norm
from models.transformer import Transformer

SPREAD = 0.02  # standard deviation of fresh matrices (Devlin et al. 2019)


def fresh(config: ModelConfig, *, seed: int = 1, spread: float | None = SPREAD) -> Transformer:
    """A network of random matrices, its biases 0 and its norms 1.

    With a `spread` of None it depends on the shape (Glorot & Bengio 2010), and words begin as long as their positions, as in Vaswani et
    al. 2017: a translator has to tell words apart before it can learn which belong together.
    """
    network = Transformer(config)
    chance = torch.Generator().manual_seed(seed)
    norms = {
        id(parameter) for module in network.modules() if isinstance(module, type(build_norm(config))) for parameter in module.parameters()
    }
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1:
                usual = config.d_model**-0.5 if "embeddings" in name else sqrt(2 / sum(parameter.shape))
                parameter.normal_(std=usual if spread is None else spread, generator=chance)
            else:
                parameter.fill_(1.0 if id(parameter) in norms and name.endswith("weight") else 0.0)
    return network


def with_heads(network: Transformer, *, seed: int = 1) -> Transformer:
    """The same encoder with heads for masked words and next sentences; heads that it has already are kept.

    The transform before the vocabulary starts as the identity, so that the first guesses already are the words whose vectors are near to
    what the encoder says; a random matrix would first have to be learnt.
    """
    config = replace(network.config, mlm_head=True, nsp_head=True)
    result = fresh(config, seed=seed)
    missing, unexpected = result.load_state_dict(network.state_dict(), strict=False)
    assert not unexpected and all(name.startswith("heads.") for name in missing), (missing, unexpected)
    if "heads.mlm.transform.weight" in missing:
        nn.init.eye_(result.heads["mlm"].transform.weight)
    return result.eval()


@torch.no_grad()
def expect(network: Transformer, counts: np.ndarray) -> None:
    """Let the first guess at a hidden word be its frequency: the bias of the output becomes log p(word), around a mean of 0. counts (V,)

    A bias that starts at 0 has several nats to go, at a learning rate's length a step, and would still be on its way when the budget ends.
    """
    logs = torch.from_numpy(np.log((counts + 1.0) / (counts.sum() + len(counts))))
    network.heads["mlm"].bias.copy_(logs - logs.mean())
