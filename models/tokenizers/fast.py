"""The tokenizers of BERT, RoBERTa, GPT-2, Llama and their relatives, through the `tokenizers` library.

A visitor's text is always plain text: a "[SEP]" or "<|im_start|>" that someone types is cut into ordinary pieces.
Only "[MASK]" (and the model's own spelling of it) stands for the mask token.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordPiece

from models.tokenizers.chat import ChatTemplate, lay_out
from models.tokenizers.frames import frames
from models.tokenizers.pieces import byte_alphabet, byte_of, complete, show, visible
from models.tokenizers.rows import BARE, BARE_PAIR, Content, Slot, Span, assemble
from models.tokenizers.starts import word_starts
from models.tokenizers.text import clean, estimate, shorten
from models.tokens import Row

MASK = "[MASK]"
ALPHABET = byte_alphabet()
LETTERS = {byte: letter for letter, byte in ALPHABET.items()}
BETWEEN = "<|endoftext|>"  # GPT-2 and many after it learnt from texts with this between them
FIRST = '"prepend_scheme": "first"'
MARKER = re.compile(r"<[^<>\s]+>|\[[A-Z]+\]")  # what control tokens look like, whether or not the file calls them special


class FastTokenizer:
    """Wraps a `tokenizers.Tokenizer`. The names of special tokens are given as their text, None where the model has none."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        pad: str | None = None,
        bos: str | None = None,
        eos: str | None = None,
        mask: str | None = None,
        unk: str | None = None,
        template: ChatTemplate | None = None,
    ):
        """Takes `tokenizer` over and changes its settings."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        added = tokenizer.get_added_tokens_decoder()
        self.silent = frozenset(index for index, token in added.items() if token.special)  # left out of decoded text
        tokenizer.add_special_tokens(
            [AddedToken(t.content, special=True) for t in added.values() if not t.special and MARKER.fullmatch(t.content)]
        )
        tokenizer.encode_special_tokens = True  # a special token in the text is plain text
        self.tokenizer = tokenizer
        self.template = template
        self.vocab_size = tokenizer.get_vocab_size(with_added_tokens=True)
        self.pad_id, self.bos_id, self.eos_id, self.mask_id, self.unk_id = (
            None if name is None else tokenizer.token_to_id(name) for name in (pad, bos, eos, mask, unk)
        )
        self.markers = {t.content: index for index, t in tokenizer.get_added_tokens_decoder().items() if t.special}
        self.hidden = frozenset(self.markers.values()) - {self.unk_id}
        self.marks = re.compile("|".join(re.escape(name) for name in sorted(self.markers, key=len, reverse=True)) or r"(?!)")
        self.before_id = self.markers.get(BETWEEN, self.eos_id if self.bos_id is None else self.bos_id)
        self.masks = re.compile("(?!)" if self.mask_id is None else "|".join(map(re.escape, sorted({MASK, mask}))))
        self.trims = (added[self.mask_id].lstrip, added[self.mask_id].rstrip) if self.mask_id in added else (False, False)
        decoder = json.loads(tokenizer.decoder.__getstate__()) if tokenizer.decoder else {}
        self.byte_level = '"ByteLevel"' in json.dumps(decoder)
        self.byte_fallback = '"ByteFallback"' in json.dumps(decoder)
        processor = tokenizer.post_processor
        self.frame, self.pair_frame = frames(json.loads(processor.__getstate__()) if processor else None)

    def encode(self, text: str, second: str | None = None, *, limit: int | None = None, special: bool = True) -> Row:
        """Text, or a pair of texts, as the model reads it; of a pair, the longer text is cut first."""
        contents = [self.content(one, limit=limit) for one in ([text] if second is None else [text, second])]
        frame = (self.frame, self.pair_frame) if special else (BARE, BARE_PAIR)
        return assemble(frame[len(contents) - 1], contents, limit=limit, words=self.words)

    def encode_target(self, text: str, *, limit: int | None = None) -> Row:
        """A text that ends in the end token, where the model has one."""
        frame = BARE if self.eos_id is None else (*BARE, Slot(token=self.eos_id))
        return assemble(frame, [self.content(text, limit=limit)], limit=limit, words=self.words)

    def decode(self, ids: Sequence[int]) -> str:
        """Ids to plain text, special tokens left out; a character whose last bytes are still to come is left out too."""
        ids = [index for index in ids if index not in self.silent]
        if self.byte_level:
            return complete(b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in map(self.raw, ids)))
        text = self.tokenizer.decode(ids, skip_special_tokens=False)
        if self.byte_fallback and ids and isinstance(self.raw(ids[-1]), bytes):
            return text.rstrip("\ufffd")
        return text

    def words(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Ids to readable pieces, one each; see `pieces.py` for how bytes, spaces and control characters look."""
        return show(list(map(self.raw, ids)))

    def starts(self, ids: Sequence[int], *, side: Literal["source", "target"] = "target") -> tuple[bool, ...]:
        """For each of the ids of a text whether a word begins with it; both sides are the same here."""
        alone = [index in self.hidden or index == self.unk_id for index in ids]
        if isinstance(self.tokenizer.model, WordPiece):
            goes_on = self.tokenizer.model.continuing_subword_prefix
            return tuple(single or not str(self.raw(index)).startswith(goes_on) for index, single in zip(ids, alone))
        return word_starts(list(map(self.raw, ids)), alone)

    def piece_id(self, piece: str) -> int | None:
        """The id of a piece as `words` shows it, or None; special tokens cannot be asked for."""
        if self.byte_level:
            piece = "".join(LETTERS[byte] for byte in clean(piece).replace("▁", " ").encode())
        found = self.tokenizer.token_to_id(clean(piece))
        return None if found in self.hidden or found == self.unk_id else found

    def chat(self, prompt: str) -> str | None:
        """The prompt in the model's chat template, to be read by people: `encode_chat` is what the model gets."""
        if self.template is None:
            return None
        parts, prompt = self.template.parts(clean(prompt))
        return prompt.join(parts)

    def encode_chat(self, prompt: str, *, limit: int | None = None) -> Row | None:
        """The prompt in the model's chat template as ids, or None where there is no template; spans are places in the prompt.

        Special tokens are recognised in the template only, never in the prompt. What is too long is cut at the end of the prompt;
        ValueError where the template alone is too long.
        """
        if self.template is None:
            return None
        prompt, unread = shorten(clean(prompt), limit=limit)
        parts, question = self.template.parts(prompt)
        page = lay_out(parts, question, self.marks)
        ids: list[int] = []
        places: list[Span] = []
        at = 0
        for start, end, mark in [*page.marks, (len(page.text), len(page.text), "")]:
            between, spans = self.plain(page.text[at:start], first=at == 0)
            ids += between
            places += [(at + a, at + b) for a, b in spans]
            if mark:
                ids.append(self.markers[mark])
                places.append((start, end))
            at = end
        shift = prompt.find(question)
        spans = [page.in_question(place, length=len(question), shift=shift) for place in places]
        asked = [index for index, span in enumerate(spans) if span is not None]
        cut = 0 if limit is None else max(0, len(ids) - limit)
        if cut > len(asked):
            raise ValueError(f"a limit of {limit} tokens has no room for the chat template, which needs {len(ids) - len(asked)}")
        dropped = frozenset(asked[len(asked) - cut :])
        kept = [index for index in range(len(ids)) if index not in dropped]
        ids = [ids[index] for index in kept]
        return Row(
            ids=tuple(ids),
            words=self.words(ids),
            segments=(0,) * len(ids),
            special=tuple(index in self.hidden for index in ids),
            spans=tuple(spans[index] for index in kept),
            cut=cut + estimate(unread, tokens=len(asked), characters=len(question)),
        )

    def content(self, text: str, *, limit: int | None) -> Content:
        """The tokens of a text without special tokens, masks recognised."""
        text, unread = shorten(clean(text), limit=limit)
        ids: list[int] = []
        spans: list[Span] = []
        at = 0
        for mark in [*self.masks.finditer(text), None]:
            part = text[at : mark.start() if mark else len(text)]
            if at and self.trims[1]:
                at += len(part) - len(part.lstrip())
                part = part.lstrip()
            if mark and self.trims[0]:
                part = part.rstrip()
            new_ids, new_spans = self.plain(part, first=at == 0)
            ids += new_ids
            spans += [(at + a, at + b) for a, b in new_spans]
            if mark:
                ids.append(self.mask_id)
                spans.append(mark.span())
                at = mark.end()
        return Content(ids=tuple(ids), spans=tuple(spans), unread=estimate(unread, tokens=len(ids), characters=len(text)))

    @cached_property
    def inner(self) -> Tokenizer:
        """For a text that goes on after a special token: some tokenizers put a space before the first word of all, and only there."""
        steps = self.tokenizer.pre_tokenizer
        if steps is None or FIRST not in json.dumps(json.loads(steps.__getstate__())):
            return self.tokenizer
        state = json.dumps(json.loads(self.tokenizer.to_str())).replace(FIRST, '"prepend_scheme": "never"')
        inner = Tokenizer.from_str(state)
        inner.encode_special_tokens = True
        return inner

    def plain(self, text: str, *, first: bool) -> tuple[list[int], list[Span]]:
        """Ids and spans of a text in which nothing is special; `first` where it is not a continuation."""
        if not text:
            return [], []
        encoding = (self.tokenizer if first else self.inner).encode(text, add_special_tokens=False)
        if self.hidden.isdisjoint(encoding.ids):
            return encoding.ids, encoding.offsets
        # Some vocabularies (Unigram) hold their special tokens among the ordinary pieces; cut in two, such a string is ordinary again.
        ids: list[int] = []
        spans: list[Span] = []
        cuts = [0, *(mark.start() + 1 for mark in self.marks.finditer(text)), len(text)]
        for start, end in zip(cuts, cuts[1:]):
            encoding = (self.tokenizer if first and not start else self.inner).encode(text[start:end], add_special_tokens=False)
            ids += encoding.ids
            spans += [(start + a, start + b) for a, b in encoding.offsets]
        return ids, spans

    def raw(self, index: int) -> bytes | str:
        """A piece as the vocabulary has it: bytes where it is a part of a UTF-8 text, a string where it stands by itself."""
        piece = self.tokenizer.id_to_token(index)
        if piece is None:
            return f"‹{index}›"
        if index in self.hidden or index == self.unk_id:
            return piece
        if self.byte_level:
            known = all(letter in ALPHABET for letter in piece)
            return bytes(ALPHABET[letter] for letter in piece) if known else piece.encode()
        return (byte_of(piece) if self.byte_fallback else None) or visible(piece)
