"""Llama's family from GGUF files, against what transformers makes of the same file."""

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from peers import VOCABULARY, batch, close, load, random_rows, randomise, real
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2ForCausalLM

from models.errors import Problem
from models.families import recognise

WIDTH, HEADS, KV_HEADS, INNER, LAYERS = 64, 4, 2, 96, 3  # quantised blocks are 32 wide
ROWS = random_rows((12, 5))
NAMES = {"self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
NAMES |= {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"}
NAMES |= {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def neighbours(rows: Tensor, heads: int) -> Tensor:
    """How llama.cpp's converter sorts the rows of queries and keys: halves (i, i + D/2) become neighbours."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def gguf_name(name: str) -> str:
    if name.startswith("model.layers."):
        _, _, layer, rest = name.split(".", 3)
        module, part = rest.rsplit(".", 1)
        return f"blk.{layer}.{NAMES[module]}.{part}"
    return {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}[
        name
    ]


def write(
    path: Path,
    tensors: dict[str, Tensor],
    *,
    architecture: str = "llama",
    kind: Kind = Kind.F32,
    theta: float = 500.0,
    settings: tuple = (),
    extra: dict[str, np.ndarray] | None = None,
) -> None:
    """A file as llama.cpp's converter writes it; `settings` are (adder, key, value), `extra` further tensors."""
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(theta)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_eos_token_id(7)
    writer.add_uint32("tokenizer.ggml.eot_token_id", 9)
    writer.add_vocab_size(VOCABULARY)
    for adder, key, value in settings:
        getattr(writer, adder)(key, value)
    for name, tensor in tensors.items():
        if architecture == "llama" and ("q_proj" in name or "k_proj" in name):
            tensor = neighbours(tensor, HEADS if "q_proj" in name else KV_HEADS)
        stored = kind if tensor.dim() == 2 else Kind.F32
        writer.add_tensor(gguf_name(name), gguf.quantize(tensor.numpy(), stored), raw_dtype=stored)
    for name, tensor in (extra or {}).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama(**numbers: object) -> nn.Module:
    torch.manual_seed(0)
    small = dict(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, num_hidden_layers=LAYERS
    )
    config = LlamaConfig(**small, intermediate_size=INNER, max_position_embeddings=64, rms_norm_eps=1e-5, **numbers)
    return randomise(LlamaForCausalLM._from_config(config, attn_implementation="eager").eval())


def weights(model: nn.Module) -> dict[str, Tensor]:
    state = dict(model.state_dict())
    if model.config.tie_word_embeddings:
        state.pop("lm_head.weight")
    return state


def logits_of(model: nn.Module) -> Tensor:
    tokens = batch(ROWS)
    with torch.inference_mode():
        return real(model(input_ids=tokens.ids, attention_mask=tokens.mask.long()).logits, tokens.mask)


def our_logits(folder: Path) -> Tensor:
    network, tokens = load(folder), batch(ROWS)
    with torch.inference_mode():
        return real(network.logits(network.decode(tokens)), tokens.mask)


@pytest.mark.parametrize("kind", [Kind.F32, Kind.F16, Kind.BF16, Kind.Q8_0, Kind.Q4_0, Kind.Q4_1], ids=lambda kind: kind.name)
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_llama_file_gives_the_logits_that_transformers_gives(kind: Kind, tied: bool, tmp_path: Path) -> None:
    model = llama(tie_word_embeddings=tied, rope_parameters=dict(rope_type="default", rope_theta=500.0))
    write(tmp_path / "model.gguf", weights(model), kind=kind)
    reference = LlamaForCausalLM.from_pretrained(tmp_path, gguf_file="model.gguf", dtype=torch.float32).eval()
    ours = our_logits(tmp_path)
    close(ours, logits_of(reference), "logits")
    if kind is Kind.F32:
        close(ours, logits_of(model), "logits of the model that was written")
    found, network = recognise(tmp_path), load(tmp_path)
    assert found.family.name == "llama" and found.settings == {}
    assert network.config.end_ids == (7, 9) and network.config.max_positions == 64
    assert (network.heads["lm"].output.weight is network.embeddings.words.weight) == tied


def test_biases_are_sorted_like_their_rows(tmp_path: Path) -> None:
    model = llama(attention_bias=True, mlp_bias=True, rope_parameters=dict(rope_type="default", rope_theta=500.0))
    write(tmp_path / "model.gguf", weights(model))
    close(our_logits(tmp_path), logits_of(model), "logits")


def test_a_qwen2_file_keeps_the_order_of_its_rows(tmp_path: Path) -> None:
    model = llama(attention_bias=True, rope_parameters=dict(rope_type="default", rope_theta=500.0))
    state = {name: tensor for name, tensor in weights(model).items() if not name.endswith("o_proj.bias")}
    write(tmp_path / "model.gguf", state, architecture="qwen2")
    reference = Qwen2ForCausalLM.from_pretrained(tmp_path, gguf_file="model.gguf", dtype=torch.float32).eval()
    close(our_logits(tmp_path), logits_of(reference), "logits")


def test_linear_scaling_is_read(tmp_path: Path) -> None:
    model = llama(rope_parameters=dict(rope_type="linear", rope_theta=500.0, factor=3.0))
    scaling = [("add_string", "llama.rope.scaling.type", "linear"), ("add_float32", "llama.rope.scaling.factor", 3.0)]
    write(tmp_path / "model.gguf", weights(model), settings=scaling)
    close(our_logits(tmp_path), logits_of(model), "logits")


def test_the_scaling_of_llama_3_is_read_from_its_divisors(tmp_path: Path) -> None:
    settings = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
    model = llama(rope_parameters=dict(rope_type="llama3", rope_theta=500_000.0, **settings))
    plain = llama(rope_parameters=dict(rope_type="default", rope_theta=500_000.0))
    divisors = (plain.model.rotary_emb.inv_freq / model.model.rotary_emb.inv_freq).numpy()
    assert divisors.max() == pytest.approx(8.0) and divisors.min() == 1.0
    write(tmp_path / "model.gguf", weights(model), extra={"rope_freqs.weight": divisors}, theta=500_000.0)
    close(our_logits(tmp_path), logits_of(model), "logits")
    assert not torch.allclose(logits_of(plain), logits_of(model), rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("settings", "extra", "what"),
    [
        ([("add_string", "llama.rope.scaling.type", "yarn")], {}, "yarn"),
        ([("add_uint32", "llama.expert_count", 8)], {}, "expert_count"),
        ([], {"rope_freqs.weight": np.array([1, 2, 3, 4, 5, 6, 7, 8], dtype=np.float32)}, "rope_freqs"),
    ],
)
def test_a_file_that_needs_more_than_we_have_is_refused(settings: list, extra: dict, what: str, tmp_path: Path) -> None:
    write(tmp_path / "model.gguf", weights(llama()), settings=settings, extra=extra)
    with pytest.raises(Problem, match=what) as caught:
        load(tmp_path)
    assert caught.value.key == "unsupported_setting"


def test_rows_in_the_wrong_order_are_seen(tmp_path: Path) -> None:
    model = llama(rope_parameters=dict(rope_type="default", rope_theta=500.0))
    write(tmp_path / "model.gguf", weights(model), architecture="llama")
    right = our_logits(tmp_path)
    state = weights(model)
    name = "model.layers.1.self_attn.q_proj.weight"
    write(tmp_path / "model.gguf", state | {name: neighbours(state[name], HEADS)})
    assert not torch.allclose(our_logits(tmp_path), right, rtol=1e-5, atol=2e-5)
