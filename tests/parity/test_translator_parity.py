"""Our encoder-decoders against the hub's Marian, from its own files and from CTranslate2's."""

from pathlib import Path

import ctranslate2
import pytest
import torch
from ctranslate2.converters.transformers import MarianMTLoader
from peers import TRANSLATORS, VOCABULARY, Peer, batch, close, load, random_rows, real, saved
from torch import Tensor, nn

from models.cache import Cache
from models.families import recognise
from models.tokens import Tokens
from models.trace import Trace
from models.transformer import Transformer

SOURCES, TARGETS = (9, 2, 6), (5, 7, 3)
each_translator = pytest.mark.parametrize("peer", TRANSLATORS.values(), ids=TRANSLATORS.keys())


def begin(rows: list[list[int]], start: int) -> list[list[int]]:
    """What the decoder reads: the start, then the target."""
    return [[start, *row] for row in rows]


def reference(model: nn.Module, source: Tokens, target: Tokens) -> dict:
    with torch.inference_mode():
        return dict(
            model(
                input_ids=source.ids,
                attention_mask=source.mask.long(),
                decoder_input_ids=target.ids,
                decoder_attention_mask=target.mask.long(),
                output_hidden_states=True,
                output_attentions=True,
                use_cache=False,
            ).items()
        )


def ours(network: Transformer, source: Tokens, target: Tokens, *, trace: Trace | None = None) -> tuple[Tensor, Tensor]:
    """Hidden states of the decoder, and logits."""
    with torch.inference_mode():
        memory = network.encode(source, trace=trace)
        hidden = network.decode(target, memory=memory, memory_mask=None if source.full else source.mask, trace=trace)
        return hidden, network.logits(hidden)


def states(trace: Trace, stack: str, layers: int) -> list[Tensor]:
    return [trace.get(site, "hidden") for site in (f"{stack}.embeddings", *(f"{stack}.{index}" for index in range(layers)))]


@each_translator
def test_hidden_states_weights_and_logits_equal_the_reference(peer: Peer, tmp_path: Path) -> None:
    model, network = saved(peer, tmp_path)
    found, config = recognise(tmp_path), network.config
    assert found.family.name == peer.family and found.family.tasks(config) == {"attend", "translate"}
    assert config.start_id == VOCABULARY - 1 and config.end_ids == (0,) and config.never_ids == (VOCABULARY - 1,)
    source, target = batch(random_rows(SOURCES)), batch(begin(random_rows(TARGETS, seed=3), config.start_id))
    wanted, trace = reference(model, source, target), Trace({"hidden", "weights"})
    traced, _ = ours(network, source, target, trace=trace)
    hidden, logits = ours(network, source, target)
    for stack, tokens, layers in (("encoder", source, config.n_encoder_layers), ("decoder", target, config.n_decoder_layers)):
        for index, (mine, state) in enumerate(zip(states(trace, stack, layers), wanted[f"{stack}_hidden_states"], strict=True)):
            close(real(mine, tokens.mask), real(state, tokens.mask), f"{stack} state {index}")
    for kind, tokens, name in (
        ("encoder.{}.self", source, "encoder_attentions"),
        ("decoder.{}.self", target, "decoder_attentions"),
        ("decoder.{}.cross", target, "cross_attentions"),
    ):
        for layer, weights in enumerate(wanted[name]):
            mine = trace.get(kind.format(layer), "weights")
            close(real(mine.transpose(1, 2), tokens.mask), real(weights.transpose(1, 2), tokens.mask), f"{name} of layer {layer}")
    close(real(hidden, target.mask), real(traced, target.mask), "with and without a trace")
    close(real(logits, target.mask), real(wanted["logits"], target.mask), "logits")


@each_translator
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_and_company_change_nothing(peer: Peer, side: str, tmp_path: Path) -> None:
    _, network = saved(peer, tmp_path)
    sources, targets = random_rows(SOURCES), begin(random_rows(TARGETS, seed=3), network.config.start_id)
    target = batch(targets, side=side)
    hidden, _ = ours(network, batch(sources, side=side), target)
    for index in range(len(sources)):
        alone, _ = ours(network, batch([sources[index]]), batch([targets[index]]))
        close(hidden[index][target.mask[index]], alone[0], f"row {index}")


