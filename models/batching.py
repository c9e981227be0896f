"""Which texts to compute together: similar lengths, and not too much at once."""

from collections.abc import Sequence

TOKENS = 4096  # positions of one batch, padding included: enough to keep a processor busy, small enough for its memory
WASTE = 1.15  # a batch ends where padding would make it this much larger than its texts
SMALL = 256  # positions below which one more text is always welcome, since starting a batch costs more than its padding


def groups(lengths: Sequence[int], *, tokens: int = TOKENS, waste: float = WASTE, rows: int = 256) -> list[list[int]]:
    """Split texts of `lengths` tokens into batches of indices, longest first; every index stands in exactly one batch.

    A batch holds at most `rows` texts and `tokens` positions counting the padding (a single longer text is a batch of its own).
    """
    result: list[list[int]] = []
    real = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        length = lengths[index]
        if result:
            widest, count = lengths[result[-1][0]], len(result[-1]) + 1
            padded = widest * count
            if count <= rows and padded <= tokens and (padded <= SMALL or padded <= waste * (real + length)):
                result[-1].append(index)
                real += length
                continue
        result.append([index])
        real = length
    return result
