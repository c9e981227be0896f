"""A translator turned round: the right numbers in the right places, and texts cut into pieces that it knows."""

import re

import pytest
import torch
from training_helpers import pieces_of_pairs, small_translator, some_pairs, translator_tokenizer

from models.cards import CARDS
from models.model import Model
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training.pieces import PAD, cut_down, processor
from models.training.reverse import ALWAYS, turn_round, vocabularies

ENGLISH, CHINESE = ([getattr(pair, side) for pair in some_pairs()[:8]] for side in ("english", "chinese"))


def packed() -> Model:
    """zh->en as a CTranslate2 package has it: one SentencePiece file, of the source, and a list of the pieces of both languages."""
    whole = processor(pieces_of_pairs())
    pieces = [whole.id_to_piece(index) for index in range(whole.vocab_size())]
    source = processor(cut_down(pieces_of_pairs(), lambda piece: not re.search("[A-Za-z]{2}", piece)))
    tokenizer = SentencePieceTokenizer(source, source, vocabulary={piece: index for index, piece in enumerate(pieces)})
    return model(tokenizer, start_id=-1, never_ids=(), n_decoder_layers=4, alignment_heads=((3, 0),))


def model(tokenizer: SentencePieceTokenizer, **changes: object) -> Model:
    like = translator_tokenizer()
    like.vocab_size = tokenizer.vocab_size
    network = small_translator(like, **changes)
    return Model(
        name="zh-en", family="marian", config=network.config, network=network, tokenizer=tokenizer, tasks=frozenset({"translate"}),
        device=torch.device("cpu"), dtype=torch.float32, card=CARDS[0],
    )  # fmt: skip


def test_both_sides_are_cut_into_kept_pieces_as_before() -> None:
    old = packed()
    tokenizer = vocabularies(old, ENGLISH, CHINESE, most=1000)
    assert tokenizer.vocab_size < old.tokenizer.vocab_size
    assert tokenizer.pieces[tokenizer.vocab_size - 1] == PAD and (tokenizer.eos_id, tokenizer.unk_id) == (0, 1)
    order = [old.tokenizer.vocabulary[piece] for piece in list(tokenizer.vocabulary)[:-1]]
    assert order == sorted(order)
    assert set(tokenizer.vocabulary) >= ALWAYS & set(old.tokenizer.vocabulary)
    for english, chinese in zip(ENGLISH, CHINESE):
        source, target = tokenizer.encode(english), tokenizer.encode_target(chinese)
        assert tokenizer.unk_id not in (*source.ids, *target.ids)
        assert tokenizer.decode(target.ids) == chinese
        assert "".join(source.words[:-1]).replace("▁", " ").strip() == english
        # The old model reads Chinese with the very pieces that the new one writes.
        assert tokenizer.words(target.ids[:-1]) == old.tokenizer.encode(chinese).words[:-1]


def test_a_model_from_the_hub_has_a_file_for_each_language() -> None:
    cutter = processor(pieces_of_pairs())
    old = model(SentencePieceTokenizer(cutter, processor(pieces_of_pairs()), vocabulary=translator_tokenizer().vocabulary, pad=PAD))
    tokenizer = vocabularies(old, ENGLISH, CHINESE, most=1000)
    for english in ENGLISH:
        assert tokenizer.encode(english).words == old.tokenizer.encode(english).words
    assert tokenizer.vocab_size < old.tokenizer.vocab_size and tokenizer.pad_id == tokenizer.vocab_size - 1


def test_rows_and_layers_are_carried_over() -> None:
    old = packed()
    tokenizer = vocabularies(old, ENGLISH, CHINESE, most=1000)
    network = turn_round(old, tokenizer, layers=(0, 3))
    before, after = old.network.state_dict(), network.state_dict()
    for index in range(tokenizer.vocab_size - 1):
        was = old.tokenizer.vocabulary[tokenizer.pieces[index]]
        assert torch.equal(after["embeddings.words.weight"][index], before["embeddings.words.weight"][was])
        assert after["heads.lm.bias"][index] == before["heads.lm.bias"][was]
    assert not after["embeddings.words.weight"][-1].any()
    assert network.heads["lm"].output.weight is network.embeddings.words.weight
    for name, value in after.items():
        if name.startswith("encoder."):
            assert torch.equal(value, before[name]), name
        elif name.startswith("decoder.layers."):
            assert torch.equal(value, before[name.replace("layers.1.", "layers.3.")]), name
    config = network.config
    assert (config.n_encoder_layers, config.n_decoder_layers, config.alignment_heads) == (2, 2, ((1, 0),))
    assert config.start_id == tokenizer.pad_id and config.never_ids == (tokenizer.pad_id,)
    assert all(parameter.requires_grad for parameter in network.parameters())
    with pytest.raises(ValueError, match="no decoder layer 4"):
        turn_round(old, tokenizer, layers=(0, 4))


def test_the_output_bias_begins_with_how_often_words_are_said() -> None:
    old = packed()
    tokenizer = vocabularies(old, ENGLISH, CHINESE, most=1000)
    said = torch.zeros(tokenizer.vocab_size, dtype=torch.int64)
    said[5], said[6] = 60, 30
    bias = turn_round(old, tokenizer, layers=(0,), said=said).heads["lm"].bias
    assert float((bias[5] - bias[6]).exp().detach()) == pytest.approx(60.1 / 30.1, rel=1e-4)
    assert float((bias[5] - bias[9]).exp().detach()) == pytest.approx(601, rel=1e-3)


def test_the_rarest_pieces_go_and_everything_can_still_be_spelt() -> None:
    old = packed()
    whole, small = (vocabularies(old, ENGLISH, CHINESE, most=most) for most in (1000, 40))
    assert small.vocab_size < whole.vocab_size and set(small.vocabulary) <= set(whole.vocabulary)
    assert {piece for piece in whole.vocabulary if len(piece) == 1} <= set(small.vocabulary)
    for english, chinese in zip(ENGLISH, CHINESE):
        assert small.unk_id not in (*small.encode(english).ids, *small.encode_target(chinese).ids)
        assert small.decode(small.encode_target(chinese).ids) == chinese
