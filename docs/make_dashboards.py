"""Makes deploy/grafana/dashboards/*.json: what operators and marketers look at, panel by panel.

`python -m docs.make_dashboards` writes them; with `--check` it only says whether they are up to
date.
"""

from __future__ import annotations

import json
import sys

from docs.made import ROOT, settle
from docs.panels import Ask, Board, Row, bars, lines, shares, stat, table

FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
NOW = "$__rate_interval"


def rate(metric: str, by: str = "") -> str:
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({metric}[{NOW}]))"


def quantile(share: float, metric: str) -> Ask:
    asked = f"histogram_quantile({share}, {rate(f'{metric}_bucket', 'le')})"
    return Ask(asked, f"p{share * 100:g}")


def within(seconds: str) -> Ask:
    metric = "ladder_event_to_commit_seconds"
    soon = rate(f'{metric}_bucket{{le="{seconds}"}}')
    return Ask(f"{soon} / {rate(f'{metric}_count')}", f"within {float(seconds) * 1000:g} ms")


def age(metric: str, by: str = "partition") -> Ask:
    return Ask(f"time() - max by ({by}) ({metric})", f"{by} {{{{{by}}}}}")


def each_partition(function: str, metric: str) -> Ask:
    return Ask(f"{function} by (partition) ({metric})", "partition {{partition}}")