@each_translator
def test_with_a_cache_the_numbers_are_the_same(peer: Peer, tmp_path: Path) -> None:
    _, network = saved(peer, tmp_path)
    source, target = batch(random_rows(SOURCES)), batch(begin(random_rows((6, 6, 6), seed=3), network.config.start_id))
    whole, _ = ours(network, source, target)
    close(step_by_step(network, source, target), whole, "steps")


def step_by_step(network: Transformer, source: Tokens, target: Tokens) -> Tensor:
    cache, parts = Cache(network.config, room=2), []
    with torch.inference_mode():
        memory = network.encode(source)
        for at in range(target.ids.shape[1]):
            ids = target.ids[:, at : at + 1]
            one = Tokens(ids=ids, mask=torch.ones_like(ids, dtype=torch.bool), segments=torch.zeros_like(ids), lengths=(1,) * len(ids))
            parts.append(network.decode(one, memory=memory, memory_mask=source.mask, cache=cache))
    return torch.cat(parts, dim=1)


def ctranslate2_folder(model: nn.Module, folder: Path, quantization: str | None) -> None:
    """The reference as CTranslate2's own converter stores it."""
    loader = MarianMTLoader()
    spec = loader.get_model_spec(model)
    pieces = ["</s>", "<unk>", *(f"w{index}" for index in range(2, VOCABULARY - 1))]
    spec.register_source_vocabulary(pieces)
    spec.register_target_vocabulary(pieces)
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))


@pytest.mark.parametrize("name", ["marian", "marian two tables"])
def test_the_same_model_from_ctranslate2_gives_the_same_numbers(name: str, tmp_path: Path) -> None:
    model = TRANSLATORS[name].make()
    with torch.no_grad():  # CTranslate2 begins with a zero vector where the hub's model looks up the padding
        for table in (model.model.encoder.embed_tokens, model.model.decoder.embed_tokens):
            table.weight[VOCABULARY - 1] = 0
    ctranslate2_folder(model, tmp_path, None)
    network = load(tmp_path)
    assert network.config.start_id == -1 and network.config.end_ids == (0,)
    assert network.config.share_embeddings == (name == "marian")
    rows = random_rows(TARGETS, seed=3)
    source = batch(random_rows(SOURCES))
    wanted = reference(model, source, batch(begin(rows, VOCABULARY - 1)))
    target = batch(begin(rows, -1))
    trace = Trace({"weights"})
    _, logits = ours(network, source, target, trace=trace)
    close(real(logits, target.mask), real(wanted["logits"], target.mask)[:, : VOCABULARY - 1], "logits")
    weights = trace.get("decoder.1.cross", "weights").transpose(1, 2)
    close(real(weights, target.mask), real(wanted["cross_attentions"][1].transpose(1, 2), target.mask), "cross-attention")


@pytest.mark.parametrize("quantization", ["int8", "int16", "float16"])
def test_ctranslate2_files_of_every_kind_score_as_ctranslate2_scores(quantization: str, tmp_path: Path) -> None:
    """The engine itself, computing in float32 on the numbers of the same file."""
    ctranslate2_folder(TRANSLATORS["marian"].make(), tmp_path, quantization)
    network = load(tmp_path)
    engine = ctranslate2.Translator(str(tmp_path), compute_type="float32", inter_threads=1, intra_threads=1)
    source, target = random_rows((8,))[0], random_rows((5,), seed=3)[0]
    piece = ["</s>", "<unk>", *(f"w{index}" for index in range(2, VOCABULARY - 1))]
    scored = engine.score_batch([[*(piece[i] for i in source), "</s>"]], [[piece[i] for i in target]])[0]
    _, logits = ours(network, batch([[*source, 0]]), batch(begin([target], -1)))
    logs = logits[0].log_softmax(-1)
    mine = [logs[at, word].item() for at, word in enumerate([*target, 0])]
    # the engine's approximations of exp, softmax and sigmoid are good to about 1e-4
    torch.testing.assert_close(torch.tensor(mine), torch.tensor(scored.log_probs), rtol=1e-4, atol=1e-4)
