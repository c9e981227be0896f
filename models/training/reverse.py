"""A translation model turned round: weights that translate one way are the start for the other.

The word table of OPUS-MT knows both languages already, and layers that have learnt to translate learn the other direction sooner than
layers that have learnt nothing. What neither side needs of the vocabulary is cut off, and of the decoder half the layers.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from models.config import ModelConfig
from models.model import Model
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training import pieces
from models.training.pieces import EOS, PAD, UNK
from models.transformer import Transformer

# First, third and last, as Shleifer and Rush (2020) take them: neighbours do much the same, the last one writes for the word table, and
# its first head has learnt to align.
LAYERS = (0, 2, 5)
UNSAID = 0.1  # a word that the target texts never say counts as said so often
LONGEST = 512  # positions; sinusoids need no table
CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")  # characters, and punctuation of their width
ALWAYS = frozenset(map(chr, range(33, 127))) | {"▁"}  # with these, any English text can be spelt


def vocabularies(model: Model, sources: Iterable[str], targets: Iterable[str], *, most: int) -> SentencePieceTokenizer:
    """The tokenizer of the other direction, cut down to the pieces that these texts use: `sources` are what `model` writes.

    Where more than `most` are used, the rarest go, and their words are spelt with smaller ones; single characters stay in any case. Where
    none goes, the texts are cut as they were with the whole vocabulary. The order of the ids stays; <pad> comes last.
    """
    old = model.tokenizer
    whole = written_side(model), old.source.serialized_model_proto()
    found = Counter()
    for file, texts in zip(whole, (sources, targets)):
        found.update(pieces.used(pieces.processor(file), texts))
    ranked = sorted(found.keys() & old.vocabulary.keys(), key=lambda piece: (-found[piece], old.vocabulary[piece]))
    keep = {*ranked[:most], *(piece for piece in ranked if len(piece) == 1)} | (ALWAYS & old.vocabulary.keys())
    order = sorted(keep | {EOS, UNK}, key=old.vocabulary.__getitem__)
    source, target = (pieces.processor(pieces.cut_down(file, keep.__contains__)) for file in whole)
    ids = {piece: index for index, piece in enumerate([*order, PAD])}
    return SentencePieceTokenizer(source, target, vocabulary=ids, pad=PAD)


def written_side(model: Model) -> bytes:
    """What cuts texts of the language that the model writes into its pieces.

    A model from the hub has a file for it. A CTranslate2 package has only the file for its source, which knows a thousand English pieces
    of thirty thousand; but its vocabulary lists the pieces of both sides by frequency, and from that their chances can be told well enough.
    """
    tokenizer = model.tokenizer
    if tokenizer.target is not tokenizer.source:
        return tokenizer.target.serialized_model_proto()
    ranked = sorted(tokenizer.vocabulary, key=tokenizer.vocabulary.__getitem__)
    return pieces.by_rank(
        [piece for piece in ranked if piece not in (EOS, UNK, PAD) and not CHINESE.search(piece)],
        like=tokenizer.source.serialized_model_proto(),
    )


def reversed_config(config: ModelConfig, *, vocabulary: int, layers: Sequence[int]) -> ModelConfig:
    """The same shape with fewer words and decoder layers; the decoder begins with <pad>, as the hub's Marian models do."""
    if bad := [layer for layer in layers if not 0 <= layer < config.n_decoder_layers]:
        raise ValueError(f"there is no decoder layer {bad[0]}: the model has {config.n_decoder_layers}, counted from 0")
    return replace(
        config,
        vocab_size=vocabulary,
        n_decoder_layers=len(layers),
        max_positions=LONGEST,
        start_id=vocabulary - 1,
        never_ids=(vocabulary - 1,),
        alignment_heads=((len(layers) - 1, 0),),
    )


@torch.no_grad()
def turn_round(
    model: Model, tokenizer: SentencePieceTokenizer, *, layers: Sequence[int] = LAYERS, said: Tensor | None = None
) -> Transformer:
    """The network of the other direction, for the words of `tokenizer`: all encoder layers, and these decoder layers.

    `said` (V,): how often each word stands in the target texts. The output bias becomes the logarithm of its share, since the old one
    knows how often words are said in the other language; without it the old one stays.
    """
    old = model.network.state_dict()
    config = reversed_config(model.config, vocabulary=tokenizer.vocab_size, layers=layers)
    network = Transformer(config)
    known = model.tokenizer.vocabulary
    rows = torch.tensor([known.get(tokenizer.pieces[index], -1) for index in range(tokenizer.vocab_size)])
    words = old["embeddings.words.weight"][rows.clamp(min=0)] * (rows >= 0)[:, None]
    bias = old["heads.lm.bias"][rows.clamp(min=0)] * (rows >= 0)
    if said is not None:
        shares = (said + UNSAID) / (said + UNSAID).sum()
        bias = (shares * len(shares)).log()
    state = {"embeddings.words.weight": words, "heads.lm.output.weight": words, "heads.lm.bias": bias}
    state |= {name: value for name, value in old.items() if name.startswith("encoder.")}
    for new, layer in enumerate(layers):
        front = f"decoder.layers.{layer}."
        state |= {f"decoder.layers.{new}.{name.removeprefix(front)}": value for name, value in old.items() if name.startswith(front)}
    network.load_state_dict(state)
    network.tie()
    return network
