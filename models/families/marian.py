"""Marian's translation Transformers (Junczys-Dowmunt et al. 2018), OPUS-MT among them, from the hub's files or from CTranslate2's."""

from math import sqrt
from typing import Any

from models import tokenizers
from models.checkpoints.rules import Rule, flatten
from models.checkpoints.weights import Weights
from models.config import ModelConfig
from models.families import Family, _marian_ctranslate2
from models.families._settings import Settings
from models.families._tables import fused, linear, norm, unused

BIAS = "final_logits_bias"
SHARED, ENCODER, DECODER, OUTPUT = "model.shared", "model.encoder.embed_tokens", "model.decoder.embed_tokens", "lm_head"
# Behind their layers' own norms some relatives of this network have more of them; files of this type that say so do not exist on the hub.
PLAIN = ("normalize_before", "normalize_embedding", "add_final_layer_norm")


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    if _marian_ctranslate2.is_ctranslate2(source):
        return _marian_ctranslate2.config(settings, source)
    hub = Settings("Marian", settings)
    for encoder, decoder in (("attention_heads", "attention_heads"), ("ffn_dim", "ffn_dim")):
        hub.same(f"encoder_{encoder}", f"decoder_{decoder}")
    for key in PLAIN:
        hub.only(key, False)
    vocabulary, d_model = hub.whole("vocab_size"), hub.whole("d_model")
    hub.only("decoder_vocab_size", vocabulary)
    padding = hub.whole("pad_token_id")
    tied = hub.flag("tie_word_embeddings", True)
    # The hub's class shares nothing where nothing is tied, whatever the other flag says, and then saves a table a language.
    two_tables = {f"{ENCODER}.weight", f"{DECODER}.weight"} <= set(source.names())
    return hub.build(
        vocab_size=vocabulary,
        d_model=d_model,
        n_heads=hub.whole("encoder_attention_heads"),
        d_ff=hub.whole("encoder_ffn_dim"),
        n_encoder_layers=hub.layers("encoder_layers"),
        n_decoder_layers=hub.layers("decoder_layers"),
        max_positions=hub.whole("max_position_embeddings"),
        norm_eps=1e-5,
        activation=hub.activation("activation_function"),
        positions="sinusoidal",
        embedding_scale=sqrt(d_model) if hub.flag("scale_embedding", False) else 1.0,
        start_id=hub.whole("decoder_start_token_id", padding),
        end_ids=hub.ids("eos_token_id"),
        never_ids=hub.banned("bad_words_ids") or (padding,),
        share_embeddings=hub.flag("share_encoder_decoder_embeddings", True) and (tied or not two_tables),
        tied_output=tied,
        # OPUS-MT's "transformer-align" models learnt alignments in the first head of the last layer (Garg et al. 2019).
        alignment_heads=((hub.layers("decoder_layers") - 1, 0),),
        lm_head=True,
        lm_bias=BIAS in source.names(),
    )


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    return _marian_ctranslate2.rules(config, source) if _marian_ctranslate2.is_ctranslate2(source) else hub_rules(config)


def hub_rules(config: ModelConfig) -> list[Rule]:
    """The names of the hub's files."""
    table = embeddings(config) + unused("model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight")
    if config.lm_bias:
        table += [Rule(BIAS, "heads.lm.bias", flatten)]
    for stack in ("encoder", "decoder"):
        theirs, ours = f"model.{stack}.layers.{{}}", f"{stack}.layers.{{}}"
        table += [
            *fused(tuple(f"{theirs}.self_attn.{part}_proj" for part in "qkv"), f"{ours}.self_attention.qkv"),
            *linear(f"{theirs}.self_attn.out_proj", f"{ours}.self_attention.out"),
            *norm(f"{theirs}.self_attn_layer_norm", f"{ours}.self_norm"),
            *linear(f"{theirs}.fc1", f"{ours}.feedforward.up"),
            *linear(f"{theirs}.fc2", f"{ours}.feedforward.down"),
            *norm(f"{theirs}.final_layer_norm", f"{ours}.feedforward_norm"),
        ]
    return table + [
        *linear(f"{theirs}.encoder_attn.q_proj", f"{ours}.cross_attention.q"),
        *fused(tuple(f"{theirs}.encoder_attn.{part}_proj" for part in "kv"), f"{ours}.cross_attention.kv"),
        *linear(f"{theirs}.encoder_attn.out_proj", f"{ours}.cross_attention.out"),
        *norm(f"{theirs}.encoder_attn_layer_norm", f"{ours}.cross_norm"),
    ]


def embeddings(config: ModelConfig) -> list[Rule]:
    """One word table under up to four names, or a table a language."""
    tied = (f"{OUTPUT}.weight",) if config.tied_output else ()
    if config.share_embeddings:
        names = (f"{ENCODER}.weight", f"{DECODER}.weight", *tied)
        table = [Rule(f"{SHARED}.weight", "embeddings.words.weight", alias=names)]
    else:
        table = [
            Rule(f"{ENCODER}.weight", "embeddings.words.weight"),
            Rule(f"{DECODER}.weight", "decoder_embeddings.words.weight", alias=tied),
            *unused(f"{SHARED}.weight"),
        ]
    return table if config.tied_output else [*table, Rule(f"{OUTPUT}.weight", "heads.lm.output.weight")]


FAMILY = Family(
    name="marian",
    speaks=frozenset({"marian", *_marian_ctranslate2.SPEAKS}),
    config=config,
    rules=rules,
    tasks=lambda config: frozenset({"attend", "translate"}),
    tokenizer=lambda folder, source: tokenizers.from_folder(folder, "marian"),
)
