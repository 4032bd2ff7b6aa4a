"""The suite of faults tells for how long nothing was committed, though its own look fails too."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.ordeal import Progress


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> Progress:
    monkeypatch.setattr("tests.faults.ordeal.time", SimpleNamespace(time=lambda: 1_000.0))
    fleet: Any = SimpleNamespace(settings=None, running=[object()])
    return Progress(fleet)


def test_what_is_seen_late_counts_when_it_was_written(progress: Progress) -> None:
    progress.committed([1_002.0, 1_003.0, 1_009.0], now=1_030.0)
    assert (progress.longest, progress.longest_until) == (6.0, 1_009.0)


def test_a_silence_in_which_nothing_could_be_committed_is_excused(progress: Progress) -> None:
    with progress.excused():
        progress.committed([1_020.0], now=1_020.0)
    progress.committed([1_002.0], now=1_021.0)
    assert progress.longest <= 2.0


def test_of_a_worker_whose_clock_was_moved_the_arrival_counts(progress: Progress) -> None:
    progress.committed([4_600.0], now=1_001.0)
    progress.committed([1_002.0], now=1_002.0)
    assert progress.longest == 1.0
