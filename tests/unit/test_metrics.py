"""Metrics are declared once, and a partition that left takes its series with it."""

from __future__ import annotations

import re

import pytest

from app.ops import metrics as m
from app.ops.registry import Metrics


def lines(metrics: Metrics, name: str) -> list[str]:
    text = metrics.text().decode()
    return [line for line in text.splitlines() if line.startswith(name)]


def test_every_name_is_ours_and_says_its_unit_or_that_it_counts() -> None:
    names = [metric.name for metric in m.DECLARED]
    assert len(set(names)) == len(names)
    for metric in m.DECLARED:
        assert re.fullmatch(r"ladder_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric.name
        assert metric.help.endswith("."), metric.name


def test_what_is_declared_is_shown_under_the_declared_name() -> None:
    shown = Metrics().text().decode()
    for metric in m.DECLARED:
        assert f"# HELP {metric.name} {metric.help}" in shown
        assert f"# TYPE {metric.name} {metric.kind}" in shown


def test_customers_are_summed_over_partitions_and_go_with_them() -> None:
    metrics = Metrics()
    metrics.customers(0, {("raving-fan", "member"): 3})
    metrics.customers(1, {("raving-fan", "member"): 4, ("rfm", "lost"): 1})
    assert 'ladder_customers{ladder="raving-fan",rung="member"} 7.0' in lines(
        metrics, m.CUSTOMERS.name
    )
    metrics.forget(1)
    assert lines(metrics, m.CUSTOMERS.name) == [
        'ladder_customers{ladder="raving-fan",rung="member"} 3.0'
    ]


def test_a_partition_that_left_leaves_no_series_behind() -> None:
    metrics = Metrics()
    for partition in ("1", "11"):
        metrics.set(m.LAG, 5, "commerce.purchases", partition)
        metrics.set(m.RESTORE_REMAINING, 5, partition)
    metrics.forget(1)
    assert len(lines(metrics, m.LAG.name)) == 1
    assert len(lines(metrics, m.RESTORE_REMAINING.name)) == 1
    assert 'partition="11"' in lines(metrics, m.LAG.name)[0]


def test_an_undeclared_metric_is_an_error() -> None:
    stray = m.Metric("ladder_stray_total", "counter", (), "Not declared.")
    with pytest.raises(KeyError):
        Metrics().count(stray)


def test_counts_and_observations_add_up() -> None:
    metrics = Metrics()
    metrics.count(m.DEAD_LETTERS, 2, "not-json")
    metrics.count(m.DEAD_LETTERS, 1, "not-json")
    metrics.observe(m.BATCH_SIZE, 100)
    assert 'ladder_dead_letters_total{reason="not-json"} 3.0' in lines(metrics, m.DEAD_LETTERS.name)
    assert "ladder_batch_records_sum 100.0" in lines(metrics, m.BATCH_SIZE.name)


def test_stays_are_counted_in_classes_of_time_by_rung() -> None:
    metrics = Metrics()
    for seconds in (60, 86_400, 90_000_000):
        metrics.observe(m.DWELL, seconds, "moment", "new")
    metrics.observe(m.DWELL, 5, "people", "new")
    of_new = {
        line.partition('le="')[2].partition('"')[0]: float(line.rpartition(" ")[2])
        for line in lines(metrics, "ladder_rung_held_seconds_bucket")
        if 'ladder="moment"' in line
    }
    assert of_new["3600.0"] == 1
    assert of_new["86400.0"] == 2
    assert of_new["+Inf"] == 3
    assert 'ladder_rung_held_seconds_sum{ladder="moment",rung="new"} 9.008646e+07' in lines(
        metrics, "ladder_rung_held_seconds_sum"
    )


def test_the_worst_that_a_scrape_can_hold_is_bounded_and_names_no_customer() -> None:
    """Labels are those of ladders, topics, partitions, types and versions, and nobody's id."""
    allowed = {
        "topic", "type", "reason", "kind", "ladder", "from", "to", "cause", "rung", "state",
        "partition", "result", "version", "python", "faust", "aiokafka", "rocksdict",
    }  # fmt: skip
    assert {label for metric in m.DECLARED for label in metric.labels} <= allowed


def test_the_promised_latencies_are_edges_of_the_histogram() -> None:
    assert {0.04, 0.12, 0.2, 0.25} <= set(m.COMMIT_LATENCY.buckets)


def test_a_partition_that_came_back_begins_anew() -> None:
    """What is kept at hand of a series must go with it, or what is counted then is not shown."""
    metrics = Metrics()
    metrics.set(m.LAG_SECONDS, 5, "1")
    metrics.forget(1)
    metrics.set(m.LAG_SECONDS, 7, "1")
    assert lines(metrics, m.LAG_SECONDS.name) == ['ladder_lag_seconds{partition="1"} 7.0']


def test_a_histogram_without_labels_is_there_from_the_beginning() -> None:
    """Or the first rate of it is missing."""
    assert "ladder_transaction_seconds_count 0.0" in lines(Metrics(), m.TRANSACTION_TIME.name)


def test_a_value_on_an_edge_belongs_to_the_class_below() -> None:
    metrics = Metrics()
    metrics.observe(m.BATCH_SIZE, 10)
    metrics.observe(m.BATCH_SIZE, 11)
    found = lines(metrics, f"{m.BATCH_SIZE.name}_bucket")
    assert 'ladder_batch_records_bucket{le="3.0"} 0.0' in found
    assert 'ladder_batch_records_bucket{le="10.0"} 1.0' in found
    assert 'ladder_batch_records_bucket{le="30.0"} 2.0' in found


def test_labels_of_the_wrong_number_are_an_error() -> None:
    with pytest.raises(AssertionError):
        Metrics().observe(m.DWELL, 5, "moment")
    with pytest.raises(ValueError, match="label"):
        Metrics().set(m.LAG, 5, "topic")
