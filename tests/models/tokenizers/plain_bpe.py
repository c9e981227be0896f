"""A plain byte-level BPE, slow and written from the description, to compare the real one with."""

import regex
from transformers.convert_slow_tokenizer import bytes_to_unicode

CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
GPT2 = CONTRACTIONS + r"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
NEWER = r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# How llama.cpp cuts words before the merges, pattern after pattern.
PATTERNS = {
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "llama-bpe": [f"(?i:{CONTRACTIONS})" + NEWER.replace("DIGITS", "{1,3}")],
    "qwen2": [f"(?i:{CONTRACTIONS})" + NEWER.replace("DIGITS", "")],
}


def reference(text: str, pre: str, vocabulary: dict[str, int], ranks: dict[tuple[str, str], int], *, whole: bool) -> list[int]:
    """A plain byte-level BPE, written from the description: cut, turn bytes to letters, merge the best pair until there is none."""
    words = [text]
    for pattern in PATTERNS[pre]:
        cut = []
        for word in words:
            at = 0
            for found in regex.finditer(pattern, word):
                cut += [word[at : found.start()], found.group()]
                at = found.end()
            cut.append(word[at:])
        words = [word for word in cut if word]
    letters, ids = bytes_to_unicode(), []
    for word in words:
        pieces = [letters[byte] for byte in word.encode()]
        if whole and "".join(pieces) in vocabulary:
            pieces = ["".join(pieces)]
        while len(pieces) > 1:
            best = min(range(len(pieces) - 1), key=lambda i: ranks.get((pieces[i], pieces[i + 1]), 10**9))
            if (pieces[best], pieces[best + 1]) not in ranks:
                break
            pair = (pieces[best], pieces[best + 1])
            merged, i = [], 0
            while i < len(pieces):
                step = 2 if tuple(pieces[i : i + 2]) == pair else 1
                merged.append("".join(pieces[i : i + step]))
                i += step
            pieces = merged
        ids += [vocabulary[piece] for piece in pieces]
    return ids
