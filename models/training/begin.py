"""Where the training of a translator begins: which pieces texts are cut into, and the first weights of the network."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from math import sqrt

from torch import Tensor

from models import tokenizers
from models.catalogue import Catalogue
from models.config import ModelConfig
from models.loading import load_card
from models.model import Model
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training.export_translator import write_tokenizer
from models.training.parallel import read_pairs, turned, useful
from models.training.pieces import PAD, learn_pieces, processor
from models.training.punctuation import punctuated
from models.training.reverse import LONGEST, turn_round, vocabularies
from models.training.start import fresh
from models.training.texts import weighted
from models.training.translation_flags import STARTS
from models.transformer import Transformer

FOLDER = "vocabulary"


def named(name: str) -> Model:
    """A translation model by its name in the catalogue, its hub id or its folder; ValueError where it is something else."""
    model = load_card(Catalogue(allow_hub=True).with_operator([name]).entries()[0])
    if "translate" not in model.tasks:
        raise ValueError(f"{name} does not translate, so no translator can begin with it")
    return model


def tokenizer_for(asked: argparse.Namespace) -> SentencePieceTokenizer:
    """The tokenizer of this training, made from its texts once and kept in OUT/vocabulary."""
    if asked.start not in STARTS:
        return named(asked.start).tokenizer
    folder = asked.out / FOLDER
    if not folder.exists():
        sources, targets = zip(*texts(asked))
        if asked.start == "reversed":
            made = vocabularies(named(asked.base), sources, targets, most=asked.vocabulary)
        else:
            made = learnt(asked, sources, targets)
        work = asked.out / f".{FOLDER}"
        made = punctuated(made) if asked.direction.endswith("zh") else made
        write_tokenizer(work, made, languages=asked.direction)
        work.rename(folder)
    return tokenizers.from_folder(folder, "marian")


def learnt(asked: argparse.Namespace, sources: Iterable[str], targets: Iterable[str]) -> SentencePieceTokenizer:
    """Pieces for both languages together; a student's ids are those of the pieces, the others have one more, for padding."""
    pieces = processor(learn_pieces(chain(sources, targets), size=asked.vocabulary))
    ids = {pieces.id_to_piece(index): index for index in range(pieces.vocab_size())}
    if asked.start == "student":
        return SentencePieceTokenizer(pieces, pieces, vocabulary=ids)
    return SentencePieceTokenizer(pieces, pieces, vocabulary=ids | {PAD: len(ids)}, pad=PAD)


def texts(asked: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """All sources and targets that are learnt from."""
    seen: set[bytes] = set()
    for path, weight in map(weighted, asked.train):
        if weight:
            for pair in useful(islice(read_pairs(path), asked.limit), seen=seen):
                yield turned(pair, asked.direction)


def network_for(asked: argparse.Namespace, tokenizer: SentencePieceTokenizer, said: Tensor) -> Transformer:
    """The network with its first weights. `said` (V,): how often each word stands in the targets."""
    if asked.start == "reversed":
        return turn_round(named(asked.base), tokenizer, layers=asked.keep_layers, said=said)
    if asked.start in STARTS:
        return fresh(shape(asked, tokenizer), seed=asked.seed, spread=None)
    model = named(asked.start)
    network = Transformer(model.config)  # without the copies that make decoding quick, which would not learn
    network.load_state_dict(model.network.state_dict())
    network.tie()
    return network


def shape(asked: argparse.Namespace, tokenizer: SentencePieceTokenizer) -> ModelConfig:
    """A network as OPUS-MT's, or a student's with SSRUs in its decoder (Kim et al. 2019)."""
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size,
        d_model=asked.width,
        n_heads=asked.heads,
        d_ff=asked.inner,
        n_encoder_layers=asked.layers,
        n_decoder_layers=asked.decoder_layers,
        max_positions=LONGEST,
        norm_eps=1e-5,
        activation="silu",
        positions="sinusoidal",
        embedding_scale=sqrt(asked.width),
        start_id=tokenizer.pad_id,
        end_ids=(tokenizer.eos_id,),
        never_ids=(tokenizer.pad_id,),
        alignment_heads=((asked.decoder_layers - 1, 0),),
        lm_head=True,
        lm_bias=True,
    )
    if asked.start != "student":
        return config
    return replace(
        config, norm_eps=1e-9, activation="relu", sinusoid_span="half_minus_one", decoder_mixer="ssru", start_id=-1,
        never_ids=(tokenizer.unk_id,),
    )  # fmt: skip
