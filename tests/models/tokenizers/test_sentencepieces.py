"""SentencePiece tokenizers give the ids of `transformers.MarianTokenizer` and of the SentencePiece library itself."""

import json
from pathlib import Path

import pytest
from transformers import MarianTokenizer

from models.errors import Problem
from models.tokenizers import from_folder, sentencepieces
from models.tokenizers.sentencepieces import SentencePieceTokenizer

pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
TEXTS = ["The quick brown fox.", "  two  spaces\tand\nlines ", "你好，世界。 naïve 😀 ½", "São Paulo é 3.14", "", "xyzß"]


@pytest.fixture(scope="module")
def marian(spm, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MarianTokenizer]:
    """A folder as the hub has it: two SentencePiece files and a vocabulary in an order of its own, which lacks some pieces."""
    folder = tmp_path_factory.mktemp("marian")
    pieces: set[str] = set()
    for number, name in enumerate(("source.spm", "target.spm")):
        (folder / name).write_bytes(spm(model_type="bpe" if number else "unigram", character_coverage=1.0))
        processor = sentencepieces.load(folder / name)
        pieces |= {processor.id_to_piece(index) for index in range(processor.vocab_size())}
    names = ["</s>", "<unk>", ">>fra<<", ">>zh_cn<<", *sorted(pieces - {"<s>", "</s>", "<unk>", "▁fox", "x"}), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: index for index, name in enumerate(names)}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"source_lang": "eng", "target_lang": "fra"}))
    return folder, MarianTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("text", [*TEXTS, ">>fra<< The fox", ">>zh_cn<<The fox", "The >>fra<< fox"])
def test_source_and_target_are_those_of_transformers(marian, text: str) -> None:
    folder, theirs = marian
    mine = from_folder(folder, "marian")
    assert list(mine.encode(text).ids) == theirs(text)["input_ids"]
    if not text.startswith(">>"):
        assert list(mine.encode_target(text).ids) == theirs(text_target=text)["input_ids"]
    assert (mine.eos_id, mine.unk_id, mine.pad_id) == (theirs.eos_token_id, theirs.unk_token_id, theirs.pad_token_id)
    assert mine.vocab_size == theirs.vocab_size


@pytest.mark.parametrize("text", TEXTS)
def test_decoded_text_is_that_of_transformers(marian, text: str) -> None:
    folder, theirs = marian
    mine = from_folder(folder, "marian")
    ids = mine.encode_target(text).ids
    assert mine.decode(ids) == theirs.decode(ids, skip_special_tokens=True)
    assert mine.decode([]) == "" and mine.decode([mine.eos_id, mine.pad_id]) == ""


def test_a_language_code_that_the_model_does_not_know_is_plain_text(marian) -> None:
    mine = from_folder(marian[0], "marian")
    assert mine.encode(">>fra<< fox").words[0] == ">>fra<<"
    assert mine.encode(">>fra<< fox").spans[0] == (0, 7)
    assert mine.unk_id not in mine.encode(">>fra<< dog").ids
    assert len(mine.encode(">>xxx<< fox", special=False)) > 2


def test_separate_vocabularies_are_kept_apart(marian, tmp_path: Path) -> None:
    for file in marian[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    vocabulary = json.loads((tmp_path / "vocab.json").read_text())
    turned = {piece: index if index < 2 or piece == "<pad>" else len(vocabulary) - index for piece, index in vocabulary.items()}
    (tmp_path / "target_vocab.json").write_text(json.dumps(turned))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"separate_vocabs": True, "target_vocab_file": "target_vocab.json"}))
    theirs, mine = MarianTokenizer.from_pretrained(tmp_path), from_folder(tmp_path, "marian")
    for text in TEXTS:
        source, target = mine.encode(text), mine.encode_target(text)
        assert list(source.ids) == theirs(text)["input_ids"]
        assert list(target.ids) == theirs(text_target=text)["input_ids"]
        assert mine.decode(target.ids) == theirs.decode(target.ids, skip_special_tokens=True)
        assert mine.words(target.ids) == target.words