HEALTHY = Row(
    "Is it healthy?",
    (
        stat("Workers that answer", Ask('sum(up{job="ladder"})', "workers"), good=1),
        stat(
            "Partitions by state",
            Ask("sum by (state) (ladder_partitions)", "{{state}}"),
            wide=8,
            says="Ready is where they belong. Restoring reads the changelog; closed waits for the "
            "group; failed gave up, see the worker's log.",
        ),
        stat(
            "Partitions that nobody works on",
            Ask(
                "max(ladder_partitions_configured)"
                ' - (sum(ladder_partitions{state="ready"}) or vector(0))',
                "partitions",
            ),
            bad=1,
            lowest=False,
            says="Of all that the group has. Their customers stand still until a worker has them.",
        ),
        stat(
            "Longest without a commit",
            Ask("max(time() - max by (partition) (ladder_last_commit_timestamp_seconds))", "ago"),
            unit="s",
            says="With nothing to read a partition has nothing to commit.",
        ),
        stat("Alerts", Ask('count(ALERTS{alertstate="firing"}) or vector(0)', "firing"), bad=1),
        stat(
            "Opened again after a failure",
            Ask("sum(increase(ladder_partitions_reopened_total[$__range]))", "times"),
            whole=True,
            bad=1,
            says="A partition whose batch failed is closed and opened again from what was "
            "committed. Now and then is harmless.",
        ),
        stat(
            "Taken over by another worker",
            Ask("sum(increase(ladder_partitions_fenced_total[$__range]))", "times"),
            whole=True,
            says="A worker that was paused, or cut off, found that its partition had moved on. "
            "It wrote nothing.",
        ),
        stat(
            "Assignments of the group",
            Ask("sum(increase(ladder_rebalances_total[$__range]))", "assignments"),
            whole=True,
            says="Each worker counts each assignment it gets. Many without a worker coming or "
            "going: look at session timeouts.",
        ),
        stat(
            "Since the last assignment was ready",
            Ask("time() - max(ladder_last_assignment_timestamp_seconds)", "ago"),
            unit="s",
        ),
        stat(
            "Longest without an answer of Kafka",
            Ask("time() - min(ladder_last_fetch_timestamp_seconds)", "ago"),
            unit="s",
            bad=60,
            lowest=False,
        ),
        stat(
            "Since the youngest worker started",
            Ask('time() - max(process_start_time_seconds{job="ladder"})', "ago"),
            unit="s",
        ),
        table(
            "What runs",
            Ask(
                "max by (instance, version, python, faust, aiokafka, rocksdict) (ladder_build_info)"
            ),
            ("instance", "version", "python", "faust", "aiokafka", "rocksdict"),
            wide=24,
            high=5,
        ),
    ),
)
BEHIND = Row(
    "How far behind?",
    (
        lines(
            "Lag by topic",
            Ask("sum by (topic) (ladder_lag_records)", "{{topic}}"),
            says="Offsets between what is committed and what could be read, transaction markers "
            "counted. A backlog is judged in its own time, so moves are right, only later.",
        ),
        lines(
            "Lag of the partitions furthest behind",
            Ask("topk(8, sum by (partition) (ladder_lag_records))", "partition {{partition}}"),
            says="One partition behind the others: a worker that is slow, or one customer with "
            "very many events.",
        ),
        lines(
            "Age of the oldest record that waits",
            each_partition("max", "ladder_lag_seconds"),
            unit="s",
            says="Since it was written to its topic. 0 when nothing waits.",
        ),
        lines(
            "Since the last commit",
            age("ladder_last_commit_timestamp_seconds"),
            unit="s",
            says="Only with lag does this mean that something stands still.",
        ),
        lines(
            "Time that was not looked at",
            each_partition("max", "ladder_due_behind_seconds"),
            unit="s",
            wide=6,
            says="Windows, graces and placements that end: how far their evaluation is behind the "
            "partition's clock. 0 when nothing is left.",
        ),
        lines(
            "Due and not evaluated",
            each_partition("sum", "ladder_due_waiting"),
            wide=6,
            says="Counted every ten seconds, and up to 10,000 of a partition.",
        ),
        lines(
            "Since all that was due was evaluated",
            age("ladder_last_due_timestamp_seconds"),
            unit="s",
            wide=6,
        ),
        lines(
            "Handovers on their way",
            each_partition("sum", "ladder_handovers_waiting_records"),
            wide=6,
            says="What customers owe others: credits, merges, forwarded events. In offsets.",
        ),
        lines(
            "Changelog left to restore",
            each_partition("sum", "ladder_restore_remaining_records"),
            wide=8,
            says="A partition is not worked on before this is 0.",
        ),
        lines(
            "Copies behind",
            each_partition("max", "ladder_standby_lag_records"),
            wide=8,
            says="What other workers' copies of a partition lack, in offsets of its changelog.",
        ),
        lines(
            "Restored",
            Ask(rate("ladder_restored_records_total"), "records/s"),
            unit="ops",
            wide=8,
        ),
        lines(
            "Fetched and not yet applied",
            each_partition("sum", "ladder_buffered_bytes"),
            unit="bytes",
            wide=8,
            says="Bounded: a topic partition with more than 1 MiB is paused.",
        ),
    ),
)
FAST = Row(
    "How fast?",
    (
        lines(
            "Records read",
            Ask(rate("ladder_records_total", "topic, type"), "{{topic}} {{type}}"),
            unit="ops",
            stacked=True,
        ),
        lines(
            "Events applied",
            Ask(rate("ladder_events_applied_total", "type"), "{{type}}"),
            unit="ops",
            stacked=True,
        ),
        lines(
            "From Kafka's timestamp to the commit",
            *(quantile(each, "ladder_event_to_commit_seconds") for each in (0.5, 0.95, 0.99)),
            unit="s",
            says="What a reader of stage changes waits for. During a backlog it is the age of the "
            "backlog.",
        ),
        lines(
            "Share that keeps the promises",
            *(within(each) for each in ("0.04", "0.12", "0.25")),
            unit="percentunit",
            says="Promised at 1,000 events/s: half within 40 ms, 99 % within 120 ms; at half of "
            "what a worker can do, 99 % within 250 ms.",
        ),
        lines(
            "Records in a batch",
            Ask(
                f"{rate('ladder_batch_records_sum')} / {rate('ladder_batch_records_count')}", "mean"
            ),
            wide=6,
            says="Grows by itself when there is a backlog.",
        ),
        lines(
            "Transaction",
            *(quantile(each, "ladder_transaction_seconds") for each in (0.5, 0.99)),
            unit="s",
            wide=6,
            says="From its begin to its commit. Long ones: look at the brokers.",
        ),
        lines(
            "Transactions and what is in them",
            Ask(rate("ladder_transaction_seconds_count"), "transactions/s"),
            Ask(rate("ladder_stage_changes_total"), "stage changes/s"),
            Ask(f"{rate('ladder_handovers_total')} or vector(0)", "handovers/s"),
            unit="ops",
            wide=6,
        ),
        lines(
            "Due instants looked at",
            Ask(rate("ladder_due_evaluated_total"), "looks/s"),
            unit="ops",
            wide=6,
        ),
    ),
)
FAILS = Row(
    "What fails?",
    (
        lines(
            "Dead letters by reason",
            Ask(rate("ladder_dead_letters_total", "reason"), "{{reason}}"),
            unit="ops",
            stacked=True,
            says="`ladder dead-letters list` shows them; the worker's log names the first of each "
            "reason.",
        ),
        bars(
            "Dead letters in this time",
            Ask("sum by (reason) (increase(ladder_dead_letters_total[$__range]))", "{{reason}}"),
            empty="none",
        ),
        lines(
            "Events that changed nothing, or came late",
            Ask(rate("ladder_events_repeated_total"), "repeated"),
            Ask(rate("ladder_events_dropped_total"), "dropped after an erasure"),
            Ask(rate("ladder_events_late_total"), "late"),
            unit="ops",
            says="Repeated: the same source and id came again. Late: applied on its own date, "
            "evaluated as of now.",
        ),
        lines(
            "Transactions given up",
            Ask(f"{rate('ladder_transactions_aborted_total', 'cause')} or vector(0)", "{{cause}}"),
            unit="ops",
        ),
    ),
)
ROOM = Row(
    "How much room?",
    (
        lines(
            "Disk left",
            Ask(
                "min by (instance) (ladder_data_dir_free_bytes / ladder_data_dir_size_bytes)",
                "{{instance}}",
            ),
            unit="percentunit",
            wide=8,
            says="Of the disk that has LADDER_DATA_DIR.",
        ),
        lines("Stores", each_partition("sum", "ladder_store_bytes"), unit="bytes", wide=8),
        lines(
            "Customers at hand",
            Ask(
                f"""{rate('ladder_cache_lookups_total{result="hit"}')}"""
                f" / {rate('ladder_cache_lookups_total')}",
                "share",
            ),
            unit="percentunit",
            wide=8,
            says="Of those that batches needed; the others were read from the store.",
        ),
        lines(
            "Memory",
            Ask('sum by (instance) (process_resident_memory_bytes{job="ladder"})', "{{instance}}"),
            Ask(
                "sum by (instance) (ladder_store_memory_bytes)", "{{instance}}, cache of the stores"
            ),
            unit="bytes",
            wide=8,
        ),
        lines(
            "Processors",
            Ask(
                f'sum by (instance) (rate(process_cpu_seconds_total{{job="ladder"}}[{NOW}]))',
                "{{instance}}",
            ),
            wide=8,
            says="1 is one core. The fold of a worker takes one at most.",
        ),
        lines(
            "Requests turned away",
            Ask(f"{rate('ladder_api_turned_away_total')} or vector(0)", "503s/s"),
            unit="reqps",
            wide=8,
            says="While a worker is busy and half a second behind, reads give way.",
        ),
        lines(
            "Open files",
            Ask('sum by (instance) (process_open_fds{job="ladder"})', "{{instance}}"),
            Ask('sum by (instance) (process_max_fds{job="ladder"})', "{{instance}}, at most"),
            wide=8,
        ),
    ),
)
OPERATORS = Board(
    uid="ladder-operators",
    title="Loyalty Ladder: operators",
    says="Is it healthy, how far behind, how fast, what fails.",
    since="now-1h",
    rows=(HEALTHY, BEHIND, FAST, FAILS, ROOM),
    leads_to=(("Marketers", "ladder-marketers"),),
)

