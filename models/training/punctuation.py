"""Chinese punctuation in what a translator writes.

SentencePiece folds full-width signs into those of ASCII before it cuts a text (NFKC), so a model that learnt from its pieces writes
"你好,世界!" where a Chinese reader expects "你好，世界！". A SentencePiece file can hold rules for the way back, its denormaliser, which
every library applies that decodes with it.
"""

import io
import string
import tempfile
from pathlib import Path

from sentencepiece import SentencePieceTrainer

from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.training.pieces import fields, parse, processor, varint
from models.training.reverse import CHINESE

WIDE = {",": "，", "?": "？", "!": "！", ";": "；", ":": "："}
CLOSING = "”’)"  # behind these too, whatever stands before them
DENORMALISER, TABLE = 5, 6  # a field of a SentencePiece file, and the one in it that names the file of the rules


def punctuated(tokenizer: SentencePieceTokenizer) -> SentencePieceTokenizer:
    """The same tokenizer, whose texts of the target side come with full-width signs. Ids and pieces stay as they are."""
    target = processor(with_wide_signs(tokenizer.target.serialized_model_proto()))
    source = target if tokenizer.source is tokenizer.target else tokenizer.source
    return SentencePieceTokenizer(source, target, vocabulary=tokenizer.vocabulary, pad=tokenizer.pieces.get(tokenizer.pad_id))


def with_wide_signs(model: bytes) -> bytes:
    """A SentencePiece file that decodes the signs of `WIDE` as full-width ones, except where they stand alone or in a number or address."""
    pieces, _ = parse(model)
    chinese = {piece.text[-1] for piece in pieces if piece.text and CHINESE.match(piece.text[-1])}
    before = {sign: {*chinese, *CLOSING, *string.ascii_letters, *string.digits} for sign in "?!;"}
    before |= {",": {*chinese, *CLOSING, *string.ascii_letters}, ":": {*chinese, *CLOSING}}
    rules = [(f"{left}{sign}", f"{left}{wide}") for sign, wide in WIDE.items() for left in sorted(before[sign])]
    rest = b"".join(raw for field, _, raw in fields(model) if field != DENORMALISER)
    return rest + denormaliser(rules)


def denormaliser(rules: list[tuple[str, str]]) -> bytes:
    """Rules in the compiled form that only the trainer writes: those of a vocabulary that nobody needs."""
    written = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "rules.tsv"
        table.write_text("".join(f"{code_points(old)}\t{code_points(new)}\n" for old, new in rules), encoding="utf-8")
        SentencePieceTrainer.train(
            sentence_iterator=iter([string.ascii_lowercase]),
            model_writer=written,
            vocab_size=40,
            hard_vocab_limit=False,
            denormalization_rule_tsv=str(table),
            minloglevel=2,
        )
    [made] = [value for field, value, _ in fields(written.getvalue()) if field == DENORMALISER]
    parts = b"".join(raw for field, _, raw in fields(made) if field != TABLE)
    return varint(DENORMALISER << 3 | 2) + varint(len(parts)) + parts


def code_points(text: str) -> str:
    """Characters as hexadecimal numbers."""
    return " ".join(f"{ord(character):X}" for character in text)
