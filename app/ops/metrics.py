"""Every metric a worker shows, declared once; docs, dashboards, alerts and tests read `DECLARED`.

A metric is named by its constant, so a misspelt one is an error of the type checker. What belongs
to one partition carries the label `partition` and goes when the partition leaves this worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LATENCY_BUCKETS = (
    0.005, 0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.4, 0.6, 1.0, 2.5, 5.0, 10.0, 60.0,
)  # fmt: skip
"""With an edge at each promise: half within 40 ms, 99 % within 120 ms, 250 ms at half load."""
SIZE_BUCKETS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 20_000.0)
_DAY = 86_400.0
DWELL_BUCKETS = (
    3_600.0, _DAY, 7 * _DAY, 30 * _DAY, 60 * _DAY, 90 * _DAY, 180 * _DAY, 365 * _DAY, 730 * _DAY,
)  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """One metric as it is shown: `name` in full, labels in order, help as one sentence."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


RECORDS_IN = Metric(
    "ladder_records_total",
    "counter",
    ("topic", "type"),
    "Records read, by topic and by the type of their event; 'handover' for what other "
    "customers owe, 'refused' for what was unreadable, 'foreign' for handovers of another "
    "app id. Read again after a reopening counts again.",
)
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
DWELL = Metric(
    "ladder_rung_held_seconds",
    "histogram",
    ("ladder", "rung"),
    "Seconds for which customers held a rung, counted when they leave it; time is that of "
    "the events.",
    DWELL_BUCKETS,
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
    "Seconds from an input record's Kafka timestamp to the commit of what it caused; of a batch "
    "with more than fifty records fifty are taken, evenly spaced.",
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
PARTITIONS_FENCED = Metric(
    "ladder_partitions_fenced_total",
    "counter",
    (),
    "Times a partition was closed because another worker had taken it over.",
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
LAG_SECONDS = Metric(
    "ladder_lag_seconds",
    "gauge",
    ("partition",),
    "Seconds since the oldest record that is not yet committed was written to its topic; 0 "
    "when there is none.",
)
HANDOVERS_WAITING = Metric(
    "ladder_handovers_waiting_records",
    "gauge",
    ("partition",),
    "Handovers to a partition's customers that are not yet committed, in offsets, markers counted.",
)
LAST_COMMIT = Metric(
    "ladder_last_commit_timestamp_seconds",
    "gauge",
    ("partition",),
    "When a partition last committed, in seconds since 1970.",
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
STANDBY_LAG = Metric(
    "ladder_standby_lag_records",
    "gauge",
    ("partition",),
    "Changelog offsets by which this worker's copy of another's partition is behind.",
)
PARTITIONS = Metric(
    "ladder_partitions",
    "gauge",
    ("state",),
    "Partitions assigned to this worker, by state.",
)
LAST_HEARD = Metric(
    "ladder_last_fetch_timestamp_seconds",
    "gauge",
    (),
    "When a broker last answered a fetch, with or without records, in seconds since 1970; the "
    "present, while no partition is ready and nothing is asked for.",
)
PARTITIONS_CONFIGURED = Metric(
    "ladder_partitions_configured",
    "gauge",
    (),
    "Partitions that the whole group has to work on: LADDER_PARTITIONS.",
)
REBALANCES = Metric(
    "ladder_rebalances_total",
    "counter",
    (),
    "Assignments this worker received from its group.",
)
LAST_ASSIGNMENT = Metric(
    "ladder_last_assignment_timestamp_seconds",
    "gauge",
    (),
    "When all partitions of an assignment were last ready, in seconds since 1970.",
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
DUE_WAITING = Metric(
    "ladder_due_waiting",
    "gauge",
    ("partition",),
    "Instants that are due by the partition's clock and not yet evaluated; counted up to "
    "10,000, every ten seconds.",
)
DUE_EVALUATED = Metric(
    "ladder_due_evaluated_total",
    "counter",
    (),
    "Due instants that were looked at, whether or not something changed.",
)
LAST_EVALUATED = Metric(
    "ladder_last_due_timestamp_seconds",
    "gauge",
    ("partition",),
    "When everything due in a partition was last evaluated, in seconds since 1970.",
)
STORE_BYTES = Metric(
    "ladder_store_bytes",
    "gauge",
    ("partition",),
    "Bytes of a partition's store: its files and what waits in memory to become one.",
)
STORE_MEMORY = Metric(
    "ladder_store_memory_bytes",
    "gauge",
    (),
    "Bytes of the block cache that all stores of a worker share.",
)
CACHE_LOOKUPS = Metric(
    "ladder_cache_lookups_total",
    "counter",
    ("result",),
    "Customers of a batch who were at hand (hit) or read from the store (miss).",
)
DISK_FREE = Metric(
    "ladder_data_dir_free_bytes",
    "gauge",
    (),
    "Bytes that are free on the disk of LADDER_DATA_DIR.",
)
DISK_SIZE = Metric(
    "ladder_data_dir_size_bytes",
    "gauge",
    (),
    "Bytes that the disk of LADDER_DATA_DIR holds.",
)
API_TURNED_AWAY = Metric(
    "ladder_api_turned_away_total",
    "counter",
    (),
    "Requests answered with 503 because the worker was busy and behind: reads give way.",
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
