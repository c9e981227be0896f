"""A vocabulary of word pieces learnt from text, for models that start from nothing."""

from collections import Counter
from collections.abc import Callable, Iterable

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

from models.tokenizers.fast import FastTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def learn_vocabulary(read: Callable[[], Iterable[str]], *, size: int, lowercase: bool = True) -> FastTokenizer:
    """BERT's tokenizer with at most `size` pieces: frequent words whole, "##" before what goes on, every Chinese character alone.

    `read()` gives the paragraphs; it is called twice. The same text gives the same vocabulary.
    """
    letters = alphabet(read(), size // 2, lowercase=lowercase)
    # The library numbers letters in an order that differs from run to run, and breaks ties by number; as special tokens they keep theirs.
    trainer = WordPieceTrainer(vocab_size=size, special_tokens=[*SPECIAL, *letters], limit_alphabet=0, show_progress=False)
    student = bare(WordPiece(unk_token="[UNK]"), lowercase=lowercase)
    student.train_from_iterator(read(), trainer)
    pieces = sorted(student.get_vocab(), key=student.get_vocab().get)
    tokenizer = bare(WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"), lowercase=lowercase)
    tokenizer.add_special_tokens(list(SPECIAL))
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return wrap(tokenizer)


def alphabet(paragraphs: Iterable[str], most: int, *, lowercase: bool) -> list[str]:
    """The most frequent letters, first as they begin words, then with "##" as they go on in them."""
    words: Counter[str] = Counter()
    cutter = bare(WordPiece(), lowercase=lowercase)
    for paragraph in paragraphs:
        words.update(word for word, _ in cutter.pre_tokenizer.pre_tokenize_str(cutter.normalizer.normalize_str(paragraph)))
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for place, letter in enumerate(word):
            letters["##" * (place > 0) + letter] += count
    kept = sorted(letters, key=lambda letter: (-letters[letter], letter))[:most]
    return sorted({letter[-1] for letter in kept}) + sorted(letter for letter in kept if len(letter) > 1)


def bare(model: WordPiece, *, lowercase: bool) -> Tokenizer:
    """BERT's way to clean and cut a text, around a vocabulary."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def wrap(tokenizer: Tokenizer) -> FastTokenizer:
    """The same tokenizer as the engine uses it."""
    return FastTokenizer(tokenizer, pad="[PAD]", mask="[MASK]", unk="[UNK]")
