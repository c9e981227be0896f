"""Export: the folder is read back by our loader and by the reference, with the same numbers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from training_helpers import small_network, small_tokenizer
from transformers import AutoTokenizer, BertForPreTraining

from models.loading import load
from models.training.export import blend, export, main
from models.training.start import expect, fresh, with_heads
from models.transformer import Transformer

FIRST, SECOND = "Anna goes to the harbour in the morning.", "There Anna [MASK] the nets near the boat."


def shaken() -> Transformer:
    """A network none of whose numbers is 0 or 1, so that a forgotten one shows."""
    torch.manual_seed(3)
    network = small_network(small_tokenizer()).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
            parameter.copy_(parameter.half())
    return network


def scores(network: Transformer, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    model = load(folder)
    tokens = model.batch([model.tokenizer.encode(FIRST, SECOND)])
    with torch.no_grad():
        hidden = network.encode(tokens)
        return network.heads["mlm"](hidden), network.heads["nsp"](hidden)


@pytest.mark.parametrize("limit", [50_000_000, 30_000])
def test_what_is_written_is_read_back_by_us_and_by_the_reference(tmp_path: Path, limit: int) -> None:
    network = shaken()
    export(network, small_tokenizer(), tmp_path, limit=limit)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) == 1 if limit == 50_000_000 else len(files) > 2
    assert all(path.stat().st_size <= limit for path in files)

    ours = load(tmp_path)
    assert ours.tasks == {"attend", "fill_mask", "next_sentence"}
    for name, value in network.state_dict().items():
        assert torch.equal(ours.network.state_dict()[name], value), name

    reference = BertForPreTraining.from_pretrained(tmp_path, dtype=torch.float32).eval()
    assert reference.config.vocab_size == network.config.vocab_size
    row = AutoTokenizer.from_pretrained(tmp_path)(FIRST, SECOND, return_tensors="pt")
    assert row.input_ids[0].tolist() == list(ours.tokenizer.encode(FIRST, SECOND).ids)
    with torch.no_grad():
        theirs = reference(**row)
    words, follows = scores(network, tmp_path)
    torch.testing.assert_close(words, theirs.prediction_logits, rtol=1e-5, atol=2e-5)
    torch.testing.assert_close(follows, theirs.seq_relationship_logits, rtol=1e-5, atol=2e-5)


def test_half_precision_changes_the_scores_by_little(tmp_path: Path) -> None:
    network = small_network(small_tokenizer()).eval()
    export(network, small_tokenizer(), tmp_path)
    before, _ = scores(network, tmp_path)
    after, _ = scores(load(tmp_path).network, tmp_path)
    torch.testing.assert_close(after, before, rtol=5e-3, atol=5e-3)
    assert not torch.equal(after, before)


def test_a_smaller_number_of_files_replaces_a_larger(tmp_path: Path) -> None:
    export(small_network(small_tokenizer()), small_tokenizer(), tmp_path, limit=30_000)
    export(small_network(small_tokenizer()), small_tokenizer(), tmp_path)
    assert [path.name for path in tmp_path.glob("model*")] == ["model.safetensors"]


def test_numbers_too_large_for_half_precision_are_refused(tmp_path: Path) -> None:
    network = small_network(small_tokenizer())
    with torch.no_grad():
        network.heads["mlm"].bias[0] = 1e6
    with pytest.raises(ValueError, match="cls.predictions.bias"):
        export(network, small_tokenizer(), tmp_path)


def test_a_network_that_is_no_bert_is_refused(tmp_path: Path) -> None:
    for change in ({"norm_first": True}, {"mlm_head": False}, {"n_kv_heads": 2}, {"tied_output": False}):
        with pytest.raises(ValueError, match="only a BERT"):
            export(small_network(small_tokenizer(), **change), small_tokenizer(), tmp_path)


def test_heads_are_added_to_a_bare_encoder_and_kept_where_there_are_some() -> None:
    bare = shaken()
    headless = small_network(small_tokenizer(), mlm_head=False, nsp_head=False)
    headless.load_state_dict({name: value for name, value in bare.state_dict().items() if not name.startswith("heads.")})
    network = with_heads(headless)
    assert torch.equal(network.heads["mlm"].transform.weight, torch.eye(32))
    assert network.heads["mlm"].output.weight is network.embeddings.words.weight
    for name, value in headless.state_dict().items():
        assert torch.equal(network.state_dict()[name], value)
    for name, value in with_heads(bare).state_dict().items():
        assert torch.equal(bare.state_dict()[name], value)


def test_a_head_that_expects_frequencies_guesses_by_them_where_it_sees_nothing() -> None:
    network = small_network(small_tokenizer())
    counts = np.arange(network.config.vocab_size) ** 2.0
    expect(network, counts)
    with torch.no_grad():
        network.heads["mlm"].norm.weight.zero_()
        guess = network.heads["mlm"](torch.randn(1, 32)).softmax(-1)[0]
    torch.testing.assert_close(guess, torch.from_numpy((counts + 1) / (counts + 1).sum()).float(), rtol=1e-4, atol=1e-7)


def test_a_fresh_network_is_the_same_from_the_same_seed() -> None:
    config = small_network(small_tokenizer()).config
    one, two, other = fresh(config, seed=1), fresh(config, seed=1), fresh(config, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters()))
    assert not torch.equal(one.embeddings.words.weight, other.embeddings.words.weight)
    assert float(one.embeddings.words.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert bool((one.encoder.layers[0].self_norm.weight == 1).all()) and not one.encoder.layers[0].feedforward.up.bias.any()


def test_the_config_says_what_the_hub_expects(tmp_path: Path) -> None:
    export(small_network(small_tokenizer()), small_tokenizer(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["BertForPreTraining"] and config["model_type"] == "bert"
    assert (config["hidden_size"], config["num_hidden_layers"], config["dtype"]) == (32, 2, "float16")


def test_of_several_models_the_mean_is_written_and_only_of_one_shape(tmp_path: Path) -> None:
    one, other = shaken(), shaken()
    with torch.no_grad():
        for number, parameter in enumerate(other.parameters()):
            parameter.copy_((parameter + 0.01 * number).half())
    folders = [tmp_path / name for name in "ab"]
    for network, folder in zip((one, other), folders):
        export(network, small_tokenizer(), folder)
    main(["--model", *map(str, folders), "--to", str(tmp_path / "mean")])
    mean, pairs = load(tmp_path / "mean").network.state_dict(), other.state_dict()
    for name, value in one.state_dict().items():
        torch.testing.assert_close(mean[name], (value + pairs[name]) / 2, rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError, match="one shape"):
        blend([one, Transformer(replace(one.config, d_ff=8))])


def test_a_mean_may_have_shares_and_keeps_heads_that_the_others_lack(tmp_path: Path) -> None:
    one, bare = shaken(), small_network(small_tokenizer(), mlm_head=False, nsp_head=False)
    before = {name: value.clone() for name, value in one.state_dict().items()}
    blend([one, bare], [0.75, 0.25])
    other = bare.state_dict()
    for name, value in one.state_dict().items():
        # the tied output matrix is the word table, which both have
        name = name.replace("heads.mlm.output", "embeddings.words")
        expected = 0.75 * before[name] + 0.25 * other[name] if name in other else before[name]
        torch.testing.assert_close(value, expected)
    for shares in ([1.0], [0.75, 0.5]):
        with pytest.raises(ValueError, match="together"):
            blend([one, bare], shares)
    folder = tmp_path / "a"
    export(shaken(), small_tokenizer(), folder)
    main(["--model", str(folder), str(folder), "--shares", "0.5", "0.5", "--to", str(tmp_path / "same")])
    for name, value in load(tmp_path / "same").network.state_dict().items():
        torch.testing.assert_close(value, load(folder).network.state_dict()[name])
