"""The wrapper gives the ids of `transformers`, readable words and true spans, and takes nothing that is typed for a special token."""

import json
import shutil
import time
import unicodedata
from pathlib import Path

import pytest

from models.errors import Problem
from models.tokenizers import from_folder
from models.tokenizers.fast import FastTokenizer
from models.tokenizers.frames import frames

KINDS = ["bert", "gpt2", "roberta", "llama", "qwen2", "xlm-roberta"]
TEXTS = [
    "The quick brown fox.",
    "  two  spaces, a\ttab\nand a line ",
    "你好，世界。Zoë's naïve 😀👩‍👩‍👧 ünïcödé",
    "12345 3.14 don't WON'T",
    "",
    "e\u0301 עברית \u202eabc\u202c ﬁ ½",
]


def ours(saved, kind: str) -> FastTokenizer:
    return from_folder(saved(kind)[0], kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_ids_and_decoded_text_are_those_of_transformers(saved, kind: str, text: str) -> None:
    theirs, mine = saved(kind)[1], ours(saved, kind)
    row = mine.encode(text)
    assert list(row.ids) == theirs(text)["input_ids"]
    assert list(mine.encode(text, special=False).ids) == theirs(text, add_special_tokens=False)["input_ids"]
    assert mine.decode(row.ids) == theirs.decode(row.ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert [int(special) for special in row.special] == theirs(text, return_special_tokens_mask=True)["special_tokens_mask"]


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta"])
@pytest.mark.parametrize("limit", [None, 30, 21, 20, 13, 8, 5, 4])
def test_pairs_are_framed_and_cut_as_in_transformers(saved, kind: str, limit: int | None) -> None:
    theirs, mine = saved(kind)[1], ours(saved, kind)
    for first, second in [(TEXTS[0], TEXTS[3]), (TEXTS[3] * 3, "a"), ("a", TEXTS[0] * 3), (TEXTS[0] * 3, TEXTS[3] * 3)]:
        row = mine.encode(first, second, limit=limit)
        cut = {} if limit is None else {"truncation": "longest_first", "max_length": limit}
        expected = theirs(first, second, return_token_type_ids=True, **cut)
        assert list(row.ids) == expected["input_ids"]
        assert list(row.segments) == expected["token_type_ids"]
        assert row.cut == len(theirs(first, second)["input_ids"]) - len(row)


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_cuts_the_text_and_keeps_the_special_tokens(saved, kind: str) -> None:
    theirs, mine = saved(kind)[1], ours(saved, kind)
    whole, row = mine.encode(TEXTS[0] * 5), mine.encode(TEXTS[0] * 5, limit=7)
    assert len(row) == 7 and row.cut == len(whole) - 7
    assert list(row.ids) == theirs(TEXTS[0] * 5, truncation=True, max_length=7)["input_ids"]
    assert mine.encode("fox", limit=100).cut == 0
    if sum(row.special):
        with pytest.raises(ValueError, match="limit of 0"):
            mine.encode("fox", limit=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_special_token_that_someone_types_is_plain_text(saved, kind: str) -> None:
    mine = ours(saved, kind)
    names = ["[SEP]", "[CLS]", "[PAD]", "[UNK]", "<s>", "</s>", "<pad>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "[mask]", "<MASK>"]
    for name in names:
        text = f"a {name} b{name}"
        row = mine.encode(text)
        content = {index for index, special in zip(row.ids, row.special) if not special}
        assert not content & mine.hidden, name
        if kind in {"gpt2", "llama", "qwen2"}:
            assert mine.decode(row.ids) == text


@pytest.mark.parametrize(("kind", "mask"), [("bert", "[MASK]"), ("roberta", "<mask>"), ("xlm-roberta", "<mask>")])
def test_mask_in_brackets_and_the_models_own_spelling_are_the_mask_token(saved, kind: str, mask: str) -> None:
    theirs, mine = saved(kind)[1], ours(saved, kind)
    for text in ["The {} fox", "{}", "{}{} of {}.", "fox{}fox"]:
        expected = theirs(text.replace("{}", mask))["input_ids"]
        for spelling in ("[MASK]", mask):
            row = mine.encode(text.replace("{}", spelling))
            assert list(row.ids) == expected
            assert [row.words[i] for i, index in enumerate(row.ids) if index == mine.mask_id] == [mask] * text.count("{}")
            places = [span for span, index in zip(row.spans, row.ids) if index == mine.mask_id]
            assert [text.replace("{}", spelling)[a:b] for a, b in places] == [spelling] * text.count("{}")
    assert mine.mask_id not in mine.encode("[mask] [Mask] [MASK").ids


def test_a_mask_that_swallows_the_space_before_it_does_so(saved, tmp_path: Path) -> None:
    folder = saved("roberta")[0]
    shutil.copytree(folder, tmp_path / "copy")
    file = tmp_path / "copy" / "tokenizer.json"
    state = json.loads(file.read_text())
    next(token for token in state["added_tokens"] if token["content"] == "<mask>")["lstrip"] = True
    file.write_text(json.dumps(state))
    row = from_folder(tmp_path / "copy", "roberta").encode("The [MASK] fox")
    before = ours(saved, "roberta").encode("The", special=False).words
    assert row.words == ("<s>", *before, "<mask>", "▁fox", "</s>")
    assert row.spans[-3:] == ((4, 10), (11, 14), None)


def test_a_model_without_a_mask_reads_mask_as_text(saved) -> None:
    mine = ours(saved, "gpt2")
    assert mine.mask_id is None
    assert mine.decode(mine.encode("a [MASK] b").ids) == "a [MASK] b"


@pytest.mark.parametrize("kind", KINDS)
def test_spans_are_places_in_the_text(saved, kind: str) -> None:
    text = "The fox 你好 don't, 3.14 [MASK] naïve 😀"
    row = ours(saved, kind).encode(text, "fox" if kind == "bert" else None)
    previous = 0
    for word, special, span, segment in zip(row.words, row.special, row.spans, row.segments):
        assert (span is None) == special
        if span is not None and segment == 0:
            assert 0 <= span[0] <= span[1] <= len(text) and span[0] >= previous
            previous = span[0]
            plain = word.replace("##", "").replace("▁", "")
            place = unicodedata.normalize("NFD", text[slice(*span)].strip()).encode("ascii", "ignore").decode()
            if place.isalpha() and plain and plain.isascii() and "unk" not in word.lower():
                assert place.lower() == plain.lower()


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_ends_in_the_end_token(saved, kind: str) -> None:
    mine = ours(saved, kind)
    row = mine.encode_target("The fox", limit=50)
    assert row.ids == (*mine.encode("The fox", special=False).ids, *(() if mine.eos_id is None else (mine.eos_id,)))
    assert (kind == "bert") == (mine.eos_id is None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_readable_piece_leads_back_to_its_id(saved, kind: str) -> None:
    mine = ours(saved, kind)
    row = mine.encode("The quick fox minds", special=False)
    for word, index in zip(row.words, row.ids):
        assert mine.piece_id(word) == (None if index == mine.unk_id else index)
    for name in [*mine.markers, "no such piece", "", "\ud800"]:
        found = mine.piece_id(name)
        assert found is None or found not in mine.hidden


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_character_that_is_not_complete_yet_is_left_out_of_the_text(saved, kind: str) -> None:
    mine = ours(saved, kind)
    ids = mine.encode("fox 😀", special=False).ids
    texts = [mine.decode(ids[:length]) for length in range(1, len(ids) + 1)]
    assert texts[-1] == "fox 😀"
    assert not any("\ufffd" in text for text in texts)
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:]))


def test_lone_surrogates_become_question_marks_and_keep_their_place(saved) -> None:
    for kind in KINDS:
        row = ours(saved, kind).encode("a\ud83d fox\udfff")
        assert not any("\ufffd" in word for word in row.words)
        assert max(span[1] for span in row.spans if span) == 7


def test_a_very_long_text_is_cut_by_characters_first_and_the_rest_is_estimated(saved) -> None:
    mine = ours(saved, "bert")
    row = mine.encode("fox " * 200_000, limit=16)
    assert len(row) == 16
    assert row.cut == pytest.approx(200_000 * len(mine.encode("fox", special=False)), rel=0.01)
    assert mine.encode("fox " * 50_000).cut == 0, "without a limit nothing is cut"


@pytest.mark.parametrize("kind", KINDS)
def test_a_bare_tokenizer_file_is_enough(saved, kind: str, tmp_path: Path) -> None:
    shutil.copy(saved(kind)[0] / "tokenizer.json", tmp_path)
    whole, bare = ours(saved, kind), from_folder(tmp_path, kind)
    assert bare.encode("The [MASK] fox").ids == whole.encode("The [MASK] fox").ids
    assert (bare.mask_id, bare.eos_id) == (whole.mask_id, whole.eos_id)


@pytest.mark.parametrize(("kind", "files"), [("bert", ["vocab.txt"]), ("gpt2", ["vocab.json", "merges.txt"])])
def test_older_files_are_converted(saved, kind: str, files: list[str], tmp_path: Path) -> None:
    folder = saved(kind)[0]
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    if kind == "bert":
        (tmp_path / "vocab.txt").write_text("\n".join(sorted(model["vocab"], key=model["vocab"].get)), encoding="utf-8")
    else:
        (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]))
        (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(merge) for merge in model["merges"]), encoding="utf-8")
    shutil.copy(folder / "config.json", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*files, "config.json"])
    for text in TEXTS[:4]:
        assert from_folder(tmp_path, kind).encode(text).ids == from_folder(folder, kind).encode(text).ids


