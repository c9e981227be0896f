"""Settings of the hub and of weight files into our own numbers; what cannot be built is refused by its name."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models import families
from models.checkpoints.weights import StateDict
from models.config import ModelConfig, Rotary
from models.errors import Problem
from models.positions import sinusoids

BERT = dict(
    model_type="bert",
    vocab_size=11,
    hidden_size=8,
    num_attention_heads=2,
    intermediate_size=16,
    num_hidden_layers=3,
    max_position_embeddings=12,
)
GPT2 = dict(model_type="gpt2", vocab_size=11, n_embd=8, n_head=2, n_layer=3, n_positions=12)
LLAMA = BERT | dict(model_type="llama", num_key_value_heads=1, rms_norm_eps=1e-5)
MARIAN = dict(
    model_type="marian",
    vocab_size=11,
    d_model=8,
    encoder_layers=3,
    decoder_layers=2,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    encoder_ffn_dim=16,
    decoder_ffn_dim=16,
    max_position_embeddings=12,
    activation_function="swish",
    pad_token_id=10,
    eos_token_id=0,
)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)


def config(base: dict[str, Any], **changes: Any) -> ModelConfig:
    hub = base | changes
    return families.find(hub["model_type"]).config(hub, StateDict({}))


def test_keys_that_old_files_leave_out_have_the_hubs_defaults() -> None:
    bert, gpt2 = config(BERT), config(GPT2)
    assert (bert.norm_eps, bert.n_segments, bert.activation, bert.tied_output) == (1e-12, 2, "gelu", True)
    assert (gpt2.d_ff, gpt2.norm_eps, gpt2.activation, gpt2.tied_output) == (32, 1e-5, "gelu_tanh", True)
    llama = config({key: value for key, value in LLAMA.items() if key != "num_key_value_heads"})
    assert (llama.kv_heads, llama.head_width, llama.tied_output, llama.rotary) == (2, 4, False, Rotary())


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (dict(rope_theta=500.0), Rotary(theta=500.0)),
        (dict(rope_theta=500.0, rope_scaling=None), Rotary(theta=500.0)),
        (dict(rope_theta=500.0, rope_scaling=dict(type="linear", factor=2)), Rotary(theta=500.0, scaling="linear", factor=2.0)),
        (dict(rope_parameters=dict(rope_type="linear", rope_theta=9.0, factor=2.5)), Rotary(theta=9.0, scaling="linear", factor=2.5)),
        (dict(rope_theta=500.0, rope_scaling=LLAMA3), Rotary(theta=500.0, scaling="llama3", factor=8.0)),
    ],
)
def test_rotary_settings_under_new_and_old_names(changes: dict, wanted: Rotary) -> None:
    assert config(LLAMA, **changes).rotary == wanted


def test_the_window_is_mistrals_or_qwens_where_all_layers_have_it() -> None:
    assert config(LLAMA, sliding_window=5).sliding_window is None
    assert config(LLAMA, model_type="mistral", sliding_window=5).sliding_window == 5
    assert config(LLAMA, model_type="mistral", sliding_window=None).sliding_window is None
    qwen = LLAMA | dict(model_type="qwen2", sliding_window=5)
    assert config(qwen).sliding_window is None
    assert config(qwen, use_sliding_window=True, max_window_layers=0).sliding_window == 5
    assert config(qwen, use_sliding_window=True, max_window_layers=3).sliding_window is None
    with pytest.raises(Problem, match="layer_types"):
        config(qwen, use_sliding_window=True, max_window_layers=2)


def test_marian_decoding_starts_ends_and_bans_as_the_files_say() -> None:
    plain = config(MARIAN)
    assert (plain.start_id, plain.end_ids, plain.never_ids, plain.embedding_scale) == (10, (0,), (10,), 1.0)
    told = config(MARIAN, decoder_start_token_id=9, bad_words_ids=[[10], [3], [1, 2]], scale_embedding=True)
    assert (told.start_id, told.never_ids, told.embedding_scale) == (9, (10, 3), 8**0.5)


@pytest.mark.parametrize(
    ("base", "changes", "setting"),
    [
        (BERT, dict(position_embedding_type="relative_key"), "position_embedding_type"),
        (BERT, dict(is_decoder=True), "is_decoder"),
        (BERT, dict(hidden_act="mish"), "hidden_act"),
        (BERT, dict(hidden_act=["gelu"]), "hidden_act"),
        (GPT2, dict(scale_attn_by_inverse_layer_idx=True), "scale_attn_by_inverse_layer_idx"),
        (LLAMA, dict(rope_scaling=dict(rope_type="yarn", factor=4.0)), "rope_type"),
        (LLAMA, dict(partial_rotary_factor=0.5), "partial_rotary_factor"),
        (LLAMA, dict(hidden_act="relu"), "hidden_act"),
        (MARIAN, dict(decoder_ffn_dim=20), "encoder_ffn_dim"),
        (MARIAN, dict(decoder_vocab_size=12), "decoder_vocab_size"),
        (MARIAN, dict(add_final_layer_norm=True), "add_final_layer_norm"),
    ],
)
def test_what_the_engine_does_not_have_is_refused_by_name(base: dict, changes: dict, setting: str) -> None:
    with pytest.raises(Problem) as caught:
        config(base, **changes)
    assert caught.value.key == "unsupported_setting" and setting in caught.value.values["setting"]


@pytest.mark.parametrize(
    ("base", "changes", "reason"),
    [
        (BERT, dict(hidden_size=None), "hidden_size is missing"),
        (BERT, dict(hidden_size="8"), "hidden_size is '8'"),
        (BERT, dict(hidden_size=True), "hidden_size is True"),
        (BERT, dict(hidden_size=-8), "hidden_size is -8"),
        (BERT, dict(hidden_size=2**60), "hidden_size is 1152921504606846976"),
        (BERT, dict(num_hidden_layers=10**6), "num_hidden_layers is 1000000"),
        (BERT, dict(hidden_size=9), "d_model 9 is not a multiple of n_heads 2"),
        (BERT, dict(num_attention_heads=0), "n_heads must be at least 1"),
        (BERT, dict(layer_norm_eps=float("nan")), "layer_norm_eps is nan"),
        (BERT, dict(layer_norm_eps=0), "norm_eps must be positive"),
        (BERT, dict(tie_word_embeddings="yes"), "tie_word_embeddings is 'yes'"),
        (LLAMA, dict(num_attention_heads=0), "n_heads must be at least 1"),
        (LLAMA, dict(num_key_value_heads=3), "not a multiple of n_kv_heads 3"),
        (LLAMA, dict(rope_scaling=[1]), "rope_parameters is [1]"),
        (LLAMA, dict(rope_scaling=dict(type="linear")), "factor is missing"),
        (LLAMA, dict(eos_token_id="</s>"), "eos_token_id is '</s>'"),
        (MARIAN, dict(bad_words_ids=7), "bad_words_ids"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_the_number(base: dict, changes: dict, reason: str) -> None:
    with pytest.raises(Problem) as caught:
        config(base, **changes)
    assert caught.value.key == "broken_config" and reason in caught.value.values["reason"]


STUDENT = {
    "type": "transformer",
    "dec-cell": "ssru",
    "transformer-decoder-autoreg": "rnn",
    "transformer-heads": 2,
    "transformer-dim-ffn": 16,
    "transformer-ffn-activation": "relu",
    "enc-depth": 3,
    "dec-depth": 2,
}
CTRANSLATE2 = {
    "encoder/num_heads": 2,
    "decoder/num_heads": 2,
    "encoder/activation": 2,
    "decoder/activation": 2,
    "encoder/scale_embeddings": 1,
    "decoder/scale_embeddings": 1,
    "decoder/start_from_zero_embedding": 1,
}


def from_file(model_type: str, metadata: dict[str, Any], tensors: dict[str, Tensor]) -> ModelConfig:
    source = StateDict(tensors, file="model.bin")
    source.metadata, source.model_type = metadata, model_type
    return families.find(model_type).config({}, source)


def student(**changes: Any) -> ModelConfig:
    return from_file("marian-binary.ssru", STUDENT | changes, {"Wemb": torch.zeros(11, 8)})


def opus(positions: Tensor | None = None, **changes: Any) -> ModelConfig:
    tensors = {
        "decoder/embeddings/weight": torch.zeros(11, 8),
        "decoder/position_encodings/encodings": sinusoids(12, 8, span="half") if positions is None else positions,
        "encoder/layer_0/ffn/linear_0/weight": torch.zeros(16, 8),
        "decoder/layer_0/ffn/linear_0/weight": torch.zeros(16, 8),
        "decoder/layer_1/ffn/linear_0/weight": torch.zeros(16, 8),
    }
    return from_file("ctranslate2.TransformerSpec", CTRANSLATE2 | changes, tensors)


def test_a_student_is_described_by_its_file() -> None:
    made = student()
    assert (made.n_encoder_layers, made.n_decoder_layers, made.d_ff, made.vocab_size) == (3, 2, 16, 11)
    assert (made.decoder_mixer, made.sinusoid_span, made.norm_eps, made.embedding_scale) == ("ssru", "half_minus_one", 1e-9, 8**0.5)
    assert (made.start_id, made.end_ids, made.never_ids) == (-1, (0,), (1,))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("transformer-preprocess", "n"),
        ("transformer-postprocess", "da"),
        ("tied-embeddings-all", False),
        ("transformer-tied-layers", [1, 1]),
    ],
)
def test_a_student_of_another_plan_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(Problem) as caught:
        student(**{key: value})
    assert caught.value.key == "unsupported_setting" and caught.value.values["setting"] == key


def test_a_ctranslate2_file_describes_itself() -> None:
    made = opus()
    assert (made.n_encoder_layers, made.n_decoder_layers, made.d_ff, made.max_positions) == (1, 2, 16, 12)
    assert (made.sinusoid_span, made.activation, made.embedding_scale, made.start_id) == ("half", "silu", 8**0.5, -1)
    assert opus(sinusoids(12, 8, span="half_minus_one")).sinusoid_span == "half_minus_one"
    assert opus(**{"encoder/scale_embeddings": 3.5, "decoder/scale_embeddings": 3.5}).embedding_scale == 3.5


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"encoder/pre_norm": 1}, "encoder/pre_norm"),
        ({"decoder/start_from_zero_embedding": 0}, "decoder/start_from_zero_embedding"),
        ({"decoder/start_from_zero_embedding": None}, "decoder/start_from_zero_embedding"),
        ({"encoder/activation": 5, "decoder/activation": 5}, "encoder/activation"),
        ({"decoder/num_heads": 4}, "encoder/num_heads"),
        ({"decoder/alibi": 1}, "decoder/alibi"),
        ({"positions": torch.randn(12, 8)}, "decoder/position_encodings/encodings"),
    ],
)
def test_a_ctranslate2_file_of_another_kind_is_refused_by_name(changes: dict, setting: str) -> None:
    with pytest.raises(Problem) as caught:
        opus(**changes)
    assert caught.value.key == "unsupported_setting" and caught.value.values["setting"] == setting


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rope_type", "factor", "type"]), inner, max_size=2),
    max_leaves=4,
)
KEYS = {
    "bert": (BERT, ["position_embedding_type", "type_vocab_size", "layer_norm_eps", "tie_word_embeddings", "hidden_act"]),
    "gpt2": (GPT2, ["n_inner", "activation_function", "eos_token_id", "layer_norm_epsilon"]),
    "llama": (LLAMA, ["rope_scaling", "rope_parameters", "rope_theta", "head_dim", "eos_token_id", "hidden_act"]),
    "mistral": (LLAMA | {"model_type": "mistral"}, ["sliding_window"]),
    "qwen2": (LLAMA | {"model_type": "qwen2", "use_sliding_window": True}, ["layer_types", "max_window_layers", "sliding_window"]),
    "marian": (MARIAN, ["bad_words_ids", "decoder_vocab_size", "scale_embedding", "share_encoder_decoder_embeddings", "eos_token_id"]),
}


@pytest.mark.fuzz
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_settings_give_a_config_or_a_clear_refusal(data: st.DataObject) -> None:
    base, more = KEYS[data.draw(st.sampled_from(sorted(KEYS)))]
    keys = [key for key in base if key != "model_type"] + more
    changes = data.draw(st.dictionaries(st.sampled_from(keys), JSON, min_size=1, max_size=3))
    try:
        assert isinstance(config(base, **changes), ModelConfig)
    except Problem as problem:
        assert problem.key in {"broken_config", "unsupported_setting"} and len(str(problem)) < 500
