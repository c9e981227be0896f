"""Pieces of text as a person can read them.

A space is shown as "▁", a newline as "␊", an invisible character as "‹U+200D›". One character of several bytes may be spread over several
pieces: it is shown on the piece that completes it, and the bytes before it as "‹E4›". So a replacement character never appears.
"""

import re
import unicodedata
from collections.abc import Sequence

BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")
INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"})


def byte_alphabet() -> dict[str, int]:
    """The printable characters that stand for the 256 bytes in byte-level vocabularies (Radford et al. 2019, GPT-2)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(rest)}


def byte_of(piece: str) -> bytes | None:
    """The byte that a piece such as "<0xE4>" stands for, or None."""
    found = BYTE_PIECE.fullmatch(piece)
    return bytes([int(found[1], 16)]) if found else None


def visible(text: str) -> str:
    """Make every character of a piece visible."""
    if text.isascii() and text.isprintable():
        return text.replace(" ", "▁")
    # A combining mark needs something to stand on.
    start = "◌" if text and unicodedata.category(text[0]).startswith("M") else ""
    return start + "".join(map(visible_character, text))


def visible_character(character: str) -> str:
    code = ord(character)
    if character == " ":
        return "▁"
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    # An unassigned code may be a letter that is newer than Python's tables; only those that will never be one are named.
    never = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return f"‹U+{code:04X}›" if never or unicodedata.category(character) in INVISIBLE else character


def show(pieces: Sequence[bytes | str]) -> tuple[str, ...]:
    """Readable pieces, one each. Bytes are parts of one UTF-8 text; a string stands by itself and is shown as it is."""
    shown: list[str] = []
    run: list[bytes] = []
    for piece in [*pieces, ""]:
        if isinstance(piece, bytes):
            run.append(piece)
            continue
        shown += show_bytes(run)
        shown.append(piece)
        run = []
    return tuple(shown[:-1])


def show_bytes(run: Sequence[bytes]) -> list[str]:
    """Parts of one UTF-8 text, readable."""
    try:
        return [visible(piece.decode()) for piece in run]
    except UnicodeDecodeError:
        pass
    data = b"".join(run)
    owner = [index for index, piece in enumerate(run) for _ in piece]
    found: list[list[str | int]] = [[] for _ in run]  # characters, and bytes that belong to none or to one that ends elsewhere
    at = 0
    while at < len(data):
        width = character_width(data, at)
        end = at + max(width, 1)
        for place in range(at, end):
            if not width or owner[place] != owner[end - 1]:
                found[owner[place]].append(data[place])
        if width:
            found[owner[end - 1]].append(data[at:end].decode())
        at = end
    return [join(parts) for parts in found]


def character_width(data: bytes, at: int) -> int:
    """Bytes of the UTF-8 character that begins at `at`; 0 where none does."""
    lead = data[at]
    width = 1 if lead < 0x80 else 2 if 0xC2 <= lead < 0xE0 else 3 if 0xE0 <= lead < 0xF0 else 4 if 0xF0 <= lead < 0xF5 else 0
    try:
        return width if len(data[at : at + width].decode()) == 1 else 0
    except UnicodeDecodeError:
        return 0


def join(parts: Sequence[str | int]) -> str:
    """Characters made visible, runs of single bytes as "‹E4 BD›"."""
    words: list[str] = []
    characters, numbers = "", []
    for part in [*parts, None]:
        if characters and not isinstance(part, str):
            words.append(visible(characters))
            characters = ""
        if numbers and not isinstance(part, int):
            words.append("‹" + " ".join(f"{number:02X}" for number in numbers) + "›")
            numbers = []
        if isinstance(part, str):
            characters += part
        elif part is not None:
            numbers.append(part)
    return "".join(words)


def complete(data: bytes) -> str:
    """UTF-8 to text; a character whose last bytes are still to come is left out."""
    for missing in range(1, min(3, len(data)) + 1):
        lead = data[-missing]
        if lead >= 0xC0:
            if (lead >= 0xF0 and missing < 4) or (lead >= 0xE0 and missing < 3) or missing < 2:
                data = data[:-missing]
            break
        if lead < 0x80:
            break
    return data.decode(errors="replace")