@pytest.fixture(scope="module")
def opus(spm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opus")
    (folder / "sentencepiece.model").write_bytes(spm(character_coverage=1.0))
    processor = sentencepieces.load(folder / "sentencepiece.model")
    pieces = {processor.id_to_piece(index) for index in range(processor.vocab_size())} - {"</s>", "<unk>", "<s>"}
    (folder / "shared_vocabulary.json").write_text(json.dumps(["</s>", "<unk>", *sorted(pieces)]))
    return folder


def test_a_packed_opus_folder_looks_pieces_up_in_its_list(opus: Path) -> None:
    mine = from_folder(opus, "marian")
    listed = json.loads((opus / "shared_vocabulary.json").read_text())
    processor = sentencepieces.load(opus / "sentencepiece.model")
    row = mine.encode("The quick fox 😀", limit=50)
    assert [listed[index] for index in row.ids] == [*processor.encode("The quick fox", out_type=str), "▁", "<unk>", "</s>"]
    assert (mine.eos_id, mine.unk_id, mine.pad_id, mine.bos_id, mine.before_id, mine.mask_id) == (0, 1, None, None, None, None)
    assert mine.decode(row.ids) == "The quick fox"


@pytest.fixture(scope="module")
def student(spm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    model = spm(model_type="bpe", byte_fallback=True, character_coverage=0.98, eos_id=0, unk_id=1, bos_id=-1, vocab_size=420)
    (folder / "vocab.enpt.spm").write_bytes(model)
    return folder


def test_a_student_has_the_ids_of_its_file(student: Path) -> None:
    mine, processor = from_folder(student, "student"), sentencepieces.load(student / "vocab.enpt.spm")
    for text in TEXTS:
        assert list(mine.encode(text).ids) == [*processor.encode(text), 0]
        assert mine.decode(mine.encode(text).ids) == processor.decode(processor.encode(text)).strip()
    assert mine.eos_id == 0 and mine.vocab_size == processor.vocab_size()


def test_the_bytes_of_a_rare_character_are_readable(student: Path) -> None:
    words = from_folder(student, "student").encode("fox 😀").words
    assert words[-5:] == ("‹F0›", "‹9F›", "‹98›", "😀", "</s>")


@pytest.mark.parametrize("name", ["</s>", "<unk>", "<s>", "<pad>", "<0x41>"])
def test_a_special_token_that_someone_types_is_plain_text(marian, opus: Path, student: Path, name: str) -> None:
    for folder in (marian[0], opus, student):
        mine = from_folder(folder, "")
        row = mine.encode(f"dog {name} dog", special=False)
        assert not {mine.eos_id, mine.pad_id} & set(row.ids)
        assert len(row) > 4


def test_a_piece_that_spells_a_special_token_is_an_unknown_word(spm, tmp_path: Path) -> None:
    for name in ("source.spm", "target.spm"):
        (tmp_path / name).write_bytes(spm(user_defined_symbols=["<pad>"]))
    processor = sentencepieces.load(tmp_path / "source.spm")
    names = [processor.id_to_piece(index) for index in range(processor.vocab_size())]
    (tmp_path / "vocab.json").write_text(json.dumps({name: index for index, name in enumerate(names)}))
    mine = from_folder(tmp_path, "marian")
    row = mine.encode("dog <pad> dog")
    assert "<pad>" in processor.encode("dog <pad> dog", out_type=str)
    assert mine.pad_id not in row.ids and mine.unk_id in row.ids


def test_a_limit_cuts_and_keeps_the_end_token(opus: Path) -> None:
    mine = from_folder(opus, "marian")
    whole, row = mine.encode("The quick brown fox jumps"), mine.encode("The quick brown fox jumps", limit=4)
    assert row.ids == (*whole.ids[:3], mine.eos_id) and row.cut == len(whole) - 4
    assert mine.encode("fox " * 100_000, limit=10).cut == pytest.approx(len(mine.encode("fox " * 100_000)) - 10, rel=0.01)


def test_spans_are_places_in_the_text_also_after_a_language_code(marian) -> None:
    text = ">>fra<< São Paulo é 你好 ½"
    row = from_folder(marian[0], "marian").encode(text)
    for word, span in zip(row.words[1:-1], row.spans[1:-1]):
        assert span[0] + 1 >= 8 and span[0] <= span[1] <= len(text)
        if word.strip("▁").isalpha():
            assert text[slice(*span)].strip() == word.strip("▁")
    assert row.spans[-1] is None


def test_a_pair_is_refused(opus: Path) -> None:
    with pytest.raises(ValueError, match="one text, not a pair"):
        from_folder(opus, "marian").encode("a", "b")


def test_damaged_files_are_refused_in_one_sentence(opus: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab.enpt.spm").write_bytes(b"no model")
    with pytest.raises(Problem, match="not a SentencePiece model"):
        from_folder(tmp_path, "student")
    (tmp_path / "vocab.enpt.spm").unlink()
    (tmp_path / "shared_vocabulary.json").write_text('["a", "b"]')
    (tmp_path / "sentencepiece.model").write_bytes((opus / "sentencepiece.model").read_bytes())
    with pytest.raises(Problem, match="no '</s>'"):
        from_folder(tmp_path, "marian")


def test_chat_and_masks_are_not_for_translation_models(opus: Path) -> None:
    mine: SentencePieceTokenizer = from_folder(opus, "marian")
    assert mine.chat("hi") is None and mine.encode_chat("hi") is None
    assert mine.piece_id(",") is not None and mine.piece_id("</s>") is None and mine.piece_id("\ud800") is None
