"""Real translation weights: the students against their own engine, OPUS-MT against transformers, and alignments that make sense."""

import json
from pathlib import Path

import pytest
import torch
from test_real_weights_parity import WORDS, marian_of

import models
from models.catalogue import Catalogue
from models.checkpoints.ctranslate2_files import CTranslate2File
from models.model import Model
from models.sources import fetch
from playground.tasks import generate, translate

pytestmark = pytest.mark.weights
GOLDENS = json.loads((Path(__file__).parent / "goldens" / "students.json").read_text(encoding="utf-8"))
CHINESE = ["我昨天在图书馆借了三本书。", "今天下雨了，出门记得带伞！", "他每天早上六点起床，先跑步，然后吃早饭。", "你好！"]
MORE = ["中国的首都是北京。", "小猫没有过马路，因为它太累了。", "这座城市有一千万人口。", "火车明天早上七点出发。"]


@pytest.fixture(scope="module")
def opus() -> Model:
    return models.load("opus-mt-zh-en")


@pytest.mark.parametrize("name", ["firefox-en-pt", "firefox-pt-en"])
def test_thirty_translations_are_those_of_the_students_own_engine(name: str) -> None:
    pairs = GOLDENS[name]
    assert len(pairs) == 30
    model = models.load(name)
    together = translate.run(model, [translate.Request(text=source) for source, _ in pairs])
    assert [result.translation for result in together] == [wanted for _, wanted in pairs]
    assert translate.run(model, [translate.Request(text=pairs[7][0])])[0].translation == pairs[7][1]


@pytest.mark.parametrize("beams", [1, 4])
def test_opus_mt_translates_as_transformers_does(opus: Model, beams: int) -> None:
    with CTranslate2File(fetch(Catalogue().find("opus-mt-zh-en")) / "model.bin") as stored:
        reference = marian_of(stored)
    results = translate.run(opus, [translate.Request(text=text, beams=beams, alternatives=beams - 1) for text in CHINESE])
    for text, result in zip(CHINESE, results):
        given = dict(num_beams=beams, num_return_sequences=beams, do_sample=False, max_new_tokens=64, forced_eos_token_id=None)
        out = reference.generate(torch.tensor([opus.tokenizer.encode(text).ids]), bad_words_ids=[[WORDS]], **given)
        texts = list(dict.fromkeys(opus.tokenizer.decode([word for word in ids if word not in (0, WORDS)]) for ids in out.tolist()))
        assert [result.translation, *(way.text for way in result.alternatives)] == texts


def looked_at(sentence: translate.Sentence, target: str) -> str:
    """The source word that a target word looked at most."""
    return sentence.source_words[sentence.alignment[sentence.target_words.index(target)].argmax()]


def test_names_and_numbers_look_at_themselves(opus: Model) -> None:
    text = "2015年，Microsoft 公司在北京招聘了 370 名工程师。"
    [sentence] = translate.run(opus, [translate.Request(text=text)])[0].sentences
    for word in ("2015", "Microsoft", "370"):
        place = next(place for place, piece in enumerate(sentence.target_words) if word in piece)
        assert sentence.source_words[sentence.alignment[place].argmax()].strip("▁") == word
    beijing = next(word for word in sentence.target_words if "Beijing" in word)
    assert "北京" in looked_at(sentence, beijing)
    student = models.load("firefox-en-pt")
    [sentence] = translate.run(student, [translate.Request(text="Mary bought 12 red apples in Lisbon.")])[0].sentences
    for portuguese, english in (("▁maçã", "▁apple"), ("▁vermelha", "▁red"), ("▁12", "▁12"), ("▁Lisboa", "▁Lisbon")):
        assert looked_at(sentence, portuguese) == english


def test_eight_bits_translate_nearly_the_same(opus: Model) -> None:
    small = models.load("opus-mt-zh-en", dtype="int8")
    assert small.n_bytes < 0.5 * opus.n_bytes and small.n_parameters == opus.n_parameters
    requests = [translate.Request(text=text) for text in CHINESE + MORE]
    plain, rounded = (translate.run(model, requests) for model in (opus, small))
    assert sum(one.translation == other.translation for one, other in zip(plain, rounded)) >= 5


def test_smollm2_writes_sense_and_stops() -> None:
    model = models.load("SmolLM2-135M-Instruct")
    capital, count = generate.run(
        model,
        [
            generate.Request(prompt="What is the capital of France?", temperature=0),
            generate.Request(prompt="Reply with the single word: yes", temperature=0, max_new_tokens=40),
        ],
    )
    assert "Paris" in capital.text and capital.finished and capital.steps[-1].finished
    assert count.text.strip()
    assert "<|im_end|>" not in capital.text + count.text
