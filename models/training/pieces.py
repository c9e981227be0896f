"""SentencePiece vocabularies (Kudo 2018): learnt from text, cut down to what a text uses, or put together from a list of pieces.

A SentencePiece file is a protocol buffer: pieces with their log probability (field 1), then how it was trained (2) and how it
normalises text (3). Only the pieces change here; the rest is kept as it is, byte for byte.
"""

import io
import math
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

NORMAL, UNKNOWN, CONTROL = 1, 2, 3  # kinds of piece
EOS, UNK, PAD = "</s>", "<unk>", "<pad>"
THREADS = 4  # of learning; the sums depend a little on their number, so it never changes


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of a vocabulary; `score` is its log probability."""

    text: str
    score: float
    kind: int = NORMAL


def learn_pieces(texts: Iterable[str], *, size: int, coverage: float = 0.9998) -> bytes:
    """A vocabulary of at most `size` pieces for texts of both languages; its first ids are those of Marian: </s> 0 and <unk> 1.

    `coverage`: share of all characters that can be spelt; the rarest become unknown. The same texts give the same pieces.
    """
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        vocab_size=size,
        model_type="unigram",
        character_coverage=coverage,
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        pad_id=-1,
        hard_vocab_limit=False,
        num_threads=THREADS,
        minloglevel=2,
    )
    return written.getvalue()


def processor(model: bytes) -> SentencePieceProcessor:
    """What cuts texts with a vocabulary."""
    return SentencePieceProcessor(model_proto=model)


def used(model: SentencePieceProcessor, texts: Iterable[str]) -> Counter[str]:
    """How often each piece, and each single character, stands in the texts."""
    found: Counter[str] = Counter()
    characters: set[str] = set()
    for text in texts:
        cut = model.encode(text, out_type=str)
        found.update(cut)
        characters.update("".join(cut))
    # A word that is met for the first time can then still be spelt.
    for character in characters:
        found[character] += 0
    return found


def cut_down(model: bytes, keep: Callable[[str], bool]) -> bytes:
    """The same vocabulary without the ordinary pieces that are not to be kept."""
    pieces, rest = parse(model)
    return serialise([piece for piece in pieces if piece.kind != NORMAL or keep(piece.text)], rest)


def by_rank(pieces: Sequence[str], like: bytes) -> bytes:
    """A vocabulary of a list of pieces in the order of their frequency, for which nothing else is known.

    The piece of rank r is taken to be as frequent as 1 / r, which is Zipf's law. Texts are normalised as `like` does, and its pieces of
    special kinds are kept.
    """
    known, rest = parse(like)
    total = math.log(sum(1 / rank for rank in range(1, len(pieces) + 1)))
    special = [piece for piece in known if piece.kind != NORMAL]
    return serialise([*special, *(Piece(text, -math.log(rank) - total) for rank, text in enumerate(pieces, start=1))], rest)


def parse(model: bytes) -> tuple[list[Piece], bytes]:
    """The pieces of a SentencePiece file, and all that follows them."""
    pieces, rest = [], b""
    for field, value, raw in fields(model):
        if field == 1:
            parts = {number: part for number, part, _ in fields(value)}
            pieces.append(Piece(parts[1].decode(), struct.unpack("<f", parts[2])[0] if 2 in parts else 0.0, parts.get(3, NORMAL)))
        else:
            rest += raw
    return pieces, rest


def serialise(pieces: Sequence[Piece], rest: bytes) -> bytes:
    """The reverse of `parse`."""
    written = []
    for piece in pieces:
        text = piece.text.encode()
        body = b"\x0a" + varint(len(text)) + text + b"\x15" + struct.pack("<f", piece.score)
        body += b"" if piece.kind == NORMAL else b"\x18" + varint(piece.kind)
        written.append(b"\x0a" + varint(len(body)) + body)
    return b"".join(written) + rest


def fields(message: bytes) -> Iterator[tuple[int, bytes | int, bytes]]:
    """Number, value and bytes of each field of a protocol buffer."""
    at = 0
    while at < len(message):
        start = at
        tag, at = read_varint(message, at)
        if tag & 7 == 0:
            value, at = read_varint(message, at)
        else:
            size, at = read_varint(message, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = message[at : at + size], at + size
        yield tag >> 3, value, message[start:at]


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    """A number written in sevens of bits, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte, at = message[at], at + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def varint(value: int) -> bytes:
    """The reverse of `read_varint`."""
    written = b""
    while value > 127:
        written += bytes([value & 127 | 128])
        value >>= 7
    return written + bytes([value])
