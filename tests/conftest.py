"""Small models of every kind, with random weights and real tokenizers, made here and saved as `transformers` saves them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sentencepiece
import torch
from playwright.sync_api import Browser, sync_playwright
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForPreTraining,
    BertTokenizerFast,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2TokenizerFast,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizerFast,
    MarianConfig,
    MarianMTModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from models.catalogue import Catalogue
from playground.service.playground import Playground

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"

SENTENCES = [
    "The animal didn't cross the street because it was too tired.",
    "She drank a cup of tea in the morning; he ordered coffee and a sandwich.",
    "Paris is the capital of France, and Berlin is the capital of Germany.",
    "It had been raining all night. The streets were still wet in the morning.",
    "Why is the sky blue? Nobody knows, or so the little girl said to her grandmother.",
    "我昨天在图书馆借了三本书。今天下雨了，出门记得带伞。",
    "小猫没有过马路，因为它太累了。中国的首都是北京。",
    "O trem parte amanhã de manhã às sete horas.",
]
POSITIONS = 128


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders by name: "tiny-bert" (masked word, next sentence), "tiny-gpt2", "tiny-llama" (with a chat template), "tiny-marian"."""
    torch.manual_seed(0)
    makers = {"tiny-bert": bert, "tiny-gpt2": gpt2, "tiny-llama": llama, "tiny-marian": marian}
    folders = {}
    for name, make in makers.items():
        folders[name] = tmp_path_factory.mktemp("models") / name
        folders[name].mkdir()
        make(folders[name])
    return folders


@pytest.fixture(scope="session", autouse=True)
def nothing_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Results of tunings that lie on this machine are no business of the tests, nor the other way."""
    folder = tmp_path_factory.mktemp("tuned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("playground.service.playground.kept_folder", lambda: folder)
        yield


@pytest.fixture(scope="session")
def tiny_playground(tiny_models: dict[str, Path]) -> Iterator[Playground]:
    """A service that offers the tiny models and nothing else, on the CPU, without network."""
    catalogue = Catalogue(()).with_operator([f"{name}={folder}" for name, folder in tiny_models.items()])
    with Playground(catalogue, "cpu", offline=True) as playground:
        yield playground


def save(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase | None = None) -> None:
    """Save a model whose answers differ from word to word: fresh weights are so small that every probability would be the same."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0) if parameter.ndim > 1 else parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)


def bert(folder: Path) -> None:
    """An encoder with the heads of both of BERT's training tasks."""
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.normalizer, learner.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    learner.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=600, special_tokens=special, show_progress=False))
    tokenizer = BertTokenizerFast(vocab=learner.get_vocab())
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=POSITIONS,
    )
    save(folder, BertForPreTraining(config), tokenizer)
    keep_record(folder)


def keep_record(folder: Path) -> None:
    """What the folder of a model that this project trained tells about it."""
    both = {"en": "A small one.", "zh": "一个小模型。"}
    facts = {"name": "tiny-bert", "summary": both, "hardware": "one processor", "minutes": 2, "steps": 40, "tokens": 90_000}
    facts |= {"data": {"en": ["some <b>stories</b>"], "zh": ["一些<b>故事</b>"]}, "method": "Masked words.", "limits": ["It is tiny."]}
    text = {"name": "stories/valid.txt", "mlm_top1": 0.412, "mlm_top5": 0.634, "nsp": 0.951, "nsp_same_document": 0.573, "pairs": 500}
    (folder / "card.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps({"texts": [text]}), encoding="utf-8")
    rows = [{"step": n, "seconds": 3.0 * n, "tokens": 9000 * n, "words_loss": 9 / n, "pairs_loss": 0.7 / n} for n in range(1, 11)]
    marks = {"mlm_loss": 4.0, "mlm_top1": 0.2, "mlm_top5": 0.4, "nsp": 0.8, "nsp_same_document": 0.55}
    rows.insert(5, {"step": 5, "seconds": 15.0, "tokens": 45_000} | marks)
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def byte_level(special: list[str]) -> dict:
    """Vocabulary and merges of a byte-level tokenizer."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    learner.train_from_iterator(SENTENCES, trainer)
    learnt = json.loads(learner.to_str())["model"]
    return {"vocab": learnt["vocab"], "merges": [tuple(merge) for merge in learnt["merges"]]}


def gpt2(folder: Path) -> None:
    """A decoder with learned positions."""
    tokenizer = GPT2TokenizerFast(**byte_level(["<|endoftext|>"]))
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS, bos_token_id=0, eos_token_id=0)
    save(folder, GPT2LMHeadModel(config), tokenizer)


def llama(folder: Path) -> None:
    """A decoder with rotary positions, grouped queries and a chat template."""
    learner = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    learner.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=520, special_tokens=special, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]
    tokenizer = LlamaTokenizerFast(vocab=learnt["vocab"], merges=[tuple(merge) for merge in learnt["merges"]], add_bos_token=True)
    tokenizer.chat_template = "{{ bos_token }}{% for message in messages %}[INST] {{ message['content'] | trim }} [/INST]{% endfor %}"
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
    )
    save(folder, LlamaForCausalLM(config), tokenizer)


def marian(folder: Path) -> None:
    """A translator, with the SentencePiece files of an OPUS-MT model."""
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES), model_prefix=str(folder / side), vocab_size=300, hard_vocab_limit=False, minloglevel=2
        )
        (folder / f"{side}.model").rename(folder / f"{side}.spm")
        (folder / f"{side}.vocab").unlink()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = [pieces.id_to_piece(index) for index in range(pieces.get_piece_size())]
    words = ["</s>", "<unk>", *(name for name in names if name not in ("<unk>", "<s>", "</s>")), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}, ensure_ascii=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"source_lang": "zho", "target_lang": "eng", "tokenizer_class": "MarianTokenizer"})
    )
    config = MarianConfig(
        vocab_size=len(words),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        max_position_embeddings=POSITIONS,
        pad_token_id=len(words) - 1,
        decoder_start_token_id=len(words) - 1,
        eos_token_id=0,
        forced_eos_token_id=0,
        scale_embedding=True,
    )
    save(folder, MarianMTModel(config))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests: a process can drive only one at a time."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}; Debian's package chromium brings it")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield started
        started.close()
