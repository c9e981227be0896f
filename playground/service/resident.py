"""The memory of this process as the system sees it."""

import ctypes
import os
import sys
from pathlib import Path

STATM = Path("/proc/self/statm")  # Linux: sizes of this process in pages, the second of them resident


def resident() -> int:
    """Bytes of this process that are in memory now. Linux only."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Give what earlier work freed back to the system, which the C library keeps in pieces that may never be asked for again."""
    if sys.platform != "linux":  # Windows has no library of the process itself to ask
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library
    if trim is not None:
        trim(0)
