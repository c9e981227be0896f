"""The weights that people will see, against the hub's classes: MiniLM, SmolLM2 and OPUS-MT."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peers import batch, close, real
from torch import Tensor, nn
from transformers import BertModel, LlamaConfig, LlamaForCausalLM, MarianConfig, MarianMTModel

from models.catalogue import Catalogue
from models.checkpoints.ctranslate2_files import CTranslate2File
from models.checkpoints.files import open_weights
from models.checkpoints.gguf_files import GGUFFile
from models.checkpoints.load import fill
from models.families import recognise
from models.sources import fetch
from models.tokens import Row, Tokenizer
from models.trace import Trace
from models.transformer import Transformer

pytestmark = pytest.mark.weights
WORDS = 65_000
Folder = Callable[[str], Path]


@pytest.fixture(scope="session")
def weights_folder() -> Folder:
    """The folder of a model of the catalogue, fetched once."""
    return lambda name: fetch(Catalogue().find(name))


def load(folder: Path) -> tuple[Transformer, Tokenizer]:
    found = recognise(folder)
    with open_weights(found.weights) as source:
        config = found.family.config(found.settings, source)
        network = found.family.build(config)
        fill(network, source, found.family.rules(config, source), dtype=torch.float32)
        return network, found.family.tokenizer(folder, source)


def rows(*texts: Row) -> list[list[int]]:
    return [list(text.ids) for text in texts]


def test_minilm_hidden_states_and_attention(weights_folder: Folder) -> None:
    folder = weights_folder("all-MiniLM-L6-v2")
    network, tokenizer = load(folder)
    model = BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    texts = (
        tokenizer.encode("The animal didn't cross the street because it was too tired."),
        tokenizer.encode("She drank a cup of tea.", "Then she read the newspaper in the garden until it was dark."),
    )
    tokens, trace = batch(rows(*texts), segments=[text.segments for text in texts]), Trace({"hidden", "weights"})
    with torch.inference_mode():
        given = dict(input_ids=tokens.ids, attention_mask=tokens.mask.long(), token_type_ids=tokens.segments)
        wanted = model(**given, output_hidden_states=True, output_attentions=True)
        hidden = network.encode(tokens)
        network.encode(tokens, trace=trace)
    close(real(hidden, tokens.mask), real(wanted.last_hidden_state, tokens.mask), "last state")
    for index, state in enumerate(wanted.hidden_states):
        site = f"encoder.{index - 1}" if index else "encoder.embeddings"
        close(real(trace.get(site, "hidden"), tokens.mask), real(state, tokens.mask), site)
    for layer, weights in enumerate(wanted.attentions):
        mine = trace.get(f"encoder.{layer}.self", "weights")
        close(real(mine.transpose(1, 2), tokens.mask), real(weights.transpose(1, 2), tokens.mask), f"weights of layer {layer}")


def llama_of(source: GGUFFile) -> LlamaForCausalLM:
    """The hub's class with the numbers of the GGUF file, dequantised. (Its own reader of the format takes half a minute; the tiny files of
    `test_gguf_parity.py` go through it.)"""
    heads, kv_heads, width = 9, 3, 64
    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=576,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        num_hidden_layers=30,
        intermediate_size=1536,
        max_position_embeddings=8192,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        rope_parameters=dict(rope_type="default", rope_theta=100_000.0),
    )
    order = torch.cat([torch.arange(0, width, 2), torch.arange(1, width, 2)])  # neighbours (0, 1) become halves (i, i + D/2)

    def halves(rows: Tensor, count: int) -> Tensor:
        return rows.view(count, width, -1)[:, order].reshape(rows.shape)

    names = {"self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "input_layernorm": "attn_norm"}
    names |= {"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "post_attention_layernorm": "ffn_norm"}
    words = source.read("token_embd.weight")
    state = {"model.embed_tokens.weight": words, "lm_head.weight": words, "model.norm.weight": source.read("output_norm.weight")}
    for layer in range(30):
        theirs, ours = f"model.layers.{layer}", f"blk.{layer}"
        state |= {f"{theirs}.{name}.weight": source.read(f"{ours}.{stored}.weight") for name, stored in names.items()}
        state[f"{theirs}.self_attn.q_proj.weight"] = halves(source.read(f"{ours}.attn_q.weight"), heads)
        state[f"{theirs}.self_attn.k_proj.weight"] = halves(source.read(f"{ours}.attn_k.weight"), kv_heads)
    with torch.device("meta"):
        model = LlamaForCausalLM._from_config(config, attn_implementation="eager")
    model.load_state_dict(state, assign=True)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its buffers are in no file
    return model.eval()


def test_smollm2_logits(weights_folder: Folder) -> None:
    folder = weights_folder("SmolLM2-135M-Instruct")
    network, tokenizer = load(folder)
    texts = (
        tokenizer.encode_chat("Why is the sky blue? Explain it in two sentences."),
        tokenizer.encode("The capital of France is Paris, and"),
    )
    tokens = batch(rows(*texts))
    with torch.inference_mode():
        ours = real(network.logits(network.decode(tokens)), tokens.mask)
    with GGUFFile(next(folder.glob("*.gguf"))) as source:
        model = llama_of(source)

    def reference() -> Tensor:
        with torch.inference_mode():
            return real(model(input_ids=tokens.ids, attention_mask=tokens.mask.long()).logits, tokens.mask)

    theirs = reference()
    model.double()
    exact = reference()
    # Logits of up to 38 after thirty layers: in float32 the reference itself is 1e-4 from its own float64 run, so that is the yardstick.
    error, allowed = (ours - exact).abs(), (theirs - exact).abs()
    assert error.max() < 4 * allowed.max() < 1e-3
    assert error.pow(2).mean().sqrt() < 3 * allowed.pow(2).mean().sqrt() < 1e-4
    assert torch.equal(ours.argmax(-1), exact.argmax(-1))
    torch.testing.assert_close(ours.log_softmax(-1), theirs.log_softmax(-1), rtol=1e-5, atol=3e-4)


def marian_of(source: CTranslate2File) -> MarianMTModel:
    """The hub's class with the numbers of the CTranslate2 file, dequantised; its start is one more word, whose vector is zero."""
    config = MarianConfig(
        vocab_size=WORDS + 1,
        d_model=512,
        encoder_layers=6,
        decoder_layers=6,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        encoder_ffn_dim=2048,
        decoder_ffn_dim=2048,
        max_position_embeddings=512,
        activation_function="swish",
        scale_embedding=True,
        pad_token_id=WORDS,
        decoder_start_token_id=WORDS,
        eos_token_id=0,
    )
    words = nn.functional.pad(source.read("decoder/embeddings/weight"), (0, 0, 0, 1))
    state = {"final_logits_bias": nn.functional.pad(source.read("decoder/projection/bias"), (0, 1))[None]}
    state |= dict.fromkeys(
        ("model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"), words
    )

    def put(name: str, stored: str, part: slice = slice(None)) -> None:
        state[f"{name}.weight"] = source.read(f"{stored}/weight")[part]
        state[f"{name}.bias"] = source.read(f"{stored}/bias")[part]

    def norm(name: str, stored: str) -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = source.read(f"{stored}/gamma"), source.read(f"{stored}/beta")

    for stack in ("encoder", "decoder"):
        for layer in range(6):
            ours, theirs = f"{stack}/layer_{layer}", f"model.{stack}.layers.{layer}"
            for index, letter in enumerate("qkv"):
                put(f"{theirs}.self_attn.{letter}_proj", f"{ours}/self_attention/linear_0", slice(512 * index, 512 * (index + 1)))
            put(f"{theirs}.self_attn.out_proj", f"{ours}/self_attention/linear_1")
            norm(f"{theirs}.self_attn_layer_norm", f"{ours}/self_attention/layer_norm")
            put(f"{theirs}.fc1", f"{ours}/ffn/linear_0")
            put(f"{theirs}.fc2", f"{ours}/ffn/linear_1")
            norm(f"{theirs}.final_layer_norm", f"{ours}/ffn/layer_norm")
            if stack == "decoder":
                put(f"{theirs}.encoder_attn.q_proj", f"{ours}/attention/linear_0")
                put(f"{theirs}.encoder_attn.k_proj", f"{ours}/attention/linear_1", slice(512))
                put(f"{theirs}.encoder_attn.v_proj", f"{ours}/attention/linear_1", slice(512, 1024))
                put(f"{theirs}.encoder_attn.out_proj", f"{ours}/attention/linear_2")
                norm(f"{theirs}.encoder_attn_layer_norm", f"{ours}/attention/layer_norm")
    model = MarianMTModel._from_config(config, attn_implementation="eager")
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("embed_positions" in name for name in missing)
    return model.eval()


