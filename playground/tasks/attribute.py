"""Beyond the weights: how much of each word a head passes on, and which words and weights the model's own prediction hangs on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.ablation import Ablated, Ablation
from models.errors import Problem
from models.model import Model
from models.tokens import Row, Tokens
from models.trace import Trace
from models.tuning.tuned import Tuned
from models.tuning.twin import twin
from playground.tasks import attend
from playground.tasks.attend import Request
from playground.tasks.refusals import able

NAME = "attribute"
NEEDS = "attend"  # what a model has to be able to do
LIMIT = 512  # tokens: a gradient needs everything that the forward pass computed


@dataclass(frozen=True, kw_only=True)
class Result:
    """What multiplies the weights of `attend.Result` of the same request, at the same sites, and the saliency of its tokens.

    `norms[site]` (H, K): length of W_O v, what a head adds for a word it looks at with weight 1 (Kobayashi et al. 2020, equation 5).
    `slopes[site]` (H, Q, D): gradient of the prediction with respect to the output of each head; `values[site]` (H_kv, K, D).
    `saliency[stack]` (S,): gradient times input, summed over the features (Denil et al. 2014), signed. All float32.

    `aim` names the prediction, and `word` is what was predicted, where it is one word: "masked" (the score of the best word at the first
    mask), "next" (of the best next word), "pair" (whether the second text follows), "words" (of the best word at every place, in all), or
    "meaning" (half the squared length of the mean vector, for an encoder that predicts nothing).
    """

    norms: dict[str, np.ndarray] = field(hash=False)
    slopes: dict[str, np.ndarray] = field(hash=False)
    values: dict[str, np.ndarray] = field(hash=False)
    saliency: dict[str, np.ndarray] = field(hash=False)
    aim: str
    word: str = ""

    def gradients(self, site: str) -> np.ndarray:
        """Gradient with respect to each weight: as a head's output is a sum of values, slope times value. -> (H, Q, K)"""
        slopes, values = self.slopes[site], self.values[site]
        shared = values[np.arange(len(slopes)) // (len(slopes) // len(values))]
        return slopes @ shared.swapaxes(-1, -2)


def size(model: Model, request: Request) -> int:
    """Tokens of a request; Problem where the model cannot answer it."""
    if model.eight_bits():
        raise Problem("no_gradients")
    tokens = attend.size(model, request)
    if tokens > LIMIT:
        raise Problem("too_long_for_gradients", tokens=tokens, limit=LIMIT)
    return tokens


def run(model: Model, requests: Sequence[Request]) -> list[Result]:
    """Answer the requests one by one. Gradients are on within, also where the caller has turned them off."""
    able(model, attend.NAME)
    for request in requests:
        size(model, request)
    results, model = [], frozen(model)
    for request in requests:
        source = attend.source(model, request)
        with torch.inference_mode():
            target = attend.targets(model, [request], [source])[0] if model.config.architecture == "encoder_decoder" else None
        with torch.inference_mode(False), torch.enable_grad():
            results.append(answer(model, request, source, target))
    if isinstance(model.network, Ablated):
        return [muted(result, model.network.silence.rows[0]) for result in results]
    return results


def muted(result: Result, ablation: Ablation) -> Result:
    """The result of a network with silent parts: their heads add nothing, and nothing hangs on their weights."""
    gates = {
        site: np.array([not ablation.silences(site, head) for head in range(len(norms))], np.float32)[:, None]
        for site, norms in result.norms.items()
    }
    norms = {site: norms * gates[site] for site, norms in result.norms.items()}
    return replace(result, norms=norms, slopes={site: slopes * gates[site][..., None] for site, slopes in result.slopes.items()})


def answer(model: Model, request: Request, source: Row, target: Row | None) -> Result:
    """One forward pass and one backward pass."""
    trace = Trace({"value", "head_output", "hidden"}, live=True)
    aim, score, word = prediction(model, request, source, target, trace)
    sites = trace.places("head_output")
    stacks = [stack for stack in ("encoder", "decoder") if (f"{stack}.embeddings", "hidden") in trace.seen]
    inputs = [trace.get(site, "head_output") for site in sites] + [trace.get(f"{stack}.embeddings", "hidden") for stack in stacks]
    found = torch.autograd.grad(score, inputs, allow_unused=True)
    slopes = [torch.zeros_like(there) if slope is None else slope for there, slope in zip(inputs, found)]
    with torch.no_grad():
        saliency = [(slope * there)[0].sum(-1) for slope, there in zip(slopes[len(sites) :], inputs[len(sites) :])]
        return Result(
            norms={site: array(passed_on(model, site, trace.get(site, "value")[0])) for site in sites},
            slopes={site: array(slope[0]) for site, slope in zip(sites, slopes)},
            values={site: array(trace.get(site, "value")[0]) for site in sites},
            saliency={stack: array(one) for stack, one in zip(stacks, saliency)},
            aim=aim,
            word=word,
        )


def frozen(model: Model) -> Model:
    """The same model with a network that does not learn, where there can be one: no gradients of its matrices are computed then."""
    return replace(model, network=frozen_network(model.network)) if model.dtype == torch.float32 else model


def frozen_network(network: Any) -> Any:
    """The same for a network, with what is tuned around it and what is silent in it."""
    if isinstance(network, Ablated):
        return Ablated(frozen_network(network.network), *network.silence.rows)
    return Tuned(twin(network.network), network.extra) if isinstance(network, Tuned) else twin(network)


def prediction(model: Model, request: Request, source: Row, target: Row | None, trace: Trace) -> tuple[str, Tensor, str]:
    """What the model predicts for itself, as one number with a gradient: its kind, the score, and the word where it is one."""
    network, tokens = model.network, model.batch([source])
    if model.config.architecture != "encoder":
        if target is None:
            scores = network.logits(network.decode(tokens, trace=trace)[0, -1])
            return "next", scores.max(), named(model, scores)
        memory = network.encode(tokens, trace=trace)
        scores = network.logits(network.decode(model.batch([target]), memory=memory, trace=trace))[0]
        return "words", scores.amax(-1).sum(), ""
    return encoder_prediction(model, request, source, tokens, trace)


def encoder_prediction(model: Model, request: Request, source: Row, tokens: Tokens, trace: Trace) -> tuple[str, Tensor, str]:
    """The same for an encoder, by what it has learnt to predict."""
    hidden = model.network.encode(tokens, trace=trace)
    heads, mask = model.network.heads, model.tokenizer.mask_id
    if "mlm" in heads and mask in source.ids:
        scores = heads["mlm"](hidden[0, source.ids.index(mask)])
        return "masked", scores.max(), named(model, scores)
    if "nsp" in heads and attend.given(request.second):
        return "pair", heads["nsp"](hidden)[0].max(), ""
    words = torch.tensor([not special for special in source.special], device=hidden.device)
    if "mlm" in heads:
        return "words", heads["mlm"](hidden[0, words]).amax(-1).sum(), ""
    return "meaning", hidden[0, words].mean(0).square().sum() / 2, ""


def named(model: Model, scores: Tensor) -> str:
    """The best word of some scores."""
    return model.tokenizer.words([int(scores.argmax())])[0]


def passed_on(model: Model, site: str, values: Tensor) -> Tensor:
    """How long the vector is that a head adds for each word: ||W_O v||. values (H_kv, K, D) -> (H, K)"""
    stack, layer, kind = site.split(".")
    there = getattr(model.network, stack).layers[int(layer)]
    weight = (there.cross_attention if kind == "cross" else there.self_attention).out.weight  # (C, H * D)
    width = values.shape[-1]
    heads = weight.shape[1] // width
    shared = values.repeat_interleave(heads // len(values), dim=0).float()
    return torch.stack([(shared[head] @ weight[:, head * width : (head + 1) * width].float().T).norm(dim=-1) for head in range(heads)])


def array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy().copy()
