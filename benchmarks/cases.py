"""All benchmarks by their names, in the order in which a round goes through them."""

from __future__ import annotations

from collections.abc import Mapping

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


def ratios(rounds: Mapping[str, list[Round]]) -> dict[str, Round]:
    """Compare the last round of each peer with the worker's."""
    found: dict[str, Round] = {}
    own = rounds.get("purchases")
    for peer in PEERS:
        others = rounds.get(peer)
        if own and others and "events/s" in own[-1] and "events/s" in others[-1]:
            found[peer] = {FASTER: own[-1]["events/s"] / others[-1]["events/s"]}
    return found
