"""The metrics of a running process: what `app.ops.metrics` declares, counted and shown."""

from __future__ import annotations

import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from itertools import accumulate
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Gauge,
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
        self._registry.register(self._customers)
        # Memory, processor time, open files, start: under the names that everybody's are under.
        ProcessCollector(registry=self._registry)
        self._histograms = {
            metric.name: _Histogram(metric) for metric in DECLARED if metric.kind == "histogram"
        }
        for histogram in self._histograms.values():
            self._registry.register(histogram)
        self._live: dict[str, PrometheusCounter | Gauge] = {
            metric.name: _made(metric, self._registry)
            for metric in DECLARED
            if metric is not CUSTOMERS and metric.kind != "histogram"
        }
        self._series: dict[tuple[str, tuple[str, ...]], Any] = {}
        """What `labels` of the library would look for anew each time, at ten times the price."""
        self.set(BUILD, 1, *_versions())
        for metric, labels in _FROM_0_ON:
            self.count(metric, 0, *labels)

    def count(self, metric: Metric, amount: float = 1, *labels: str) -> None:
        assert metric.kind == "counter", metric.name
        self._one(metric, labels).inc(amount)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        assert metric.kind == "gauge", metric.name
        self._one(metric, labels).set(value)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        self._histograms[metric.name].observe(value, labels)

    def _one(self, metric: Metric, labels: tuple[str, ...]) -> Any:
        found = self._series.get((metric.name, labels))
        if found is None:
            live = self._live[metric.name]
            found = live.labels(*labels) if metric.labels else live
            self._series[metric.name, labels] = found
        return found

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
                    self._series.pop((metric.name, tuple(labels)), None)

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


class _Histogram(Collector):
    """A histogram at a tenth of the library's price, which locks and looks up for each value."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._edges = [*map(floatToGoString, metric.buckets), "+Inf"]
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        if not metric.labels:
            self._begin(())

    def _begin(self, labels: tuple[str, ...]) -> list[int]:
        assert len(labels) == len(self._metric.labels), labels
        self._sums[labels] = 0.0
        counts = self._counts[labels] = [0] * len(self._edges)
        return counts

    def observe(self, value: float, labels: tuple[str, ...]) -> None:
        counts = self._counts.get(labels) or self._begin(labels)
        counts[bisect_left(self._metric.buckets, value)] += 1
        self._sums[labels] += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        (family,) = self.describe()
        for labels, counts in sorted(self._counts.items()):
            buckets = list(zip(self._edges, accumulate(counts), strict=True))
            family.add_metric(list(labels), buckets, self._sums[labels])
        yield family

    def describe(self) -> Iterable[HistogramMetricFamily]:
        metric = self._metric
        return [HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)]


_FROM_0_ON: tuple[tuple[Metric, tuple[str, ...]], ...] = (
    *((DEAD_LETTERS, (reason,)) for reason in REASONS),
    *((CACHE_LOOKUPS, (result,)) for result in ("hit", "miss")),
)
"""Of whose kinds are known: or Prometheus takes the first of a kind for no increase."""


def _made(metric: Metric, registry: CollectorRegistry) -> PrometheusCounter | Gauge:
    kind = PrometheusCounter if metric.kind == "counter" else Gauge
    return kind(metric.name, metric.help, metric.labels, registry=registry)


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
