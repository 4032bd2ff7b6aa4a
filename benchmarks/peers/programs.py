"""Who takes part, and with which settings.

Each does the same: CloudEvents with purchases in, {purchases, spend, rung} of each customer in
RocksDB with a changelog, a stage change out. Settings are the defaults but for what is said.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.child import Child
from benchmarks.peers.java import class_path
from benchmarks.shop import ROOT


class Given(NamedTuple):
    """What a program is told: where it runs, and under which name."""

    bootstrap: str
    name: str
    folder: Path
    topic_in: str
    topic_out: str
    timed: bool
    """Whether latency is measured, not throughput."""

    @property
    def arguments(self) -> list[str]:
        return [self.bootstrap, self.name, str(self.folder), self.topic_in, self.topic_out]


class Program(NamedTuple):
    """A peer. `exact` says that it promises exactly once; `pace` names its share of the backlog."""

    name: str
    what: str
    exact: bool
    pace: str
    command: Callable[[Given], list[str]]

    def start(self, given: Given) -> Child:
        log = given.folder / "log"
        return Child(given.name, self.command(given), log, {"PYTHONPATH": str(ROOT)})


def _kafka_streams(guarantee: str, *settings: str) -> Callable[[Given], list[str]]:
    def command(given: Given) -> list[str]:
        return [
            "java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path(),
            "ladder.peer.Peer", *given.arguments, guarantee, *settings,
        ]  # fmt: skip

    return command


def _quix(guarantee: str, timed_commit: float) -> Callable[[Given], list[str]]:
    def command(given: Given) -> list[str]:
        commit = timed_commit if given.timed else 5.0
        program = [sys.executable, "-m", "benchmarks.peers.quix_streams"]
        return [*program, *given.arguments, guarantee, str(commit)]

    return command


def _faust(given: Given) -> list[str]:
    program = [sys.executable, "-m", "benchmarks.peers.stock_faust", *given.arguments]
    return [*program, "worker", "-l", "warn", "--without-web"]


PROGRAMS = (
    Program(
        "streams-eos",
        "Kafka Streams 4.1, exactly_once_v2",
        exact=True,
        pace="fast",
        command=_kafka_streams("exactly_once_v2"),
    ),
    Program(
        "streams-alo",
        "Kafka Streams 4.1, at_least_once",
        exact=False,
        pace="fast",
        # Its default of 30 s would end before the first commit is seen.
        command=_kafka_streams("at_least_once", "commit.interval.ms=1000"),
    ),
    Program(
        "quix-eos",
        "Quix Streams, exactly-once",
        exact=True,
        pace="quix",
        # Under its default of 5 s a change would be seen 2.5 s late for that alone.
        command=_quix("exactly-once", 0.1),
    ),
    Program(
        "quix-alo",
        "Quix Streams, at-least-once",
        exact=False,
        pace="quix",
        command=_quix("at-least-once", 5.0),
    ),
    Program("faust", "stock Faust", exact=False, pace="faust", command=_faust),
)
