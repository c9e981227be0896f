"""Back-translation: real text of the target language, with a machine's translation as its source (Sennrich et al. 2016).

  python -m models.training.backtranslate --model opus-mt-zh-en --text wiki_zh.txt.xz --out pairs.tsv.xz --sentences 100000

The translator that learns from it always has true text to write. Stop it when you like: the same command goes on where it stopped.
"""

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from models.catalogue import Catalogue
from models.decode.sentences import split
from models.loading import load_card
from models.model import Model
from models.training.corpus import read_documents
from models.training.parallel import Direction, Filter, Pair, useful, write_pairs
from models.training.translations import translate

BLOCK = 2048  # sentences that are sorted by length, translated, and written down together
SHORTEST, LONGEST = 6, 120  # characters of a Chinese sentence; English ones may have three times as many


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags; see --help."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.backtranslate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", default="opus-mt-zh-en", metavar="NAME", help="translates the text into the other language (default %(default)s)")
    add("--text", type=Path, nargs="+", required=True, metavar="FILE", help="running text, .txt or .txt.xz: documents between blank lines")
    add("--direction", choices=["zh-en", "en-zh"], default="zh-en", help="from the language of the text into which (default %(default)s)")
    add("--out", type=Path, required=True, metavar="FILE", help="pairs of sentences, a line english<TAB>chinese, .tsv or .tsv.xz")
    add("--sentences", type=int, default=100_000, metavar="N", help="translate so many different sentences (default %(default)s)")
    add("--minutes", type=float, help="stop after so much time, with what there is until then")
    add("--tokens", type=int, default=4096, help="padded tokens of a batch; more on a GPU (default %(default)s)")
    add("--block", type=int, default=BLOCK, metavar="N", help="sentences between two savings (default %(default)s)")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to compute (default: the GPU if there is one)")
    add("--int8", action="store_true", help="compute in 8 bits, which is quicker on a CPU and a little less exact")
    add("--bf16", action="store_true", help="compute in 16 bits, which is quicker on a GPU and a little less exact")
    add("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> Counter[str]:
    """Translate what is not translated yet, and write the file of pairs; returns what became of the sentences."""
    asked = options(arguments)
    device = "cuda" if asked.device != "cpu" and torch.cuda.is_available() else "cpu"
    dtype = "int8" if asked.int8 else "bfloat16" if asked.bf16 else None
    model = load_card(Catalogue(allow_hub=True).with_operator([asked.model]).entries()[0], device=device, dtype=dtype)
    work = Work(asked.out.with_name(asked.out.name + ".part"), identity(asked))
    until = time.monotonic() + 60 * asked.minutes if asked.minutes else None
    left = islice(sentences(asked.text, asked.direction), work.done, asked.sentences)
    with tqdm(total=asked.sentences, initial=work.done, disable=asked.quiet, file=sys.stderr, unit=" sentences") as bar:
        while (until is None or time.monotonic() < until) and (block := list(islice(left, asked.block))):
            work.add(zip(block, translate(model.network, model.tokenizer, block, tokens=asked.tokens, limit=limit(model))))
            bar.update(len(block))
    told: Counter[str] = Counter()
    write_pairs(asked.out, useful(work.pairs(asked.direction), kept=Filter(), told=told))
    sys.stdout.write(f"{asked.out.name}: " + ", ".join(f"{count:,} {what}" for what, count in told.most_common()) + "\n")
    return told


def limit(model: Model) -> int:
    """Tokens that are read of a sentence; longer ones were left out before."""
    return min(model.limit, 2 * LONGEST)


def identity(asked: argparse.Namespace) -> dict[str, object]:
    """What makes two runs one work; how many sentences are asked for, and how many at a time, may change."""
    digest = hashlib.sha256()
    for path in asked.text:
        digest.update(path.read_bytes())
    return {"model": asked.model, "direction": asked.direction, "texts": digest.hexdigest()}


def sentences(paths: Iterable[Path], direction: Direction) -> Iterator[str]:
    """The different sentences of all texts, in their order, that are neither very short nor very long."""
    seen: set[int] = set()
    longest = LONGEST if direction == "zh-en" else 3 * LONGEST
    for path in paths:
        for paragraphs in read_documents(path):
            for sentence in (part.strip() for paragraph in paragraphs for part in split(paragraph).sentences):
                mark = hash(sentence)
                if SHORTEST <= len(sentence) <= longest and "\t" not in sentence and mark not in seen:
                    seen.add(mark)
                    yield sentence


class Work:
    """What is translated so far: a line of JSON, then a line `text<TAB>translation` a sentence, and an empty line after each block.

    Where a run was cut off in the middle of a block, that block does not count, and what there is of it is dropped. `done` are sentences.
    """

    def __init__(self, path: Path, identity: dict[str, object]):
        self.path = path
        head = json.dumps(identity) + "\n"
        if not path.exists():
            path.write_text(head, encoding="utf-8")
        with path.open("rb") as lines:
            if lines.readline().decode() != head:
                raise ValueError(f"{path.name} is of another text or model; remove it, or write to another --out")
            self.done, whole, count = 0, lines.tell(), 0
            while line := lines.readline():
                count += line != b"\n"
                if line == b"\n":
                    self.done, whole = count, lines.tell()
        with path.open("r+b") as file:
            file.truncate(whole)

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write down one block."""
        rows = [f"{text}\t{' '.join(said.split())}\n" for text, said in pairs]
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(rows) + "\n")
        self.done += len(rows)

    def pairs(self, direction: Direction) -> Iterator[Pair]:
        """All that is written down."""
        with self.path.open(encoding="utf-8") as lines:
            next(lines)
            for line in lines:
                if line != "\n":
                    text, said = line.rstrip("\n").split("\t")
                    yield Pair(said, text) if direction == "zh-en" else Pair(text, said)


if __name__ == "__main__":
    main()
