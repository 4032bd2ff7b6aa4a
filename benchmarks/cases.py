"""All benchmarks by their names, in the order in which a round goes through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.case import Case
from benchmarks.cdnow import Cdnow
from benchmarks.figures import Round
from benchmarks.latency import Latency
from benchmarks.peers import Faust, Quix
from benchmarks.restore import Restore
from benchmarks.throughput import Mixed, OnlyPurchases

CASES: dict[str, type[Case]] = {
    case.name: case for case in (Mixed, OnlyPurchases, Quix, Faust, Latency, Restore, Cdnow)
}

PEERS = (Faust.name, Quix.name)
FASTER = "the worker is times as fast"


def wanted(only: Sequence[str]) -> list[str]:
    """Name the cases to run, in their order: those asked for and those that they look back on."""
    asked = set(only or CASES)
    needed = {need for name in asked for need in CASES[name].needs}
    return [name for name in CASES if name in asked | needed]


def ratios(name: str, rounds: Mapping[str, list[Round]]) -> Round:
    """Compare the last round of a case with what the worker did in the same one."""
    own = rounds.get("purchases")
    if name not in PEERS or not own or "events/s" not in rounds[name][-1]:
        return {}
    return {FASTER: own[-1]["events/s"] / rounds[name][-1]["events/s"]}
