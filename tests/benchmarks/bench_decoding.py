"""Translation and generation, word by word: ours against transformers and CTranslate2.

    python -m tests.benchmarks.bench_decoding [--threads 2] [--pairs 7]

Same weights, same threads, one run, greedy, the same number of words: OPUS-MT zh->en on one sentence and on 64 of mixed length, and
SmolLM2-135M on 64 new tokens. "tok/s" counts target words without padding. transformers and CTranslate2 get the 64 sentences as one batch.
"""

import argparse
import sys
from collections.abc import Callable

import ctranslate2
import torch

import models
from models.batching import groups
from models.catalogue import Catalogue
from models.decode.greedy import greedy
from models.decode.steps import collect
from models.model import Model
from models.sources import fetch
from models.tokens import Row, Tokens
from tests.benchmarks.paired import paired
from tests.benchmarks.references import llama_of, marian_of

SENTENCES = (
    "我昨天在图书馆借了三本书。",
    "今天天气很好，我们一起去公园散步吧。",
    "他每天早上六点起床，先跑步，然后吃早饭，再坐地铁去上班。",
    "你好！",
    "这座城市的历史可以追溯到两千多年以前，城墙至今仍然保存完好。",
    "谢谢你的帮助。",
    "如果明天下雨，比赛就会推迟到下个星期六举行。",
    "科学家们发现，这种植物可以在极其干燥的环境中生存好几年。",
)
TRANSLATIONS = 256  # longest translation, in words


def mixed() -> list[str]:
    """64 texts of one to three of the sentences."""
    count = len(SENTENCES)
    return ["".join(SENTENCES[(i * 3 + j) % count] for j in range(1 + i % 3)) for i in range(64)]


def ours(model: Model, rows: list[Row], *, most: int = TRANSLATIONS) -> int:
    """Translate all rows; how many words came out."""
    words = 0
    for places in groups([len(row) for row in rows], tokens=2048, waste=2.0):
        steps = greedy(model.network, model.batch([rows[place] for place in places]), max_new_tokens=most)
        words += sum(len(written.ids) for written in collect(steps, rows=len(places), end_ids=model.config.end_ids))
    return words


def theirs(reference: torch.nn.Module, tokens: Tokens, end: int) -> int:
    """The same through `generate`; the end token and the padding are not counted."""
    ids = reference.generate(tokens.ids, attention_mask=tokens.mask.long(), num_beams=1, do_sample=False, max_new_tokens=TRANSLATIONS)
    return sum(row.index(end) if end in row else len(row) for row in ids[:, 1:].tolist())


def compare(name: str, words: int, mine: Callable[[], object], other: Callable[[], object], pairs: int) -> str:
    timing = paired(mine, other, pairs=pairs, warm=1)
    return f"{timing.line(name, unit=1, name='s')}; {words / timing.ours:.0f} against {words / timing.theirs:.0f} tok/s"


def translation(threads: int, pairs: int) -> list[str]:
    model, small = models.load("opus-mt-zh-en"), models.load("opus-mt-zh-en", dtype="int8")
    reference = marian_of(model.network)
    folder = str(fetch(Catalogue().find("opus-mt-zh-en")))
    engines = {
        kind: ctranslate2.Translator(folder, inter_threads=1, intra_threads=threads, compute_type=kind) for kind in ("float32", "int8")
    }
    lines = []
    for name, texts in (("one sentence", [SENTENCES[2]]), ("64 sentences", mixed())):
        rows = [model.tokenizer.encode(text) for text in texts]
        tokens, pieces = model.batch(rows), [list(row.words[:-1]) for row in rows]  # CTranslate2 adds the end token itself
        words = ours(model, rows)
        counts = {"transformers": theirs(reference, tokens, model.config.end_ids[0]), "ours int8": ours(small, rows)}

        def engine(kind: str, pieces: list[list[str]] = pieces) -> int:
            found = engines[kind].translate_batch(pieces, beam_size=1, max_decoding_length=TRANSLATIONS, max_batch_size=0)
            return sum(len(result.hypotheses[0]) for result in found)

        counts |= {f"CTranslate2 {kind}": engine(kind) for kind in engines}
        lines.append(f"zh->en, {name}: {words} words; {', '.join(f'{who} {count}' for who, count in counts.items())}")
        for who, mine in (("float32", model), ("int8", small)):
            run = lambda mine=mine, rows=rows: ours(mine, rows)  # noqa: E731 - a name for what is timed
            hub = lambda tokens=tokens: theirs(reference, tokens, model.config.end_ids[0])  # noqa: E731 - as above
            lines.append(compare(f"  {who} against transformers", words, run, hub, pairs))
            lines.append(compare(f"  {who} against CTranslate2 {who}", words, run, lambda who=who: engine(who), pairs))
    return lines


def generation(pairs: int, new: int = 64) -> list[str]:
    model = models.load("SmolLM2-135M-Instruct")
    reference = llama_of(model.network)
    row = model.tokenizer.encode("The old lighthouse stood at the end of the island, and every night")
    tokens = model.batch([row])
    settings = {"do_sample": False, "max_new_tokens": new, "min_new_tokens": new, "pad_token_id": 0}
    mine = collect(greedy(model.network, tokens, max_new_tokens=new), rows=1, end_ids=model.config.end_ids)[0].ids
    hub = reference.generate(tokens.ids, attention_mask=tokens.mask.long(), **settings)[0, len(row) :].tolist()
    lines = [f"SmolLM2, {len(mine)} new tokens; the same as transformers: {list(mine) == hub[: len(mine)]}"]
    run = lambda: list(greedy(model.network, tokens, max_new_tokens=new))  # noqa: E731 - a name for what is timed
    other = lambda: reference.generate(tokens.ids, attention_mask=tokens.mask.long(), **settings)  # noqa: E731 - as above
    return [*lines, compare("  float32 against transformers", len(mine), run, other, pairs)]


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads of each")
    parser.add_argument("--pairs", type=int, default=7, help="timed pairs a line")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sys.stdout.write("\n".join([*translation(options.threads, options.pairs), *generation(options.pairs)]) + "\n")


if __name__ == "__main__":
    main()
