"""The metrics of a running process: what `app.ops.metrics` declares, counted and shown."""

from __future__ import annotations

import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Counter as PrometheusCounter
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from app.core.events import REASONS
from app.ops.metrics import (
    BUILD,
    CACHE_LOOKUPS,
    CUSTOMERS,
    DEAD_LETTERS,
    DECLARED,
    DWELL,
    Metric,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double every counter's series

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one process, in a registry of their own (so that tests can have many).

    `labels` are given in the declared order. An undeclared metric is a KeyError.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._customers = _Customers()
        self._dwell = _Dwell()
        self._registry.register(self._customers)
        self._registry.register(self._dwell)
        # Memory, processor time, open files, start: under the names that everybody's are under.
        ProcessCollector(registry=self._registry)
        self._live: dict[str, PrometheusCounter | Gauge | Histogram] = {
            metric.name: _made(metric, self._registry)
            for metric in DECLARED
            if metric not in (CUSTOMERS, DWELL)
        }
        self.set(BUILD, 1, *_versions())
        for metric, labels in _FROM_0_ON:
            self.count(metric, 0, *labels)

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

    def dwell(self, stays: Iterable[tuple[str, str, int]]) -> None:
        """Add stays that ended: ladder, rung, seconds."""
        self._dwell.add(stays)

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


class _Dwell(Collector):
    """A histogram that takes what a batch found in one go, at a tenth of the library's price."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._sums: Counter[tuple[str, str]] = Counter()

    def add(self, stays: Iterable[tuple[str, str, int]]) -> None:
        for ladder, rung, seconds in stays:
            counts = self._counts.get((ladder, rung))
            if counts is None:
                counts = self._counts[ladder, rung] = [0] * (len(DWELL.buckets) + 1)
            counts[bisect_left(DWELL.buckets, seconds)] += 1
            self._sums[ladder, rung] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        (family,) = self.describe()
        edges = [*map(floatToGoString, DWELL.buckets), "+Inf"]
        for labels, counts in sorted(self._counts.items()):
            buckets = list(zip(edges, accumulate(counts), strict=True))
            family.add_metric(list(labels), buckets, self._sums[labels])
        yield family

    def describe(self) -> Iterable[HistogramMetricFamily]:
        return [HistogramMetricFamily(DWELL.name, DWELL.help, labels=DWELL.labels)]


_FROM_0_ON: tuple[tuple[Metric, tuple[str, ...]], ...] = (
    *((DEAD_LETTERS, (reason,)) for reason in REASONS),
    *((CACHE_LOOKUPS, (result,)) for result in ("hit", "miss")),
)
"""Of whose kinds are known: or Prometheus takes the first of a kind for no increase."""


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
