"""Tiny random models of the hub's own classes, in unusual shapes, and what is needed to compare ours with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import transformers
from torch import Tensor, nn

from models.checkpoints.files import open_weights
from models.checkpoints.load import fill
from models.families import recognise
from models.tokens import Tokens
from models.transformer import Transformer

TOLERANCE = dict(rtol=1e-5, atol=2e-5)
VOCABULARY = 61


@dataclass(frozen=True)
class Peer:
    """A reference model: its class, its settings, and the family that should recognise it."""

    family: str
    kind: type
    settings: type
    numbers: dict

    def make(self) -> nn.Module:
        torch.manual_seed(0)
        model = self.kind._from_config(self.settings(**self.numbers), attn_implementation="eager").eval()
        return randomise(model)


def randomise(model: nn.Module) -> nn.Module:
    """Fresh models have zero biases and unit norms, behind which a forgotten one hides."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in [*model.named_parameters(), *model.named_buffers()]:
            if "embed_positions" in name or not value.is_floating_point() or "inv_freq" in name:
                continue
            noise = torch.randn(value.shape, generator=generator)
            if "norm" in name.lower() or ".ln_" in name:
                value.copy_(0.3 * noise + (1.0 if name.endswith("weight") else 0.0))
            else:
                value.copy_(0.25 * noise)
    return model


BERT = dict(
    vocab_size=VOCABULARY, hidden_size=24, num_attention_heads=3, num_hidden_layers=3, intermediate_size=40, max_position_embeddings=40
)
ROBERTA = BERT | dict(pad_token_id=1, type_vocab_size=1)
DISTIL = dict(vocab_size=VOCABULARY, dim=24, n_heads=3, n_layers=5, hidden_dim=40, max_position_embeddings=40)
GPT2 = dict(vocab_size=VOCABULARY, n_embd=24, n_head=3, n_layer=3, n_positions=40, bos_token_id=0, eos_token_id=7)
LLAMA = dict(
    vocab_size=VOCABULARY,
    hidden_size=24,
    num_attention_heads=6,
    num_key_value_heads=2,
    head_dim=8,  # 6 x 8 is not 24
    num_hidden_layers=3,
    intermediate_size=44,
    max_position_embeddings=64,
    eos_token_id=[7, 9],
)
QWEN2 = {**LLAMA, "hidden_size": 48}  # its configuration has no head width of its own
QWEN2.pop("head_dim")
LLAMA3 = dict(
    rope_type="llama3", rope_theta=500.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=24
)
MARIAN = dict(
    vocab_size=VOCABULARY,
    d_model=24,
    encoder_layers=3,
    decoder_layers=2,
    encoder_attention_heads=3,
    decoder_attention_heads=3,
    encoder_ffn_dim=40,
    decoder_ffn_dim=40,
    max_position_embeddings=40,
    activation_function="swish",
    scale_embedding=True,
    pad_token_id=VOCABULARY - 1,
    decoder_start_token_id=VOCABULARY - 1,
    eos_token_id=0,
)

