"""The hub's classes with our weights in them, for timing both on the same numbers."""

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, MarianConfig, MarianMTModel

from models.transformer import Transformer


def marian_of(network: Transformer) -> MarianMTModel:
    """OPUS-MT as transformers has it; where our decoder begins with a zero vector, its vocabulary gets one more word with such a vector."""
    ours = network.config
    start = ours.vocab_size if ours.start_id == -1 else ours.start_id
    config = MarianConfig(
        vocab_size=max(ours.vocab_size, start + 1),
        d_model=ours.d_model,
        encoder_layers=ours.n_encoder_layers,
        decoder_layers=ours.n_decoder_layers,
        encoder_attention_heads=ours.n_heads,
        decoder_attention_heads=ours.n_heads,
        encoder_ffn_dim=ours.d_ff,
        decoder_ffn_dim=ours.d_ff,
        max_position_embeddings=ours.max_positions,
        activation_function="swish",
        scale_embedding=True,
        pad_token_id=start,
        decoder_start_token_id=start,
        eos_token_id=ours.end_ids[0],
        forced_eos_token_id=None,
    )
    state = network.state_dict()
    more = config.vocab_size - ours.vocab_size
    words = nn.functional.pad(state["embeddings.words.weight"], (0, 0, 0, more))
    theirs: dict[str, Tensor] = {"final_logits_bias": nn.functional.pad(state["heads.lm.bias"], (0, more))[None]}
    theirs |= {f"model.{name}.weight": words for name in ("shared", "encoder.embed_tokens", "decoder.embed_tokens")}
    theirs["lm_head.weight"] = words
    plain = {
        "self_attention.out": "self_attn.out_proj",
        "self_norm": "self_attn_layer_norm",
        "feedforward.up": "fc1",
        "feedforward.down": "fc2",
    }
    plain |= {
        "feedforward_norm": "final_layer_norm",
        "cross_attention.q": "encoder_attn.q_proj",
        "cross_attention.out": "encoder_attn.out_proj",
    }
    plain["cross_norm"] = "encoder_attn_layer_norm"
    fused = {"self_attention.qkv": ("self_attn", "qkv"), "cross_attention.kv": ("encoder_attn", "kv")}
    for name, value in state.items():
        if ".layers." not in name:
            continue
        stack, _, layer, part, kind = *name.split(".", 3)[:3], *name.split(".", 3)[3].rsplit(".", 1)
        prefix = f"model.{stack}.layers.{layer}"
        if part in plain:
            theirs[f"{prefix}.{plain[part]}.{kind}"] = value
        else:
            their_part, letters = fused[part]
            for letter, rows in zip(letters, value.chunk(len(letters))):
                theirs[f"{prefix}.{their_part}.{letter}_proj.{kind}"] = rows
    model = MarianMTModel(config).eval()
    missing, unexpected = model.load_state_dict(theirs, strict=False)
    assert not unexpected and all("embed_positions" in name for name in missing), (missing, unexpected)
    return model


def llama_of(network: Transformer) -> LlamaForCausalLM:
    """A Llama as transformers has it."""
    ours = network.config
    config = LlamaConfig(
        vocab_size=ours.vocab_size,
        hidden_size=ours.d_model,
        intermediate_size=ours.d_ff,
        num_hidden_layers=ours.n_decoder_layers,
        num_attention_heads=ours.n_heads,
        num_key_value_heads=ours.kv_heads,
        head_dim=ours.head_width,
        max_position_embeddings=ours.max_positions,
        rms_norm_eps=ours.norm_eps,
        tie_word_embeddings=ours.tied_output,
        rope_parameters={"rope_type": "default", "rope_theta": ours.rotary.theta},
        eos_token_id=list(ours.end_ids),
        bos_token_id=None,
        pad_token_id=ours.end_ids[0],
    )
    state = network.state_dict()
    theirs = {"model.embed_tokens.weight": state["embeddings.words.weight"], "model.norm.weight": state["decoder.norm.weight"]}
    theirs["lm_head.weight"] = state["heads.lm.output.weight"]
    sizes = [ours.n_heads * ours.head_width, *[ours.kv_heads * ours.head_width] * 2]
    plain = {"self_attention.out": "self_attn.o_proj", "self_norm": "input_layernorm", "feedforward_norm": "post_attention_layernorm"}
    plain |= {f"feedforward.{name}": f"mlp.{name}_proj" for name in ("up", "gate", "down")}
    for layer in range(ours.n_decoder_layers):
        prefix, own = f"model.layers.{layer}", f"decoder.layers.{layer}"
        theirs |= {f"{prefix}.{name}.weight": state[f"{own}.{part}.weight"] for part, name in plain.items()}
        parts = state[f"{own}.self_attention.qkv.weight"].split(sizes)
        theirs |= {f"{prefix}.self_attn.{letter}_proj.weight": part for letter, part in zip("qkv", parts)}
    with torch.device("meta"):
        model = LlamaForCausalLM(config).eval()
    model.load_state_dict(theirs, assign=True)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its buffers are in no file
    return model
