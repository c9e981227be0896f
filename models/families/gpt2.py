"""GPT-2 (Radford et al. 2019): a decoder with learned positions, normalised before each step. Its matrices are stored (in, out)."""

from typing import Any

from models import tokenizers
from models.checkpoints.rules import Rule, transpose
from models.checkpoints.weights import Weights
from models.config import ModelConfig
from models.families import Family
from models.families._settings import Settings
from models.families._tables import norm, prefix, unused


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    hub = Settings("GPT-2", settings)
    hub.only("scale_attn_weights", True)
    hub.only("scale_attn_by_inverse_layer_idx", False)
    hub.only("add_cross_attention", False)
    d_model = hub.whole("n_embd")
    return hub.build(
        vocab_size=hub.whole("vocab_size"),
        d_model=d_model,
        n_heads=hub.whole("n_head"),
        d_ff=hub.whole("n_inner", 4 * d_model),
        n_decoder_layers=hub.layers("n_layer"),
        max_positions=hub.whole("n_positions"),
        norm_eps=hub.real("layer_norm_epsilon", 1e-5),
        norm_first=True,
        activation=hub.activation("activation_function", "gelu_new"),
        end_ids=hub.ids("eos_token_id"),
        lm_head=True,
        tied_output=hub.flag("tie_word_embeddings", True),
    )


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    body = prefix(source.names(), "transformer.")
    theirs, ours = f"{body}h.{{}}", "decoder.layers.{}"
    matrices = {
        f"{theirs}.attn.c_attn": f"{ours}.self_attention.qkv",
        f"{theirs}.attn.c_proj": f"{ours}.self_attention.out",
        f"{theirs}.mlp.c_fc": f"{ours}.feedforward.up",
        f"{theirs}.mlp.c_proj": f"{ours}.feedforward.down",
    }
    table = [
        Rule(f"{body}wte.weight", "embeddings.words.weight", alias=("lm_head.weight",) if config.tied_output else ()),
        Rule(f"{body}wpe.weight", "embeddings.positions.weight"),
        *norm(f"{theirs}.ln_1", f"{ours}.self_norm"),
        *norm(f"{theirs}.ln_2", f"{ours}.feedforward_norm"),
        *norm(f"{body}ln_f", "decoder.norm"),
        # Old files store the causal mask of each layer.
        *unused(f"{theirs}.attn.bias", f"{theirs}.attn.masked_bias"),
    ]
    for source_name, target in matrices.items():
        table += [Rule(f"{source_name}.weight", f"{target}.weight", transpose), Rule(f"{source_name}.bias", f"{target}.bias")]
    if not config.tied_output:
        table += [Rule("lm_head.weight", "heads.lm.output.weight")]
    return table


FAMILY = Family(
    name="gpt2",
    speaks=frozenset({"gpt2"}),
    config=config,
    rules=rules,
    tasks=lambda config: frozenset({"attend", "fill_mask_decoder", "generate"}),
    tokenizer=lambda folder, source: tokenizers.from_folder(folder, "gpt2"),
)
