"""A translator's folder is read back by our loader and by the reference, with the same numbers."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from training_helpers import small_translator, some_pairs, translator_tokenizer
from transformers import MarianMTModel, MarianTokenizer

from models.loading import load
from models.quantised import quantise_rows
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.tokens import Tokens
from models.training.export_translator import export_translator
from models.transformer import Transformer

ENGLISH, CHINESE = some_pairs()[0]


def scores(network: Transformer, tokenizer: SentencePieceTokenizer) -> torch.Tensor:
    ids = [network.config.start_id, *tokenizer.encode_target(CHINESE).ids[:-1]]
    source, target = (row_of(row) for row in (tokenizer.encode(ENGLISH).ids, ids))
    with torch.no_grad():
        return network.logits(network.decode(target, memory=network.encode(source)))


def row_of(ids: Sequence[int]) -> Tokens:
    table = torch.tensor([list(ids)])
    return Tokens(ids=table, mask=torch.ones_like(table, dtype=torch.bool), segments=torch.zeros_like(table), lengths=(len(table[0]),))


@pytest.mark.parametrize("limit", [50_000_000, 12_000])
def test_a_marian_is_read_back_by_us_and_by_the_reference(tmp_path: Path, limit: int) -> None:
    tokenizer = translator_tokenizer()
    network = small_translator(tokenizer)
    export_translator(network, tokenizer, tmp_path, direction="en-zh", limit=limit)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert (len(files) == 1) == (limit == 50_000_000) and all(path.stat().st_size <= limit for path in files)

    ours = load(tmp_path)
    assert ours.family == "marian" and ours.tasks == {"attend", "translate"}
    assert ours.config == network.config
    for name, value in network.state_dict().items():
        assert torch.equal(ours.network.state_dict()[name], value), name
    assert ours.tokenizer.encode(ENGLISH) == tokenizer.encode(ENGLISH)
    assert ours.tokenizer.encode_target(CHINESE) == tokenizer.encode_target(CHINESE)

    reference = MarianMTModel.from_pretrained(tmp_path, dtype=torch.float32).eval()
    theirs = MarianTokenizer.from_pretrained(tmp_path)
    row = theirs(ENGLISH, text_target=CHINESE, return_tensors="pt")
    assert tuple(row.input_ids[0].tolist()) == tokenizer.encode(ENGLISH).ids
    assert tuple(row.labels[0].tolist()) == tokenizer.encode_target(CHINESE).ids
    with torch.no_grad():
        wanted = reference(**row).logits
    torch.testing.assert_close(scores(ours.network, tokenizer), wanted, rtol=1e-5, atol=2e-5)


def test_half_precision_changes_the_scores_by_little(tmp_path: Path) -> None:
    tokenizer = translator_tokenizer()
    network = small_translator(tokenizer)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.0003)
    export_translator(network, tokenizer, tmp_path, direction="en-zh")
    after = scores(load(tmp_path).network, tokenizer)
    torch.testing.assert_close(after, scores(network, tokenizer), rtol=5e-3, atol=2e-2)
    assert not torch.equal(after, scores(network, tokenizer))


@pytest.mark.parametrize("limit", [50_000_000, 8_000])
def test_eight_bits_are_read_back_as_they_were_rounded(tmp_path: Path, limit: int) -> None:
    tokenizer = translator_tokenizer()
    network = small_translator(tokenizer)
    export_translator(network, tokenizer, tmp_path, direction="en-zh", int8=True, limit=limit)
    assert (len(list(tmp_path.glob("*.safetensors"))) == 1) == (limit == 50_000_000)
    ours = load(tmp_path).network.state_dict()
    for name, value in network.state_dict().items():
        if value.dim() == 1:
            assert torch.equal(ours[name], value), name
            continue
        whole, scale = quantise_rows(value)
        torch.testing.assert_close(ours[name], (whole * scale[:, None]).float(), rtol=1e-6, atol=1e-7, msg=name)
        assert torch.equal(quantise_rows(ours[name])[0], whole)
    assert scores(load(tmp_path).network, tokenizer).argmax(-1).equal(scores(network, tokenizer).argmax(-1))


@pytest.mark.parametrize("int8", [False, True])
def test_a_student_is_written_in_marians_own_format(tmp_path: Path, int8: bool) -> None:
    tokenizer = translator_tokenizer(student=True)
    network = small_translator(tokenizer)
    export_translator(network, tokenizer, tmp_path, direction="en-zh", int8=int8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.enzh.bin", "vocab.enzh.spm"]
    ours = load(tmp_path)
    assert ours.family == "student" and ours.config == network.config
    for name, value in network.state_dict().items():
        step = float(value.abs().max()) / 127 if int8 and value.dim() == 2 else 0.0
        torch.testing.assert_close(ours.network.state_dict()[name], value, rtol=0, atol=0.51 * step, msg=name)
    assert ours.tokenizer.encode(ENGLISH) == tokenizer.encode(ENGLISH)


def test_networks_that_the_formats_cannot_tell_are_refused(tmp_path: Path) -> None:
    tokenizer = translator_tokenizer()
    for change in ({"norm_first": True}, {"sinusoid_span": "half_minus_one"}, {"start_id": -1}, {"tied_output": False}):
        with pytest.raises(ValueError, match="cannot be written as a Marian"):
            export_translator(small_translator(tokenizer, **change), tokenizer, tmp_path, direction="en-zh")
    student = translator_tokenizer(student=True)
    with pytest.raises(ValueError, match="cannot be written as a student"):
        export_translator(small_translator(student, activation="gelu"), student, tmp_path, direction="en-zh")


def test_the_config_says_what_the_hub_expects(tmp_path: Path) -> None:
    tokenizer = translator_tokenizer()
    export_translator(small_translator(tokenizer), tokenizer, tmp_path, direction="en-zh")
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["model_type"], config["encoder_layers"], config["decoder_layers"]) == ("marian", 2, 3)
    assert config["decoder_start_token_id"] == config["pad_token_id"] == tokenizer.pad_id
    assert config["activation_function"] == "swish" and config["bad_words_ids"] == [[tokenizer.pad_id]]
    about = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert (about["source_lang"], about["target_lang"], about["pad_token"]) == ("en", "zh", "<pad>")
