"""From the names of text files to a source of training pairs."""

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from models.tokenizers.fast import FastTokenizer
from models.training.corpus import Corpus, Encode, prepare
from models.training.masked_words import SHARE, Vocabulary
from models.training.pair_batches import PairSource


def weighted(name: str) -> tuple[Path, float]:
    """ "stories.txt.xz@2.5" is a file that is read two or three times an epoch."""
    found = re.fullmatch(r"(.+)@(\d+(?:\.\d+)?)", name)
    return (Path(found[1]), float(found[2])) if found else (Path(name), 1.0)


def label(path: Path) -> str:
    """A text's name with that of its folder, and nothing else of the machine."""
    return f"{path.resolve().parent.name}/{path.name}"


def encoder(tokenizer: FastTokenizer) -> Encode:
    """Many sentences at once, on all processors, without special tokens."""

    def encode(sentences: list[str]) -> list[list[int]]:
        return [found.ids for found in tokenizer.tokenizer.encode_batch_fast(sentences, add_special_tokens=False)]

    return encode


def pair_source(
    tokenizer: FastTokenizer,
    texts: Sequence[tuple[Path, float]],
    *,
    cache: Path,
    length: int = 128,
    same_document: float = 0.0,
    whole_words: bool = False,
    share: float = SHARE,
    limit: int | None = None,
    tell: Callable[[Path], None] | None = None,
) -> PairSource:
    """Pairs from text files, each with its weight; tokenised once into `cache`. `tell` hears which file comes next.

    Raises ValueError where the vocabulary has no mask token or knows no frame for two texts.
    """
    identity = hashlib.sha256(tokenizer.tokenizer.to_str().encode()).hexdigest()
    stores = []
    for path, _ in texts:
        if tell is not None:
            tell(path)
        stores.append(prepare(path, encoder(tokenizer), vocab_size=tokenizer.vocab_size, folder=cache, identity=identity, limit=limit))
    frame = tokenizer.pair_frame
    if sum(slot.token is not None for slot in frame) < 2:
        raise ValueError("this tokenizer has no special tokens that tell two texts apart")
    return PairSource(
        corpus=Corpus(stores, [weight for _, weight in texts]),
        vocabulary=Vocabulary.of(tokenizer),
        frame=frame,
        pad_id=tokenizer.pad_id or 0,
        length=length,
        same_document=same_document,
        whole_words=whole_words,
        share=share,
    )
