"""Translation quality in float32 and in 8 bits, greedy and with beams: what the faster ways cost.

    python -m tests.benchmarks.bleu PAIRS.tsv.xz [--model opus-mt-zh-en] [--source 1] [--target 0] [--beams 1 4]

PAIRS: one pair a line, separated by a tab (plain or .xz). BLEU and chrF as sacrebleu computes them.
"""

import argparse
import sys
from pathlib import Path

import torch

import models
from models.training.corpus import opened
from models.training.translations import scores
from playground.tasks import translate


def read(path: Path) -> list[list[str]]:
    with opened(path) as lines:
        return [line.rstrip("\n").split("\t") for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path, help="tab-separated sentences")
    parser.add_argument("--model", default="opus-mt-zh-en", help="a translation model")
    parser.add_argument("--source", type=int, default=1, help="column of the sentences to translate, from 0")
    parser.add_argument("--target", type=int, default=0, help="column of the translations to compare with")
    parser.add_argument("--language", default="en", help="of the translations; zh is compared by characters")
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4], help="widths of the search")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pairs = read(options.pairs)
    references = [pair[options.target] for pair in pairs]
    for beams in options.beams:
        plain: list[str] = []
        for kind in ("float32", "int8"):
            model = models.load(options.model, dtype=kind)
            requests = [translate.Request(text=pair[options.source], beams=beams) for pair in pairs]
            found = [result.translation for result in translate.run(model, requests)]
            plain = plain or found
            bleu, chrf = scores(found, references, language=options.language).values()
            same = sum(one == other for one, other in zip(plain, found))
            sys.stdout.write(f"{kind}, {beams} beams: BLEU {bleu:.2f}, chrF {chrf:.2f}; {same} of {len(found)} as in float32\n")


if __name__ == "__main__":
    main()
