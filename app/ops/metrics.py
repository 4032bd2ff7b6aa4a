"""Every metric a worker shows, declared once; docs, dashboards, alerts and tests read `DECLARED`.

A metric is named by its constant, so a misspelt one is an error of the type checker. What belongs
to one partition carries the label `partition` and goes when the partition leaves this worker.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Counter as PrometheusCounter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.core.events import REASONS

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double every counter's series

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
SIZE_BUCKETS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 20_000.0)


@dataclass(frozen=True)
class Metric:
    """One metric as it is shown: `name` in full, labels in order, help as one sentence."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


EVENTS_APPLIED = Metric(
    "ladder_events_applied_total",
    "counter",
    ("type",),
    "Events that were applied to a customer's record, by their type.",
)
EVENTS_REPEATED = Metric(
    "ladder_events_repeated_total",
    "counter",
    (),
    "Events dropped because the customer's record remembers their source and id.",
)
EVENTS_DROPPED = Metric(
    "ladder_events_dropped_total",
    "counter",
    (),
    "Events dropped because they are not after the erasure of their customer.",
)
EVENTS_LATE = Metric(
    "ladder_events_late_total",
    "counter",
    (),
    "Applied events whose time was before the record's as-of.",
)
DEAD_LETTERS = Metric(
    "ladder_dead_letters_total",
    "counter",
    ("reason",),
    "Records that could not be applied, by reason.",
)
HANDOVERS = Metric(
    "ladder_handovers_total",
    "counter",
    ("kind",),
    "What one customer's record sent to another's, by kind.",
)
STAGE_CHANGES = Metric(
    "ladder_stage_changes_total",
    "counter",
    ("ladder", "from", "to", "cause"),
    "Stage changes published; no rung is shown as an empty label.",
)
CUSTOMERS = Metric(
    "ladder_customers",
    "gauge",
    ("ladder", "rung"),
    "Customers who stand on a rung, over the partitions that this worker has.",
)
COMMIT_LATENCY = Metric(
    "ladder_event_to_commit_seconds",
    "histogram",
    (),
    "Seconds from an input record's Kafka timestamp to the commit of what it caused.",
    LATENCY_BUCKETS,
)
BATCH_SIZE = Metric(
    "ladder_batch_records",
    "histogram",
    (),
    "Input records that were committed together.",
    SIZE_BUCKETS,
)
TRANSACTION_TIME = Metric(
    "ladder_transaction_seconds",
    "histogram",
    (),
    "Seconds from the begin of a transaction to its commit.",
    LATENCY_BUCKETS,
)
TRANSACTIONS_ABORTED = Metric(
    "ladder_transactions_aborted_total",
    "counter",
    ("cause",),
    "Transactions that were given up, by the kind of the error.",
)
PARTITIONS_REOPENED = Metric(
    "ladder_partitions_reopened_total",
    "counter",
    (),
    "Times a partition was closed after a failure and opened again.",
)
LAG = Metric(
    "ladder_lag_records",
    "gauge",
    ("topic", "partition"),
    "Offsets between the last commit and the last stable offset, markers counted.",
)
RESTORE_REMAINING = Metric(
    "ladder_restore_remaining_records",
    "gauge",
    ("partition",),
    "Changelog offsets that a partition has yet to read before it is ready.",
)
RESTORED = Metric(
    "ladder_restored_records_total",
    "counter",
    (),
    "Changelog records read to bring partitions up.",
)
PARTITIONS = Metric(
    "ladder_partitions",
    "gauge",
    ("state",),
    "Partitions assigned to this worker, by state.",
)
REBALANCES = Metric(
    "ladder_rebalances_total",
    "counter",
    (),
    "Assignments this worker received from its group.",
)
BUFFERED_BYTES = Metric(
    "ladder_buffered_bytes",
    "gauge",
    ("partition",),
    "Bytes of fetched records that a partition has not applied yet.",
)
DUE_BEHIND = Metric(
    "ladder_due_behind_seconds",
    "gauge",
    ("partition",),
    "Seconds from the instant up to which everything due was evaluated to the partition's clock; "
    "0 when nothing is left.",
)
BUILD = Metric(
    "ladder_build_info",
    "gauge",
    ("version", "python", "faust", "aiokafka", "rocksdict"),
    "Always 1; the versions are in the labels.",
)

DECLARED: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)


class Metrics:
    """The metrics of one process, in a registry of their own (so that tests can have many).

    `labels` are given in the declared order. An undeclared metric is a KeyError.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._customers = _Customers()
        self._registry.register(self._customers)
        self._live: dict[str, PrometheusCounter | Gauge | Histogram] = {
            metric.name: _made(metric, self._registry)
            for metric in DECLARED
            if metric is not CUSTOMERS
        }
        self.set(BUILD, 1, *_versions())
        for reason in REASONS:
            # From 0 on, or Prometheus takes the first of a kind for no increase.
            self.count(DEAD_LETTERS, 0, reason)

    def count(self, metric: Metric, amount: float = 1, *labels: str) -> None:
        live = self._live[metric.name]
        assert isinstance(live, PrometheusCounter)
        (live.labels(*labels) if metric.labels else live).inc(amount)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        live = self._live[metric.name]
        assert isinstance(live, Gauge)
        (live.labels(*labels) if metric.labels else live).set(value)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        live = self._live[metric.name]
        assert isinstance(live, Histogram)
        (live.labels(*labels) if metric.labels else live).observe(value)

    def customers(self, partition: int, counts: Mapping[tuple[str, str], int]) -> None:
        """Replace what a partition adds to `ladder_customers`: (ladder, rung) to how many."""
        self._customers.by_partition[partition] = dict(counts)

    def forget(self, partition: int) -> None:
        """Remove every series of a partition that left this worker."""
        self._customers.by_partition.pop(partition, None)
        number = str(partition)
        for metric in DECLARED:
            if "partition" in metric.labels:
                live = self._live[metric.name]
                place = metric.labels.index("partition")
                for labels in [key for key in live._metrics if key[place] == number]:
                    live.remove(*labels)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _Customers(Collector):
    """Sums what the partitions say, so that one leaving takes its customers along."""

    def __init__(self) -> None:
        self.by_partition: dict[int, dict[tuple[str, str], int]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(CUSTOMERS.name, CUSTOMERS.help, labels=CUSTOMERS.labels)
        total: Counter[tuple[str, str]] = Counter()
        for counts in self.by_partition.values():
            total.update(counts)
        for labels, number in sorted(total.items()):
            family.add_metric(list(labels), number)
        yield family

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [GaugeMetricFamily(CUSTOMERS.name, CUSTOMERS.help, labels=CUSTOMERS.labels)]


def _made(metric: Metric, registry: CollectorRegistry) -> PrometheusCounter | Gauge | Histogram:
    if metric.kind == "counter":
        return PrometheusCounter(metric.name, metric.help, metric.labels, registry=registry)
    if metric.kind == "gauge":
        return Gauge(metric.name, metric.help, metric.labels, registry=registry)
    return Histogram(
        metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=registry
    )


def _versions() -> tuple[str, ...]:
    return (
        _version("loyalty-ladder"),
        platform.python_version(),
        _version("faust-streaming"),
        _version("aiokafka"),
        _version("rocksdict"),
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"
