"""How much memory work needed at its highest moment."""

import threading
from pathlib import Path

import pytest
import torch

from playground.service import peak
from playground.service.peak import Peak

MB = 1_000_000


def taken(n_bytes: int) -> torch.Tensor:
    """Memory that is really used."""
    return torch.ones(n_bytes, dtype=torch.uint8)


@pytest.mark.skipif(not peak.STATM.exists(), reason="the memory of a process is read as Linux tells it")
def test_what_was_in_use_for_a_moment_is_seen_and_what_was_there_before_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    resident, looked = peak.resident, threading.Semaphore(0)

    def counted() -> int:
        found = resident()
        looked.release()
        return found

    monkeypatch.setattr(peak, "resident", counted)
    before = taken(40 * MB)
    with Peak(torch.device("cpu")) as seen:
        kept = taken(60 * MB)
        while looked.acquire(blocking=False):
            pass
        assert all(looked.acquire(timeout=10) for _ in range(2))  # the first look may have begun before
        del kept
    assert 50 * MB < seen.n_bytes < 100 * MB and len(before) == 40 * MB
    with Peak(torch.device("cpu")) as nothing:
        pass
    assert 0 <= nothing.n_bytes < 20 * MB


def test_where_it_cannot_be_told_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peak, "STATM", tmp_path / "statm")
    with Peak(torch.device("cpu")) as seen:
        pass
    assert seen.n_bytes is None
