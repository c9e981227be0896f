"""Have a larger model say what it thinks of texts: how good, how dull, how useful something was.

  python -m models.training.opinions --texts wiki.txt.xz@30000+6000 novels.txt.xz@24000+10000 --out opinions.jsonl

A small network that guesses the hidden words of an encyclopedia hardly learns who is pleased and who is not. A language model of more
words knows: behind each text stands "It was", or another such beginning, and its scores of some words of praise and blame are noted.
`models.training.bert --opinions opinions.jsonl` learns them where it reads [MASK] (knowledge distillation, Hinton et al. 2015).
Of a corpus, so many sentences that are likely to say what somebody likes are drawn by chance, and so many (+) others.
Stop it when you like: the same command goes on where it stopped.
"""

import argparse
import itertools
import json
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from models.decode.sentences import split
from models.model import Model
from models.training import teacher
from models.training.corpus import read_documents
from models.training.notes import Notes
from models.training.opinion_words import BLAME, ENDINGS, PRAISE, TELLING
from models.training.texts import label

BEFORE = "Review: "  # with it, the larger model takes what follows for an opinion more often
SHORTEST, LONGEST = 6, 32  # words of a text
SORTED = 512  # texts of like length are read together, out of so many


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags; see --help."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.opinions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--texts", nargs="+", required=True, metavar="FILE@N+M", help="running text (.txt or .txt.xz), N telling sentences of it, M others")
    add("--out", type=Path, required=True, metavar="FILE", help="the opinions, a line of JSON each")
    add("--minutes", type=float, help="stop this run after so much time, with what there is by then")
    add("--seed", type=int, default=1, help="the same seed draws the same sentences (default %(default)s)")
    add("--batch", type=int, default=32, help="texts read side by side (default %(default)s)")
    teacher.flags(add, does="is asked")
    asked = parser.parse_args(arguments)
    if asked.batch < 1:
        parser.error(f"--batch must be 1 or more, got {asked.batch}")
    try:
        asked.texts = [counted(name) for name in asked.texts]
    except ValueError as error:
        parser.error(str(error))
    return asked


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Ask about every text, or until the time is over; tell how many were answered."""
    asked = options(arguments)
    model, precision = teacher.teacher(asked)
    run = {"model": model.name, "precision": precision, "seed": asked.seed, "before": BEFORE, "endings": ENDINGS}
    run |= {"praise": [word for word in PRAISE if len(pieces(model, word)) == 1]}
    run |= {"blame": [word for word in BLAME if len(pieces(model, word)) == 1]}
    run |= {"texts": [[label(path), *counts] for path, *counts in asked.texts]}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    notes = Notes(asked.out, json.loads(json.dumps(run)))
    questions = list(draw(asked.texts, seed=asked.seed))
    words = [pieces(model, word)[0] for word in (*run["praise"], *run["blame"])]
    began, before = time.monotonic(), len(notes.records)
    with tqdm(total=len(questions), initial=before, unit=" texts", file=sys.stderr) as bar:
        for start in range(0, len(questions), SORTED):
            if asked.minutes is not None and time.monotonic() - began > 60 * asked.minutes:
                break
            left = [one for one in questions[start : start + SORTED] if one["number"] not in notes.done]
            left.sort(key=lambda one: len(one["text"]))
            for first in range(0, len(left), asked.batch):
                asked_now = left[first : first + asked.batch]
                scores = ask(model, [f"{BEFORE}{one['text']} {ENDINGS[one['ending']]}" for one in asked_now], words)
                notes.add(one | {"scores": row} for one, row in zip(asked_now, scores))
                bar.update(len(asked_now))
    found = {"texts": len(notes.records), "texts_a_second": round((len(notes.records) - before) / (time.monotonic() - began), 1)}
    sys.stdout.write(json.dumps(found) + "\n")
    return found


def counted(name: str) -> tuple[Path, int, int]:
    """ "wiki.txt.xz@300+60" asks for 300 telling sentences of a file and 60 others."""
    found = re.fullmatch(r"(.+)@(\d+)\+(\d+)", name)
    if found is None:
        raise ValueError(f"how many sentences of {name}? write {name}@TELLING+OTHERS")
    return Path(found[1]), int(found[2]), int(found[3])


def draw(texts: Sequence[tuple[Path, int, int]], *, seed: int) -> Iterator[dict[str, Any]]:
    """The sentences, in an order of chance, each with its number and with what stands behind it."""
    rng = random.Random(seed)
    found = []
    for path, telling, others in texts:
        piles: tuple[list[str], list[str]] = ([], [])
        for sentence in sentences(path):
            piles[TELLING.search(sentence) is None].append(sentence)
        found += [sentence for pile, count in zip(piles, (telling, others)) for sentence in rng.sample(pile, min(count, len(pile)))]
    rng.shuffle(found)
    return ({"number": number, "text": text, "ending": rng.randrange(len(ENDINGS))} for number, text in enumerate(found))


def sentences(path: Path) -> Iterator[str]:
    """Those of a text that are neither very short nor very long; a document as short as that is taken as a whole."""
    for document in read_documents(path):
        short = len(document) == 1 and fits(document[0])
        parts = document if short else itertools.chain.from_iterable(split(paragraph).sentences for paragraph in document)
        yield from (part.strip() for part in parts if fits(part))


def fits(text: str) -> bool:
    """Whether it is neither very short nor very long."""
    return SHORTEST <= len(text.split()) <= LONGEST


def pieces(model: Model, word: str) -> list[int]:
    """A word as it stands behind another."""
    return list(model.tokenizer.encode(f" {word}", special=False).ids)


@torch.inference_mode()
def ask(model: Model, texts: Sequence[str], words: Sequence[int]) -> list[list[float]]:
    """The scores (logits, to two places) of these words behind each text."""
    tokens = model.batch([model.tokenizer.encode(text) for text in texts], side="left")
    last = torch.full((len(texts), 1), tokens.ids.shape[1] - 1, device=model.device)
    logits = model.network.logits(model.network.decode(tokens, only=last))[:, 0]
    return [[round(score, 2) for score in row] for row in logits[:, list(words)].float().tolist()]


if __name__ == "__main__":
    main()
