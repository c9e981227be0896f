"""MiniLM against transformers: one sentence, a batch of mixed lengths, and with the attention of all layers.

    python -m tests.benchmarks.bench_encoder [--threads 2] [--pairs 21]

Same weights, same threads, one run. transformers runs as its users run it: SDPA where attention is not asked for, eager where it is, a
batch padded to its longest text.
"""

import argparse
import random
import sys

import torch
from transformers import BertModel

import models
from models.batching import groups
from models.catalogue import Catalogue
from models.sources import fetch
from models.tokens import Tokens
from models.trace import Trace
from tests.benchmarks.paired import paired


def tokens(lengths: list[int], *, seed: int = 1) -> Tokens:
    """Random words, right-padded."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1000, 30_000, (len(lengths), max(lengths)), generator=generator)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return Tokens(ids=ids * mask, mask=mask, segments=torch.zeros_like(ids), lengths=tuple(lengths))


def part(whole: Tokens, rows: list[int]) -> Tokens:
    """Some rows, cut to the longest of them."""
    lengths = tuple(whole.lengths[row] for row in rows)
    width = max(lengths)
    return Tokens(ids=whole.ids[rows, :width], mask=whole.mask[rows, :width], segments=whole.segments[rows, :width], lengths=lengths)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads of both")
    parser.add_argument("--pairs", type=int, default=21, help="timed pairs a line")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ours = models.load("all-MiniLM-L6-v2").network
    folder = fetch(Catalogue().find("all-MiniLM-L6-v2"))
    fused = BertModel.from_pretrained(folder, attn_implementation="sdpa").eval()
    eager = BertModel.from_pretrained(folder, attn_implementation="eager").eval()

    one = tokens([32])
    mask = one.mask.long()
    difference = (ours.encode(one) - fused(one.ids, attention_mask=mask).last_hidden_state).abs().max()
    lines = [f"largest difference {difference:.1e}"]
    timing = paired(lambda: ours.encode(one), lambda: fused(one.ids, attention_mask=mask), pairs=options.pairs * 3)
    lines.append(timing.line("MiniLM, 1 x 32 tokens"))

    random.seed(1)
    batch = tokens([random.randint(8, 128) for _ in range(32)])
    padding = batch.mask.long()
    timing = paired(
        lambda: [ours.encode(part(batch, rows)) for rows in groups(batch.lengths)],
        lambda: fused(batch.ids, attention_mask=padding),
        pairs=options.pairs,
    )
    lines.append(timing.line(f"MiniLM, 32 texts of 8-128 tokens ({sum(batch.lengths)} real of {padding.numel()})"))

    for length in (128, 512):
        text = tokens([length])
        all_real = text.mask.long()
        timing = paired(
            lambda text=text: ours.encode(text, trace=Trace({"weights"})),
            lambda text=text, all_real=all_real: eager(text.ids, attention_mask=all_real, output_attentions=True),
            pairs=options.pairs,
        )
        lines.append(timing.line(f"MiniLM with all attention weights, {length} tokens"))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
