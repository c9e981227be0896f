"""SentencePiece tokenizers of the translation models: Marian from the hub, OPUS-MT packed for CTranslate2, and Marian students.

They differ in where an id comes from. A student's ids are those of its SentencePiece file; the others look the pieces up
in a vocabulary of their own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from sentencepiece import SentencePieceProcessor

from models.checkpoints.weights import broken
from models.tokenizers.names import read_json
from models.tokenizers.pieces import byte_of, show, visible
from models.tokenizers.rows import BARE, Content, Slot, assemble
from models.tokenizers.starts import word_starts
from models.tokenizers.text import clean, estimate, shorten
from models.tokens import Row


class SentencePieceTokenizer:
    """Source and target side of a translation model (Kudo & Richardson 2018). A text ends in `eos_id`; no pairs, masks or chats."""

    bos_id = None
    before_id = None
    mask_id = None

    def __init__(
        self,
        source: SentencePieceProcessor,
        target: SentencePieceProcessor,
        *,
        vocabulary: Mapping[str, int],
        target_vocabulary: Mapping[str, int] | None = None,
        eos: str = "</s>",
        unk: str = "<unk>",
        pad: str | None = None,
    ):
        """`vocabulary`: the id of each piece; `target_vocabulary` only where the target side counts differently.

        Problem where `eos` or `unk` is missing.
        """
        for name in (eos, unk):
            if name not in vocabulary:
                raise broken("the vocabulary", f"it has no {name!r}")
        self.source, self.target = source, target
        self.vocabulary = vocabulary
        self.target_vocabulary = target_vocabulary or vocabulary
        self.pieces = {index: piece for piece, index in self.vocabulary.items()}
        self.target_pieces = self.pieces if target_vocabulary is None else {index: piece for piece, index in target_vocabulary.items()}
        self.vocab_size = max(self.pieces) + 1
        self.eos_id, self.unk_id = vocabulary[eos], vocabulary[unk]
        self.pad_id = vocabulary.get(pad) if pad else None
        self.silent = frozenset({self.eos_id, self.unk_id, self.pad_id})

    def encode(self, text: str, second: str | None = None, *, limit: int | None = None, special: bool = True) -> Row:
        """A source text. A language code that the vocabulary knows, as ">>fra<<" at the very beginning, is one token."""
        if second is not None:
            raise ValueError("a translation model reads one text, not a pair")
        return self.row(text, self.source, self.vocabulary, self.pieces, limit=limit, special=special)

    def encode_target(self, text: str, *, limit: int | None = None) -> Row:
        """A text for the decoder, ending in the end token."""
        return self.row(text, self.target, self.target_vocabulary, self.target_pieces, limit=limit, special=True)

    def encode_all(self, texts: Sequence[str], *, side: Literal["source", "target"] = "source") -> list[list[int]]:
        """The ids of many texts of one side, as `encode` and `encode_target` give them, end token included, without anything to look at."""
        processor, vocabulary = (self.source, self.vocabulary) if side == "source" else (self.target, self.target_vocabulary)
        ids = {piece: index for piece, index in vocabulary.items() if index not in self.silent}
        unknown, end = self.unk_id, [self.eos_id]
        found = processor.encode([clean(text) for text in texts], out_type=str)
        return [[ids.get(piece, unknown) for piece in pieces] + end for pieces in found]

    def decode(self, ids: Sequence[int]) -> str:
        """Ids of the target side to plain text, special tokens and unknown words left out."""
        pieces = [self.target_pieces[index] for index in ids if index not in self.silent and index in self.target_pieces]
        return self.target.decode_pieces(pieces).replace("▁", " ").strip()

    def words(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Ids of the target side to readable pieces, one each."""
        return readable([self.target_pieces.get(index, f"‹{index}›") for index in ids])

    def starts(self, ids: Sequence[int], *, side: Literal["source", "target"] = "target") -> tuple[bool, ...]:
        """For each of the ids of one side whether a word begins with it."""
        pieces = self.pieces if side == "source" else self.target_pieces
        raw = [pieces.get(index, "") for index in ids]
        return word_starts([byte_of(piece) or visible(piece) for piece in raw], [index in self.silent for index in ids])

    def piece_id(self, piece: str) -> int | None:
        """The id of a piece of the target side as `words` shows it, or None."""
        found = self.target_vocabulary.get(piece)
        return None if found in self.silent else found

    def chat(self, prompt: str) -> str | None:
        """None: translation models do not chat."""
        return None

    def encode_chat(self, prompt: str, *, limit: int | None = None) -> Row | None:
        """None: translation models do not chat."""
        return None

    def row(
        self,
        text: str,
        processor: SentencePieceProcessor,
        vocabulary: Mapping[str, int],
        pieces: Mapping[int, str],
        *,
        limit: int | None,
        special: bool,
    ) -> Row:
        """One side of the model."""
        text, unread = shorten(clean(text), limit=limit)
        code = self.language(text, vocabulary)
        found = processor.encode(text[len(code) :], return_type="offset_mapping")
        ids = [vocabulary.get(piece, self.unk_id) for piece in found["pieces"]]
        # A piece that spells a special token is an unknown word, not that token.
        ids = [self.unk_id if index in self.silent else index for index in ids]
        spans = [(len(code) + a, len(code) + b) for a, b in found["offsets"]]
        if code:
            ids, spans = [vocabulary[code], *ids], [(0, len(code)), *spans]
        content = Content(ids=tuple(ids), spans=tuple(spans), unread=estimate(unread, tokens=len(ids), characters=len(text)))
        frame = (*BARE, Slot(token=self.eos_id)) if special else BARE
        return assemble(frame, [content], limit=limit, words=lambda ids: readable([pieces[index] for index in ids]))

    def language(self, text: str, vocabulary: Mapping[str, int]) -> str:
        """The language code at the beginning of a text, or "" where there is none that this model knows."""
        end = text.find("<<")
        code = text[: end + 2] if text.startswith(">>") and end > 0 else ""
        return code if code in vocabulary else ""


def readable(pieces: Sequence[str]) -> tuple[str, ...]:
    """Pieces of a SentencePiece vocabulary, with the bytes of rare characters put together."""
    return show([byte_of(piece) or visible(piece) for piece in pieces])


def load(path: Path) -> SentencePieceProcessor:
    """A SentencePiece model file; Problem where it is none."""
    try:
        return SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise broken(path.name, f"not a SentencePiece model ({error})") from error


def student(path: Path) -> SentencePieceTokenizer:
    """A Marian student: one SentencePiece file for both languages, whose ids are the model's ids."""
    processor = load(path)
    vocabulary = {processor.id_to_piece(index): index for index in range(processor.vocab_size())}
    return SentencePieceTokenizer(processor, processor, vocabulary=vocabulary)


def opus(folder: Path) -> SentencePieceTokenizer:
    """OPUS-MT packed for CTranslate2: one SentencePiece file, and a list of pieces in the order of their ids."""
    processor = load(folder / "sentencepiece.model")
    pieces = read_json(folder / "shared_vocabulary.json")
    return SentencePieceTokenizer(processor, processor, vocabulary={piece: index for index, piece in enumerate(pieces)})


def marian(folder: Path) -> SentencePieceTokenizer:
    """Marian as the hub has it: a SentencePiece file a language, and one vocabulary (or `target_vocab.json` for the target)."""
    target = folder / "target_vocab.json"
    return SentencePieceTokenizer(
        load(folder / "source.spm"),
        load(folder / "target.spm"),
        vocabulary=read_json(folder / "vocab.json"),
        target_vocabulary=read_json(target) if target.exists() else None,
        pad="<pad>",
    )