hub = transformers
ENCODERS = {
    "bert": Peer("bert", hub.BertForPreTraining, hub.BertConfig, BERT),
    "bert without heads": Peer("bert", hub.BertModel, hub.BertConfig, BERT | dict(hidden_act="gelu_new", layer_norm_eps=1e-5)),
    "bert one token type": Peer("bert", hub.BertForMaskedLM, hub.BertConfig, BERT | dict(type_vocab_size=1, hidden_act="relu")),
    "bert untied": Peer("bert", hub.BertForMaskedLM, hub.BertConfig, BERT | dict(tie_word_embeddings=False)),
    "roberta": Peer("roberta", hub.RobertaForMaskedLM, hub.RobertaConfig, ROBERTA),
    "roberta untied": Peer("roberta", hub.RobertaForMaskedLM, hub.RobertaConfig, ROBERTA | dict(tie_word_embeddings=False, pad_token_id=4)),
    "xlm-roberta": Peer("roberta", hub.XLMRobertaForMaskedLM, hub.XLMRobertaConfig, ROBERTA),
    "distilbert": Peer("distilbert", hub.DistilBertForMaskedLM, hub.DistilBertConfig, DISTIL),
    "distilbert sinusoidal": Peer("distilbert", hub.DistilBertModel, hub.DistilBertConfig, DISTIL | dict(sinusoidal_pos_embds=True)),
}
DECODERS = {
    "gpt2": Peer("gpt2", hub.GPT2LMHeadModel, hub.GPT2Config, GPT2),
    "gpt2 untied": Peer("gpt2", hub.GPT2LMHeadModel, hub.GPT2Config, GPT2 | dict(tie_word_embeddings=False, n_inner=50, n_layer=1)),
    "llama": Peer("llama", hub.LlamaForCausalLM, hub.LlamaConfig, LLAMA),
    "llama biases, tied": Peer(
        "llama", hub.LlamaForCausalLM, hub.LlamaConfig, LLAMA | dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True)
    ),
    "llama linear": Peer(
        "llama", hub.LlamaForCausalLM, hub.LlamaConfig, LLAMA | dict(rope_parameters=dict(rope_type="linear", rope_theta=300.0, factor=3.0))
    ),
    "llama 3": Peer("llama", hub.LlamaForCausalLM, hub.LlamaConfig, LLAMA | dict(rope_parameters=LLAMA3)),
    "mistral": Peer("llama", hub.MistralForCausalLM, hub.MistralConfig, LLAMA | dict(sliding_window=5)),
    "qwen2": Peer("llama", hub.Qwen2ForCausalLM, hub.Qwen2Config, QWEN2 | dict(tie_word_embeddings=True)),
    "qwen2 sliding": Peer(
        "llama", hub.Qwen2ForCausalLM, hub.Qwen2Config, QWEN2 | dict(use_sliding_window=True, sliding_window=4, max_window_layers=0)
    ),
}
TRANSLATORS = {
    "marian": Peer("marian", hub.MarianMTModel, hub.MarianConfig, MARIAN),
    "marian untied": Peer(
        "marian",
        hub.MarianMTModel,
        hub.MarianConfig,
        MARIAN | dict(tie_word_embeddings=False, encoder_layers=1, decoder_layers=3, activation_function="relu"),
    ),
    "marian two tables": Peer(
        "marian", hub.MarianMTModel, hub.MarianConfig, MARIAN | dict(share_encoder_decoder_embeddings=False, scale_embedding=False)
    ),
    "marian two tables untied": Peer(
        "marian", hub.MarianMTModel, hub.MarianConfig, MARIAN | dict(share_encoder_decoder_embeddings=False, tie_word_embeddings=False)
    ),
}
PEERS = ENCODERS | DECODERS | TRANSLATORS


def load(folder: Path) -> Transformer:
    """A folder through our own way in, the tokenizer excepted."""
    found = recognise(folder)
    with open_weights(found.weights) as source:
        config = found.family.config(found.settings, source)
        network = found.family.build(config)
        fill(network, source, found.family.rules(config, source), dtype=torch.float32)
    return network


def saved(peer: Peer, folder: Path) -> tuple[nn.Module, Transformer]:
    """The reference, and ours from what it saved."""
    model = peer.make()
    model.save_pretrained(folder)
    return model, load(folder)


def batch(
    rows: Sequence[Sequence[int]], *, side: Literal["left", "right"] = "right", segments: Sequence[Sequence[int]] | None = None
) -> Tokens:
    """Rows of word numbers, padded with a number that no row ends in."""
    width = max(map(len, rows))

    def pad(row: Sequence[int], value: int) -> list[int]:
        filler = [value] * (width - len(row))
        return [*row, *filler] if side == "right" else [*filler, *row]

    return Tokens(
        ids=torch.tensor([pad(row, 1) for row in rows]),
        mask=torch.tensor([pad([1] * len(row), 0) for row in rows], dtype=torch.bool),
        segments=torch.tensor([pad(row, 0) for row in segments or [[0] * len(row) for row in rows]]),
        lengths=tuple(map(len, rows)),
    )


def random_rows(lengths: Sequence[int], *, seed: int = 0, first: int = 5, last: int = VOCABULARY - 1) -> list[list[int]]:
    """Word numbers from `first` up to but not including `last`: clear of the numbers that models treat as padding."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(first, last, (length,), generator=generator).tolist() for length in lengths]


def real(value: Tensor, mask: Tensor) -> Tensor:
    """The rows of real positions. (B, S, ...) -> (real, ...)"""
    return value[mask]


def close(ours: Tensor, theirs: Tensor, what: str) -> None:
    torch.testing.assert_close(ours, theirs, **TOLERANCE, msg=lambda text: f"{what}: {text}")