def test_opus_mt_logits_and_alignments(weights_folder: Folder) -> None:
    folder = weights_folder("opus-mt-zh-en")
    network, tokenizer = load(folder)
    sources = rows(tokenizer.encode("我昨天在图书馆借了三本书。"), tokenizer.encode("今天下雨了，出门记得带伞，不然会被淋湿的。"))
    targets = rows(
        tokenizer.encode_target("I borrowed three books from the library yesterday."), tokenizer.encode_target("It's raining today.")
    )
    source, target = batch(sources), batch([[-1, *row[:-1]] for row in targets])
    trace = Trace({"weights"})
    with torch.inference_mode():
        memory = network.encode(source)
        logits = network.logits(network.decode(target, memory=memory, memory_mask=source.mask))
        network.decode(target, memory=memory, memory_mask=source.mask, trace=trace)
    with CTranslate2File(folder / "model.bin") as stored:
        model = marian_of(stored)
    begun = target.ids.masked_fill(target.ids < 0, WORDS)
    with torch.inference_mode():
        given = dict(input_ids=source.ids, attention_mask=source.mask.long(), decoder_input_ids=begun, output_attentions=True)
        wanted = model(**given, use_cache=False)
    close(real(memory, source.mask), real(wanted.encoder_last_hidden_state, source.mask), "memory")
    close(real(logits, target.mask), real(wanted.logits, target.mask)[:, :WORDS], "logits")
    for layer, weights in enumerate(wanted.cross_attentions):
        mine = trace.get(f"decoder.{layer}.cross", "weights")
        close(real(mine.transpose(1, 2), target.mask), real(weights.transpose(1, 2), target.mask), f"cross-attention of layer {layer}")


@pytest.mark.parametrize("name", ["firefox-en-pt", "firefox-pt-en"])
def test_the_students_fill_their_network_completely(name: str, weights_folder: Folder) -> None:
    network, tokenizer = load(weights_folder(name))
    config = network.config
    assert (config.n_encoder_layers, config.n_decoder_layers, config.vocab_size) == (6, 2, 32_000)
    assert config.end_ids == (tokenizer.eos_id,) and config.start_id == -1
    assert sum(parameter.numel() for parameter in network.parameters()) == 16_907_008
    assert all(parameter.isfinite().all() for parameter in network.parameters())
