"""Marian's translation students (Kim et al. 2019): a deep encoder, and a shallow decoder with SSRUs in place of attention."""

from math import sqrt
from typing import Any

from models import tokenizers
from models.checkpoints.rules import Rule, flatten, transpose
from models.checkpoints.weights import Weights
from models.config import ModelConfig
from models.families import Family
from models.families._settings import Settings

END, UNKNOWN = 0, 1  # Marian's vocabularies begin with </s> and <unk>, and it never writes the second
WORDS, OUTPUT_BIAS = "Wemb", "decoder_ff_logit_out_b"
# The one plan of a network that has been shipped as a student. A missing key means the same as the first value.
PLAN: dict[str, tuple[Any, ...]] = {
    "type": ("transformer",),
    "dec-cell": ("ssru",),
    "transformer-decoder-autoreg": ("rnn",),
    "transformer-preprocess": ("",),
    "transformer-postprocess": ("dan",),
    "transformer-postprocess-emb": ("d",),
    "transformer-postprocess-top": ("",),
    "transformer-ffn-depth": (2,),
    "transformer-tied-layers": ([],),
    "transformer-train-position-embeddings": (False,),
    "transformer-no-projection": (False,),
    "transformer-pool": (False,),
    "transformer-depth-scaling": (False,),
    "tied-embeddings-all": (True,),
    "input-types": ([],),
    "lemma-dim-emb": (0,),
    "ulr": (False,),
    "right-left": (False,),
}
# The file names no limit, but students learnt from single sentences: beyond this they only repeat themselves.
LONGEST = 512


def config(settings: dict[str, Any], source: Weights) -> ModelConfig:
    yml = Settings("Marian student", source.metadata, file=source.file)
    for key, wanted in PLAN.items():
        yml.only(key, *wanted)
    vocabulary, d_model = yml.matrix(source, WORDS)
    return yml.build(
        vocab_size=vocabulary,
        d_model=d_model,
        n_heads=yml.whole("transformer-heads"),
        d_ff=yml.whole("transformer-dim-ffn"),
        n_encoder_layers=yml.layers("enc-depth"),
        n_decoder_layers=yml.layers("dec-depth"),
        max_positions=LONGEST,
        norm_eps=1e-9,
        activation=yml.activation("transformer-ffn-activation"),
        positions="sinusoidal",
        sinusoid_span="half_minus_one",
        embedding_scale=sqrt(d_model),
        decoder_mixer="ssru",
        start_id=-1,
        end_ids=(END,),
        never_ids=(UNKNOWN,),
        alignment_heads=((yml.layers("dec-depth") - 1, 0),),  # trained to align (Chen et al. 2016): Marian's last layer, first head
        lm_head=True,
        lm_bias=True,
    )


def rules(config: ModelConfig, source: Weights) -> list[Rule]:
    return file_rules()


def file_rules() -> list[Rule]:
    """The names of Marian's own files."""
    table = [Rule(WORDS, "embeddings.words.weight"), Rule(OUTPUT_BIAS, "heads.lm.bias", flatten)]
    for stack in ("encoder", "decoder"):
        theirs, ours = f"{stack}_l{{}}", f"{stack}.layers.{{}}"
        table += [
            weight(f"{theirs}_ffn_W1", f"{ours}.feedforward.up.weight"),
            vector(f"{theirs}_ffn_b1", f"{ours}.feedforward.up.bias"),
            weight(f"{theirs}_ffn_W2", f"{ours}.feedforward.down.weight"),
            vector(f"{theirs}_ffn_b2", f"{ours}.feedforward.down.bias"),
            *norm(f"{theirs}_ffn_ffn", f"{ours}.feedforward_norm"),
        ]
    return [
        *table,
        *attention("encoder_l{}_self", "qkv", "encoder.layers.{}.self_attention"),
        *norm("encoder_l{}_self_Wo", "encoder.layers.{}.self_norm"),
        *attention("decoder_l{}_context", "kv", "decoder.layers.{}.cross_attention"),
        weight("decoder_l{}_context_Wq", "decoder.layers.{}.cross_attention.q.weight"),
        vector("decoder_l{}_context_bq", "decoder.layers.{}.cross_attention.q.bias"),
        *norm("decoder_l{}_context_Wo", "decoder.layers.{}.cross_norm"),
        weight("decoder_l{}_rnn_W", "decoder.layers.{}.ssru.input.weight"),
        weight("decoder_l{}_rnn_Wf", "decoder.layers.{}.ssru.forget.weight"),
        vector("decoder_l{}_rnn_bf", "decoder.layers.{}.ssru.forget.bias"),
        *norm("decoder_l{}_rnn_ffn", "decoder.layers.{}.self_norm"),
    ]


def attention(source: str, parts: str, target: str) -> list[Rule]:
    """The projections that one of our matrices holds, and the one back."""
    return [
        weight(tuple(f"{source}_W{part}" for part in parts), f"{target}.{parts}.weight"),
        vector(tuple(f"{source}_b{part}" for part in parts), f"{target}.{parts}.bias"),
        weight(f"{source}_Wo", f"{target}.out.weight"),
        vector(f"{source}_bo", f"{target}.out.bias"),
    ]


def weight(source: str | tuple[str, ...], target: str) -> Rule:
    """Marian stores (in, out) and counts layers from 1."""
    return Rule(source, target, transpose, first=1)


def vector(source: str | tuple[str, ...], target: str) -> Rule:
    return Rule(source, target, flatten, first=1)


def norm(source: str, target: str) -> list[Rule]:
    return [vector(f"{source}_ln_scale", f"{target}.weight"), vector(f"{source}_ln_bias", f"{target}.bias")]


FAMILY = Family(
    name="student",
    speaks=frozenset({"marian-binary.ssru"}),
    config=config,
    rules=rules,
    tasks=lambda config: frozenset({"attend", "translate"}),
    tokenizer=lambda folder, source: tokenizers.from_folder(folder, "student"),
)
