"""The tokenizer inside a GGUF file: a byte-level vocabulary with its merges, written as lists.

How a text is cut into words before the merges is only named there ("tokenizer.ggml.pre"); the patterns are those of llama.cpp
and of the tokenizer.json files on the hub.
"""

from collections.abc import Mapping
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from models.checkpoints.weights import broken, unsupported
from models.tokenizers.chat import ChatTemplate
from models.tokenizers.fast import FastTokenizer

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # token types that a byte-level vocabulary may have, next to unused ones (5)
GPT2 = frozenset({"gpt-2", "mpt", "olmo", "jais"})
SINGLE_DIGITS = frozenset({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"})
LLAMA3 = frozenset({"llama-bpe", "llama3", "llama-v3"})
QWEN2 = frozenset({"qwen2", "deepseek-r1-qwen"})
WORD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def from_gguf(metadata: Mapping[str, Any], *, file: str = "the GGUF file") -> FastTokenizer:
    """Build the tokenizer from a GGUF file's key-values; Problem where it is damaged or of a kind that is not known."""

    def get(key: str, default: Any = None) -> Any:
        return metadata.get(f"tokenizer.ggml.{key}", default)

    if (kind := get("model")) != "gpt2":
        raise unsupported(file, f"a vocabulary of kind {kind!r} (only byte-level vocabularies, 'gpt2', are read)")
    tokens, merges, pre = get("tokens") or [], get("merges") or [], get("pre", "gpt-2")
    types = get("token_type") or [NORMAL] * len(tokens)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    if not tokens or len(types) != len(tokens) or len(vocabulary) != len(tokens):
        raise broken(file, f"its vocabulary has {len(tokens)} entries of which {len(vocabulary)} differ, and {len(types)} types")
    pairs = [tuple(merge.split(" ")) for merge in merges]
    if wrong := next((pair for pair in pairs if len(pair) != 2 or not {*pair, "".join(pair)} <= vocabulary.keys()), None):
        raise broken(file, f"its vocabulary has no place for the merge {' '.join(wrong)!r}")
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs, ignore_merges=pre in LLAMA3))
    tokenizer.pre_tokenizer, tokenizer.normalizer = cutter(pre, file=file)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token, kind in zip(tokens, types) if kind == CONTROL])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token, kind in zip(tokens, types) if kind == USER_DEFINED])

    names = {role: name_of(tokens, get(f"{key}_token_id"), file=file) for role, key in KEYS.items()}
    around = {"bos": get("add_bos_token", pre in LLAMA3), "eos": get("add_eos_token", False)}
    tokenizer.post_processor = framing(names, vocabulary, {role for role, wanted in around.items() if wanted and names[role]})
    source = metadata.get("tokenizer.chat_template")
    template = ChatTemplate(source, bos=names["bos"] or "", eos=names["eos"] or "") if source else None
    return FastTokenizer(tokenizer, **names, template=template)


KEYS = {"pad": "padding", "bos": "bos", "eos": "eos", "mask": "mask", "unk": "unknown"}


def name_of(tokens: list[str], index: int | None, *, file: str) -> str | None:
    """A special token's text."""
    if index is None:
        return None
    if not 0 <= index < len(tokens):
        raise broken(file, f"its special token {index} is outside the vocabulary of {len(tokens)}")
    return tokens[index]


def cutter(pre: str, *, file: str) -> tuple[pre_tokenizers.PreTokenizer, normalizers.Normalizer | None]:
    """How a text is cut into words, and what is done to it before."""
    if pre in GPT2:
        return pre_tokenizers.ByteLevel(add_prefix_space=False), None
    if pre in SINGLE_DIGITS:
        return pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        ), None
    if pre not in LLAMA3 | QWEN2:
        raise unsupported(file, f"a vocabulary that cuts words as {pre!r}")
    words = Regex(WORD.format(digits="{1,3}" if pre in LLAMA3 else ""))
    steps = [pre_tokenizers.Split(words, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    return pre_tokenizers.Sequence(steps), normalizers.NFC() if pre in QWEN2 else None


def framing(names: dict[str, str | None], vocabulary: Mapping[str, int], around: set[str]) -> processors.PostProcessor:
    """The special tokens around a text. Spans leave a word's space out, as everywhere else."""
    plain = processors.ByteLevel(trim_offsets=True)
    if not around:
        return plain
    special = [(names[role], vocabulary[names[role]]) for role in sorted(around)]
    bos, eos = (f"{names[role]} " if role in around else "" for role in ("bos", "eos"))
    template = processors.TemplateProcessing(
        single=f"{bos}$A {eos}".strip(), pair=f"{bos}$A:0 {bos}$B:1 {eos}".strip(), special_tokens=special
    )
    return processors.Sequence([plain, template])
