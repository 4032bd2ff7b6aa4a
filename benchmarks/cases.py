"""All benchmarks by their names, in the order in which a round goes through them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.asked import Asked
from benchmarks.backtests import Cdnow, MadeUp
from benchmarks.case import Case
from benchmarks.latency import HalfLoad, Latency
from benchmarks.memory import Memory
from benchmarks.promises import ManyCustomers, TwoWorkers, WarmStart
from benchmarks.restore import Restore
from benchmarks.throughput import Mixed, OnlyPurchases

CASES: dict[str, type[Case]] = {
    case.name: case
    for case in (
        Mixed,
        OnlyPurchases,
        TwoWorkers,
        ManyCustomers,
        Latency,
        HalfLoad,
        Asked,
        Restore,
        WarmStart,
        Memory,
        Cdnow,
        MadeUp,
    )
}


def wanted(only: Sequence[str]) -> list[str]:
    """Name the cases to run, in their order: those asked for and those that they look back on."""
    asked = set(only or CASES)
    needed = {need for name in asked for need in CASES[name].needs}
    return [name for name in CASES if name in asked | needed]
