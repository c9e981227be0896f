"""Our decoding against `transformers.generate` and its logits processors."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from peers import PEERS, VOCABULARY, Peer, batch, close, random_rows, saved
from torch import Tensor, nn
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from models.decode.beam import search
from models.decode.greedy import greedy
from models.decode.sample import candidates
from models.decode.steps import collect
from models.tokens import Tokens
from models.transformer import Transformer

LENGTHS = (5, 9, 3, 12, 1, 7, 7, 2)
NEW = 18
# Random models that neither repeat one word for ever nor end at once: name, how large matrices and word vectors are, seed.
LIVELY = [
    ("marian", 1.0, 2.0, 0),
    ("marian", 1.0, 2.0, 2),
    ("gpt2", 2.0, 3.0, 3),
    ("gpt2", 2.0, 3.0, 2),
    ("llama", 2.0, 3.0, 2),
    ("qwen2", 2.0, 3.0, 4),
]
each_lively = pytest.mark.parametrize("kind", LIVELY, ids=[f"{name}-{seed}" for name, _, _, seed in LIVELY])


@cache
def pair(kind: tuple[str, float, float, int]) -> tuple[nn.Module, Transformer]:
    """The reference and ours."""
    name, inner, outer, seed = kind
    peer = PEERS[name]

    class Lively(Peer):
        def make(self) -> nn.Module:
            return enliven(peer.make(), inner=inner, outer=outer, seed=seed)

    with TemporaryDirectory() as folder:
        model, network = saved(Lively(peer.family, peer.kind, peer.settings, peer.numbers), Path(folder))
    model.generation_config.forced_eos_token_id = None
    return model, network


def enliven(model: nn.Module, *, inner: float, outer: float, seed: int) -> nn.Module:
    """Numbers with which each word depends on those before it."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in [*model.named_parameters(), *model.named_buffers()]:
            if "embed_positions" in name or "inv_freq" in name or not value.is_floating_point():
                continue
            noise = torch.randn(value.shape, generator=generator)
            if "norm" in name.lower() or ".ln_" in name:
                value.copy_(noise * (1.0 if name.endswith("weight") else 0.1))
            elif "bias" in name:
                value.copy_(0.3 * noise)
            elif any(part in name for part in ("shared", "embed_", "lm_head", "wte", "wpe")):
                value.copy_(noise * value.shape[-1] ** -0.5 * outer)
            else:
                sharp = 2.5 if "q_proj" in name or "k_proj" in name else 1.0
                value.copy_(noise * value.shape[-1] ** -0.5 * inner * sharp)
            if name == "final_logits_bias":
                value[0, 0] += 2  # so that some texts end
    return model


def prompts(network: Transformer, lengths: Sequence[int] = LENGTHS) -> Tokens:
    return batch(random_rows(lengths), side="left" if network.encoder is None else "right")


def reference(model: nn.Module, network: Transformer, tokens: Tokens, **settings) -> tuple[Tensor, Tensor | None]:
    """New words of each text, and the scores of beam search."""
    never = network.config.never_ids
    result = model.generate(
        input_ids=tokens.ids,
        attention_mask=tokens.mask.long(),
        max_new_tokens=NEW,
        do_sample=False,
        pad_token_id=VOCABULARY - 1,
        bad_words_ids=[[word] for word in never] or None,
        output_scores=True,
        return_dict_in_generate=True,
        **settings,
    )
    skipped = 1 if network.encoder is not None else tokens.ids.shape[1]
    return result.sequences[:, skipped:], getattr(result, "sequences_scores", None)


def until_end(words: Tensor, network: Transformer) -> tuple[int, ...]:
    found = words.tolist()
    ends = [place for place, word in enumerate(found) if word in network.config.end_ids]
    return tuple(found[: ends[0]] if ends else found)


@each_lively
def test_greedy_decoding_of_a_padded_batch_equals_generate(kind: tuple) -> None:
    model, network = pair(kind)
    tokens = prompts(network)
    wanted, _ = reference(model, network, tokens)
    found = collect(greedy(network, tokens, max_new_tokens=NEW), rows=len(LENGTHS), end_ids=network.config.end_ids)
    assert [text.ids for text in found] == [until_end(words, network) for words in wanted]
    assert len({word for text in found for word in text.ids}) > 5
    assert [text.ended for text in found] == [len(text.ids) < NEW for text in found]


@each_lively
@pytest.mark.parametrize(("beams", "length_penalty"), [(2, 1.0), (3, 2.0), (4, 0.6), (5, 0.0), (3, -1.0)])
def test_beam_search_equals_generate_down_to_the_last_hypothesis(kind: tuple, beams: int, length_penalty: float) -> None:
    model, network = pair(kind)
    tokens = prompts(network)
    words, scores = reference(
        model,
        network,
        tokens,
        num_beams=beams,
        num_return_sequences=beams,
        length_penalty=length_penalty,
        early_stopping=False,
    )
    found = search(network, tokens, beams=beams, max_new_tokens=NEW, length_penalty=length_penalty)
    wanted = [until_end(row, network) for row in words]
    for row, texts in enumerate(found):
        assert [text.ids for text in texts] == wanted[row * beams : (row + 1) * beams], f"row {row}"
    close(torch.tensor([text.score for texts in found for text in texts]), scores, "scores")


@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.7])
@pytest.mark.parametrize("top_k", [0, 1, 5, 40, 500])
@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.93, 1.0])
def test_what_can_be_drawn_and_how_likely_is_what_the_logits_processors_leave(temperature: float, top_k: int, top_p: float) -> None:
    logits = 3 * torch.randn(16, 200, generator=torch.Generator().manual_seed(0))
    steps = [TemperatureLogitsWarper(temperature)] if temperature != 1 else []
    steps += [TopKLogitsWarper(top_k)] if top_k else []
    steps += [TopPLogitsWarper(top_p)] if top_p < 1 else []
    wanted = LogitsProcessorList(steps)(torch.zeros(16, 1, dtype=torch.long), logits.clone()).softmax(-1)
    column = torch.ones(16, 1)
    words, chances = candidates(logits, temperature=temperature * column, top_k=(top_k * column).long(), top_p=top_p * column, width=top_k)
    found = torch.zeros_like(logits).scatter(1, words, chances)
    assert torch.equal(found > 0, wanted > 0)
    close(found, wanted, "probabilities")
