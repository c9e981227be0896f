"""How good translations are: a network translates many sentences, greedily, and BLEU and chrF compare them with what people wrote."""

from collections.abc import Iterable, Sequence

import sacrebleu
import torch
from torch.nn import functional as F

from models.batching import groups
from models.decode.greedy import greedy
from models.decode.steps import collect
from models.tokenizers.sentencepieces import SentencePieceTokenizer
from models.tokens import collate
from models.training.parallel import Direction, Pair, turned
from models.training.sequence import Translating
from models.training.sequence_batches import SequenceBatch
from models.transformer import Transformer

TOKENS = 4096  # source positions of a batch
WASTE = 2.0  # short sentences may wait for long ones: they leave the batch as soon as they end


def room(length: int) -> int:
    """How many words a translation of so many may have: a text that is longer repeats itself."""
    return 2 * length + 10


def translate(
    network: Transformer, tokenizer: SentencePieceTokenizer, texts: Sequence[str], *, limit: int = 256, tokens: int = TOKENS
) -> list[str]:
    """Greedy translations in the order of the texts, computed with those of similar length side by side."""
    device = network.embeddings.words.weight.device
    rows = [tokenizer.encode(text, limit=limit) for text in texts]
    found = [""] * len(rows)
    for places in groups([len(row) for row in rows], tokens=tokens, waste=WASTE):
        batch = collate([rows[place] for place in places], pad_id=tokenizer.pad_id, device=device)
        steps = greedy(network, batch, max_new_tokens=[room(len(rows[place])) for place in places])
        for place, written in zip(places, collect(steps, rows=len(places), end_ids=network.config.end_ids)):
            found[place] = tokenizer.decode(written.ids)
    return found


def scores(found: Sequence[str], wanted: Sequence[str], *, language: str) -> dict[str, float]:
    """BLEU (characters for Chinese, "13a" for other languages) and chrF, as sacrebleu computes them (Post 2018)."""
    if not found:
        raise ValueError("there are no translations to compare")
    bleu = sacrebleu.corpus_bleu(list(found), [list(wanted)], tokenize="zh" if language == "zh" else "13a")
    return {"bleu": bleu.score, "chrf": sacrebleu.corpus_chrf(list(found), [list(wanted)]).score}


def quality(
    network: Transformer, tokenizer: SentencePieceTokenizer, pairs: Sequence[Pair], *, direction: Direction
) -> tuple[dict[str, float], list[str]]:
    """The scores of a network on pairs, and what it said."""
    source, target = zip(*(turned(pair, direction) for pair in pairs))
    found = translate(network, tokenizer, source)
    return scores(found, target, language=direction[-2:]) | {"sentences": len(pairs)}, found


@torch.no_grad()
def held_out(objective: Translating, batches: Iterable[SequenceBatch], device: torch.device) -> dict[str, float]:
    """Mean loss of a word without smoothing, in nats, and the share of words that are the first guess."""
    loss = right = torch.zeros((), device=device)
    words = 0
    for batch in batches:
        batch = batch.to(device)
        said = objective.scores(batch).float()
        loss = loss + F.cross_entropy(said, batch.words, reduction="sum")
        right = right + (said.argmax(-1) == batch.words).sum()
        words += batch.counts["words"]
    if not words:
        raise ValueError("there is nothing to measure: no pairs")
    return {"valid_loss": float(loss) / words, "valid_accuracy": float(right) / words}