ON = 'ladder="$ladder"'
MOVES = "ladder_stage_changes_total"
STAYS = "ladder_rung_held_seconds"
STAND = Row(
    "Where do customers stand?",
    (
        bars(
            "Customers by rung: $ladder",
            Ask(f"sum by (rung) (ladder_customers{{{ON}}})", "{{rung}}"),
            high=10,
            says="Everybody who stands on a rung of this ladder now. Who is on none of its rungs "
            "is not counted.",
        ),
        lines(
            "Customers by rung over time: $ladder",
            Ask(f"sum by (rung) (ladder_customers{{{ON}}})", "{{rung}}"),
            high=10,
            stacked=True,
        ),
    ),
)
MOVE = Row(
    "Who moves?",
    (
        table(
            "From rung to rung in this time: $ladder",
            Ask(f"sum by (from, to) (increase({MOVES}{{{ON}}}[$__range])) > 0"),
            ("from", "to", "Value"),
            value="moves",
            whole=True,
            high=10,
            says="An empty `from` is a customer who entered the ladder, an empty `to` one who "
            "left it. Counted while workers run; the first of a kind after a start is missing.",
        ),
        lines(
            "Arrivals at each rung, an hour: $ladder",
            Ask(f'sum by (to) (increase({MOVES}{{{ON}, to!=""}}[1h]))', "{{to}}"),
            high=10,
            says="How many came to a rung in the hour before, from anywhere.",
        ),
        lines(
            "Departures from each rung, an hour: $ladder",
            Ask(f'sum by (from) (increase({MOVES}{{{ON}, from!=""}}[1h]))', "{{from}}"),
        ),
        stat(
            "Entered and left: $ladder",
            Ask(f'sum(increase({MOVES}{{{ON}, from=""}}[$__range])) or vector(0)', "entered"),
            Ask(f'sum(increase({MOVES}{{{ON}, to=""}}[$__range])) or vector(0)', "left"),
            wide=12,
            high=8,
            whole=True,
        ),
    ),
)
STAY = Row(
    "How long do they stay?",
    (
        bars(
            "Half of the stays were shorter than: $ladder",
            Ask(
                f"histogram_quantile(0.5, sum by (rung, le)"
                f" (increase({STAYS}_bucket{{{ON}}}[$__range]))) > 0",
                "{{rung}}",
            ),
            unit="s",
            says="Of the stays that ended in this time, by the time of the events. Estimated from "
            "classes: an hour, a day, a week, 30, 60, 90, 180 days, one year, two.",
        ),
        bars(
            "Mean stay: $ladder",
            Ask(
                f"sum by (rung) (increase({STAYS}_sum{{{ON}}}[$__range]))"
                f" / sum by (rung) (increase({STAYS}_count{{{ON}}}[$__range])) >= 0",
                "{{rung}}",
            ),
            unit="s",
        ),
        lines(
            "Stays that ended within a week, by rung: $ladder",
            Ask(f'sum by (rung) (increase({STAYS}_bucket{{{ON}, le="604800.0"}}[1h]))', "{{rung}}"),
            wide=24,
            says="Many on a rung that should hold people: its rule may be too easy, or the way "
            "down too quick.",
        ),
    ),
)
WHY = Row(
    "Why do they move?",
    (
        shares(
            "Causes in this time: $ladder",
            Ask(f"sum by (cause) (increase({MOVES}{{{ON}}}[$__range]))", "{{cause}}"),
            wide=8,
            high=9,
            says="event: something the customer did. refund: something was taken back. clock: "
            "time went by. manual: somebody placed or released them. merge, erasure: the customer "
            "became another, or none. definition: the rules were changed.",
        ),
        lines(
            "Moves by cause, an hour: $ladder",
            Ask(f"sum by (cause) (increase({MOVES}{{{ON}}}[1h]))", "{{cause}}"),
            wide=8,
            high=9,
            stacked=True,
        ),
        lines(
            "What customers do, an hour",
            Ask(
                "sum by (type) (increase(ladder_events_applied_total"
                '{type=~"purchase.*|signup.*|review.*|referral.*|interaction.*"}[1h]))',
                "{{type}}",
            ),
            wide=8,
            high=9,
            stacked=True,
            says="Events of all customers, whichever ladder is chosen.",
        ),
    ),
)
ALL = Row(
    "All ladders",
    (
        bars(
            "Moves in this time by ladder",
            Ask(f"sum by (ladder) (increase({MOVES}[$__range]))", "{{ladder}}"),
            high=9,
            empty="none",
        ),
        bars(
            "Customers on each ladder",
            Ask("sum by (ladder) (ladder_customers)", "{{ladder}}"),
            high=9,
            empty="none",
        ),
    ),
)
MARKETERS = Board(
    uid="ladder-marketers",
    title="Loyalty Ladder: marketers",
    says="Where customers stand, who moves, how long they stay, and why.",
    since="now-24h",
    rows=(STAND, MOVE, STAY, WHY, ALL),
    leads_to=(("Operators", "ladder-operators"),),
    chosen=(("ladder", "Ladder", "ladder_customers", "raving-fan"),),
)
BOARDS = {"operators": OPERATORS, "marketers": MARKETERS}


def render(board: Board) -> str:
    return json.dumps(board.render(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    made_by = __spec__.name
    ends = [settle(FOLDER / f"{name}.json", render(each), made_by) for name, each in BOARDS.items()]
    return max(ends)


if __name__ == "__main__":
    sys.exit(main())
