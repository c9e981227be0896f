"""Have a small language model write a corpus of everyday English: stories, talk, meanings, things, habits, reviews.

  python -m models.training.everyday --out everyday.txt.xz --tokens 100000
  python -m models.training.everyday --make-words --novels books.txt.xz --articles wiki.txt.xz       (makes assets/common_words_en.txt)

Encyclopedias and novels hardly say what everybody knows. Each text is about common words drawn at random, so that no two are alike.
All that was written is kept beside the corpus (everyday.jsonl: number, kind, prompt, seed, text); the corpus is what passes the sieve.
Stop it when you like: the same command goes on where it stopped. The result is the same.
"""

import argparse
import hashlib
import itertools
import json
import lzma
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from models.decode.sample import Sampling, sample
from models.decode.steps import collect
from models.model import Model
from models.training import teacher
from models.training.common_words import WORDS, make_words, read_words
from models.training.everyday_kind import Kind
from models.training.everyday_kinds import KINDS
from models.training.everyday_prompts import Page, page
from models.training.everyday_words import FAMILY, NAMES, PEOPLE, PLACES, REVIEWED, THINGS, TIMES
from models.training.measure import read_clozes
from models.training.notes import Notes
from models.training.sieve import Sieve

DRAW = {"temperature": 0.6, "top_k": 50, "top_p": 0.9}


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags; see --help."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.everyday", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, metavar="FILE", help="the corpus, .txt or .txt.xz; what was written goes beside it as .jsonl")
    add("--tokens", type=int, default=100_000, help="stop when so many tokens have passed the sieve (default %(default)s)")
    add("--minutes", type=float, help="stop this run after so much time, with what there is by then")
    add("--seed", type=int, default=1, help="the same seed gives the same texts (default %(default)s)")
    add("--words", type=Path, default=WORDS, metavar="FILE", help="words to write about (default assets/common_words_en.txt)")
    add("--batch", type=int, default=48, help="texts written side by side (default %(default)s)")
    teacher.flags(add, does="writes")
    add("--kinds", nargs="+", choices=[kind.name for kind in KINDS], metavar="KIND", help="only these: %(choices)s (default: all)")
    add("--temperature", type=float, default=DRAW["temperature"], help="how freely words are drawn (default %(default)s)")
    add("--make-words", action="store_true", help="instead of all this, count the words of --novels and --articles and write --words")
    for name in ("--novels", "--articles"):
        add(name, type=Path, nargs="+", default=[], metavar="FILE", help="with --make-words: text in the layout of a corpus")
    asked = parser.parse_args(arguments)
    if asked.make_words and not (asked.novels and asked.articles):
        parser.error("--make-words needs --novels and --articles: texts to count words in")
    if not asked.make_words and asked.out is None:
        parser.error("--out is needed: the file to write")
    if asked.batch < 1:
        parser.error(f"--batch must be 1 or more, got {asked.batch}")
    return asked


def main(arguments: Sequence[str] | None = None) -> dict[str, Any] | None:
    """Write until there is enough, then put the corpus together and tell what was dropped."""
    asked = options(arguments)
    if asked.make_words:
        make_words(asked.novels, asked.articles, out=asked.words)
        return None
    words, kinds = read_words(asked.words), [kind for kind in KINDS if kind.name in (asked.kinds or [kind.name])]
    model, precision = teacher.teacher(asked)
    run = {
        "model": model.name,
        "precision": precision,
        "seed": asked.seed,
        "batch": asked.batch,
        "draw": DRAW | {"temperature": asked.temperature},
        "about": digest(words, kinds),
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    stop_ids = line_ends(model)
    notes = Notes(asked.out.with_name(asked.out.name.split(".")[0] + ".jsonl"), run)
    pile, written, began = Pile(model), 0, time.monotonic()
    pile.put(notes.records)
    with tqdm(total=asked.tokens, initial=pile.tokens, unit=" tokens", file=sys.stderr) as bar:
        for number in itertools.count():
            if pile.tokens >= asked.tokens or asked.minutes is not None and time.monotonic() - began > 60 * asked.minutes:
                break
            sheet = page(number, asked.batch, seed=asked.seed, words=words, kinds=kinds)
            if not (left := [one for one in sheet.items if one.number not in notes.done]):
                continue
            texts, tokens = write(model, sheet, stop_ids, draw=run["draw"])
            pile.put(notes.add(asdict(one) | {"prompt": sheet.head + one.prompt, "text": texts[one.number]} for one in left))
            written += tokens
            bar.update(pile.tokens - bar.n)
    save(asked.out, pile.documents)
    found = {
        "texts": pile.sieve.kept,
        "tokens": pile.tokens,
        "dropped": dict(pile.sieve.dropped.most_common()),
        "tokens_written_per_second": round(written / (time.monotonic() - began), 1),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    return found


def write(model: Model, page: Page, stop_ids: Sequence[int], *, draw: Mapping[str, float]) -> tuple[dict[int, str], int]:
    """The texts of a page by their numbers, and how many tokens were written: all side by side, each drawing from its own seed."""
    encode, decode = model.tokenizer.encode, model.tokenizer.decode
    head = encode(page.head, limit=model.limit // 2)
    rows = [encode(f"{one.prompt} {one.opening}", special=False, limit=model.limit // 4) for one in page.items]
    draws = [Sampling(**draw, seed=one.seed) for one in page.items]
    tokens, before = model.batch(rows, side="left"), model.batch([head])
    steps = sample(model.network, tokens, draws, max_new_tokens=page.room, stop_ids=stop_ids, page=before)
    found = collect(steps, rows=len(rows), end_ids=[*model.config.end_ids, *stop_ids])
    # Decoded together with the words before them, so that the space between is kept.
    new = [decode([*row.ids, *written.ids])[len(decode(row.ids)) :] for row, written in zip(rows, found)]
    texts = {one.number: one.opening + text for one, text in zip(page.items, new)}
    return texts, sum(len(written.ids) for written in found)


def line_ends(model: Model) -> list[int]:
    """The tokens with a line break in them: each text is one line."""
    return [index for index in range(model.tokenizer.vocab_size) if "\n" in model.tokenizer.decode([index])]


class Pile:
    """The texts that passed the sieve, with their titles, and how many tokens they are for the model that wrote them."""

    def __init__(self, model: Model):
        self.model = model
        self.sieve = Sieve([*read_clozes(), *read_clozes(part="obvious")], shown=[text for kind in KINDS for _, text in kind.examples])
        self.documents: list[str] = []
        self.tokens = 0

    def put(self, records: Iterable[dict[str, Any]]) -> None:
        for record in records:
            if text := self.sieve.take(record["text"]):
                self.documents.append(f"= {record['kind'].capitalize()}: {record['word']} =\n{text}")
                self.tokens += len(self.model.tokenizer.encode(text, special=False))


def save(path: Path, documents: Iterable[str]) -> None:
    """Write a corpus; the file is there in full or not at all."""
    text = ("\n\n".join(documents) + "\n").encode()
    work = path.with_name(path.name + ".part")
    work.write_bytes(lzma.compress(text) if path.suffix == ".xz" else text)
    os.replace(work, path)


def digest(words: Sequence[str], kinds: Sequence[Kind]) -> str:
    """Tells apart what texts are asked for: words to write about, kinds of text, and what is on their pages."""
    return hashlib.sha256(
        json.dumps([words, THINGS, NAMES, PEOPLE, PLACES, TIMES, FAMILY, REVIEWED, list(map(asdict, kinds))]).encode()
    ).hexdigest()[:16]


if __name__ == "__main__":
    main()
