"""More texts like some: words replaced by what a model reads in their places (Jiao et al. 2020, algorithm 1), and parts of the texts.

Their labels are not known: a replaced word may turn praise into blame. They are for a student who learns what a teacher says of them.
"""

import dataclasses
import random
import re
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from models.batching import groups
from models.errors import Problem
from models.model import Model
from models.tokens import Row

SHARES = (0.15, 0.25, 0.4)  # of a text's words are replaced, in turn by chance
BEST = 15  # words that may stand in for one, each as likely as the model finds it
LENGTH = 128  # tokens of a text that are looked at
SHORTEST, LONGEST = 3, 18  # words of a part that is cut out anywhere
UNIT = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")  # a Chinese character, or what stands between two blanks
STOPS = frozenset(",.;:!?—，。；：！？")
JOINS = STOPS | {"--", "but", "and", "while", "though", "although", "that", "because", "yet", "with", "despite"}
GLUE = "'’-"  # what stands next to it is half a word


def variants(
    model: Model | None,
    texts: Sequence[str],
    *,
    replaced: int,
    parts: int,
    seed: int = 1,
    pause: Callable[[int, int], None] = lambda done, all_: None,
) -> list[str]:
    """Of each text at most so many variants with `replaced` words and so many of its `parts`; none twice, none of the texts themselves.

    `model` fills the gaps; it is needed for replaced words alone. Problem "no_word_head" where it cannot. `pause(done, all)` is called
    now and then.
    """
    rng = random.Random(seed)
    found = [part for text in texts for part in cut_out(text, parts, rng)]
    if replaced:
        found += with_other_words(model, list(texts) * replaced, rng, pause)
    known = set(texts)
    return [text for text in dict.fromkeys(found) if text not in known]


def cut_out(text: str, count: int, rng: random.Random) -> Iterator[str]:
    """Parts of a text: as often whole clauses as so many words in a row from anywhere."""
    units = list(UNIT.finditer(text))
    begins = {index for index, unit in enumerate(units) if unit[0].lower() in JOINS}
    joints = sorted({0, len(units)} | begins | {index + 1 for index, unit in enumerate(units) if unit[0][-1] in STOPS})
    for _ in range(count):
        if len(joints) > 2 and rng.random() < 0.5:
            first, end = sorted(rng.sample(joints, 2))
        elif len(units) > SHORTEST:
            length = rng.randint(SHORTEST, min(LONGEST, len(units) - 1))
            first = rng.randint(0, len(units) - length)
            end = first + length
        else:
            return
        while first < end and units[first][0].lower() in JOINS:
            first += 1
        if end - first > 1:
            yield text[units[first].start() : units[end - 1].end()]


def with_other_words(model: Model | None, texts: Sequence[str], rng: random.Random, pause: Callable[[int, int], None]) -> list[str]:
    """Each text with some of its words replaced, where it has words that can be."""
    if model is None or "mlm" not in model.network.heads or model.tokenizer.mask_id is None:
        raise Problem("no_word_head", model=model.name if model else "")
    allowed = whole_words(model)
    chance = torch.Generator().manual_seed(rng.getrandbits(62))
    found = list(texts)
    read = {text: model.tokenizer.encode(text, limit=min(LENGTH, model.limit)) for text in dict.fromkeys(texts)}
    gaps = [chosen(model, text, read[text], rng) if allowed.any() else [] for text in texts]
    asked = [index for index, columns in enumerate(gaps) if columns]
    done = 0
    for batch in groups([len(read[texts[index]]) for index in asked], tokens=2048, rows=64):
        rows = [asked[place] for place in batch]
        masked = [with_masks(read[texts[index]], gaps[index], model.tokenizer.mask_id) for index in rows]
        words = iter(fill(model, masked, [gaps[index] for index in rows], allowed, chance))
        for index in rows:
            found[index] = put(texts[index], read[texts[index]], gaps[index], words)
        done += len(rows)
        pause(done, len(asked))
    return [found[index] for index in asked]


def whole_words(model: Model) -> Tensor:
    """Which pieces of the vocabulary are words by themselves (V,)."""
    ids = range(model.tokenizer.vocab_size)
    pieces, starts = model.tokenizer.words(ids), model.tokenizer.starts(ids)
    return torch.tensor([begins and bare(piece).isalpha() for piece, begins in zip(pieces, starts)], device=model.device)


def bare(piece: str) -> str:
    """A piece without the mark of a blank."""
    return piece.strip("▁ ")


def chosen(model: Model, text: str, row: Row, rng: random.Random) -> list[int]:
    """The columns that are replaced: words that are one piece each, drawn by chance."""
    starts, share = model.tokenizer.starts(row.ids), rng.choice(SHARES)
    found = []
    for column, span in enumerate(row.spans):
        if span is None or not starts[column]:
            continue
        first, end = span
        last = column + 1 == len(row) or row.special[column + 1] or starts[column + 1]
        glued = text[max(0, first - 1) : first] in (*GLUE,) or text[end : end + 1] in (*GLUE,)
        if last and not glued and text[first:end].strip().isalpha() and rng.random() < share:
            found.append(column)
    return found


def with_masks(row: Row, columns: Sequence[int], mask: int) -> Row:
    """The row with [MASK] at the columns."""
    return dataclasses.replace(row, ids=tuple(mask if column in columns else token for column, token in enumerate(row.ids)))


@torch.inference_mode()
def fill(model: Model, rows: Sequence[Row], gaps: Sequence[Sequence[int]], allowed: Tensor, chance: torch.Generator) -> list[str]:
    """A word for each gap of each row, drawn from the best."""
    places = torch.tensor([(index, column) for index, columns in enumerate(gaps) for column in columns], device=model.device)
    context = model.network.encode(model.batch(rows))[places[:, 0], places[:, 1]]
    scores = model.network.heads["mlm"](context).float()
    allowed = allowed[: scores.shape[-1]]
    best, ids = scores.masked_fill(~allowed, -torch.inf).topk(min(BEST, int(allowed.sum())), dim=-1)
    drawn = torch.multinomial(best.softmax(-1).cpu(), 1, generator=chance)
    return [bare(word) for word in model.tokenizer.words(ids.cpu().gather(1, drawn)[:, 0].tolist())]


def put(text: str, row: Row, columns: Sequence[int], words: Iterator[str]) -> str:
    """The text with the next words at these columns, with a capital where there was one."""
    pieces, read = [], 0
    for column in columns:
        first, end = row.spans[column]
        first += len(text[first:end]) - len(text[first:end].lstrip())
        word = next(words)
        pieces += [text[read:first], word[:1].upper() + word[1:] if text[first].isupper() else word]
        read = end
    return "".join(pieces) + text[read:]
