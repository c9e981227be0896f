"""Small tokenizers of every kind, trained here and saved as `transformers` saves them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertTokenizerFast,
    GPT2TokenizerFast,
    LlamaTokenizerFast,
    PreTrainedTokenizerBase,
    Qwen2TokenizerFast,
    RobertaTokenizerFast,
    XLMRobertaTokenizerFast,
)

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and nobody minds.",
    "She drank a cup of tea in the morning; it wasn't hot, it was cold!",
    "Paris is the capital of France. Berlin is the capital of Germany. Madrid is in Spain.",
    "In 2024 there were 12,345 people (more or less) who didn't answer: 3.14159 is not a number?",
    "Il était une fois une forêt où les élèves naïfs mangeaient des crêpes.",
    "你好，世界。今天天气很好，我们去公园玩吧！他说：“可以。”",
    "São Paulo é a maior cidade do Brasil; não é a capital.",
    "def main(argument):\n\treturn argument + 1\n\n\nmain(2)",
] * 4

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def wordpiece() -> BertTokenizerFast:
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(CORPUS, trainer)
    return BertTokenizerFast(vocab=tokenizer.get_vocab())


def byte_level(specials: list[str]) -> dict:
    """Vocabulary and merges of a byte-level BPE."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(merge) for merge in model["merges"]]}


def llama() -> LlamaTokenizerFast:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer.train_from_iterator(
        CORPUS[:4], trainers.BpeTrainer(vocab_size=450, special_tokens=tokens, limit_alphabet=60, show_progress=False)
    )
    model = json.loads(tokenizer.to_str())["model"]
    made = LlamaTokenizerFast(vocab=model["vocab"], merges=[tuple(merge) for merge in model["merges"]], add_bos_token=True)
    made.chat_template = "{{ bos_token }}{% for message in messages %}[INST] {{ message['content'] | trim }} [/INST]{% endfor %}"
    return made


def unigram() -> XLMRobertaTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokens = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=tokens, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    pieces = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["vocab"]]
    return XLMRobertaTokenizerFast(vocab=[*pieces, ("<mask>", 0.0)])


def qwen() -> Qwen2TokenizerFast:
    made = Qwen2TokenizerFast(**byte_level(["<|endoftext|>"]))
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.chat_template = CHATML
    return made


MAKERS: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "bert": wordpiece,
    "gpt2": lambda: GPT2TokenizerFast(**byte_level(["<|endoftext|>"])),
    "roberta": lambda: RobertaTokenizerFast(**byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])),
    "llama": llama,
    "qwen2": qwen,
    "xlm-roberta": unigram,
}


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, PreTrainedTokenizerBase]]:
    """A folder with a tokenizer of the kind asked for, and the `transformers` tokenizer that was saved into it."""
    made: dict[str, tuple[Path, PreTrainedTokenizerBase]] = {}

    def get(kind: str) -> tuple[Path, PreTrainedTokenizerBase]:
        if kind not in made:
            folder, tokenizer = tmp_path_factory.mktemp(kind), MAKERS[kind]()
            tokenizer.save_pretrained(folder)
            (folder / "config.json").write_text(json.dumps({"model_type": kind}))
            made[kind] = folder, tokenizer
        return made[kind]

    return get


@pytest.fixture(scope="session")
def spm() -> Callable[..., bytes]:
    """Trains a SentencePiece model; the arguments are the trainer's."""

    def train(**options: object) -> bytes:
        model = io.BytesIO()
        options = {"vocab_size": 260, "hard_vocab_limit": False} | options
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=model, minloglevel=2, **options)
        return model.getvalue()

    return train