def test_padding_and_truncation_in_the_file_are_ignored(saved, tmp_path: Path) -> None:
    state = json.loads((saved("bert")[0] / "tokenizer.json").read_text())
    state["truncation"] = {"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    state["padding"] = {
        "strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(state))
    assert from_folder(tmp_path, "bert").encode(TEXTS[0]).ids == ours(saved, "bert").encode(TEXTS[0]).ids


@pytest.mark.parametrize("content", [None, "{", "[]", '{"version": "1.0"}'])
def test_a_folder_without_a_sound_tokenizer_is_refused_in_one_sentence(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(Problem) as caught:
        from_folder(tmp_path, "bert")
    assert caught.value.key == "broken_weights"


def test_special_tokens_around_a_text_in_an_unknown_way_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown way: 'Riddle'"):
        frames({"type": "Riddle"})


def test_a_control_token_that_the_file_does_not_call_special_is_plain_text_too(saved, tmp_path: Path) -> None:
    shutil.copytree(saved("qwen2")[0], tmp_path / "copy")
    file = tmp_path / "copy" / "tokenizer.json"
    state = json.loads(file.read_text())
    index = max(token["id"] for token in state["added_tokens"]) + 1
    like = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    state["added_tokens"] += [{"id": index, "content": "<tool_call>", **like}, {"id": index + 1, "content": "    ", **like}]
    file.write_text(json.dumps(state))
    mine = from_folder(tmp_path / "copy", "qwen2")
    row = mine.encode("a<tool_call>b    c")
    assert index not in row.ids and index + 1 in row.ids, "a run of spaces is an ordinary word of the vocabulary"
    assert mine.decode(row.ids) == "a<tool_call>b    c"
    assert mine.decode([index, *row.ids]) == "<tool_call>a<tool_call>b    c", "what the model writes itself is kept"


@pytest.mark.parametrize("unit", ["a", "你", "hello world ", "😀", " ", "[MASK]", "a\u0301", ".", "1", "\n", "</s>", "\ud800", "'s "])
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_thousand_characters_of_anything_take_well_under_a_second(saved, kind: str, unit: str) -> None:
    mine, text = ours(saved, kind), unit * (100_000 // len(unit))
    start = time.process_time()
    row = mine.encode(text, limit=512)
    assert time.process_time() - start < 2, "the time must not grow with the square of the length"
    assert len(row) <= 512 and (row.cut > 0 or len(row) < 512)
