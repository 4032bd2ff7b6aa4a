"""The benchmarks measure what they say: made-up events, speeds from commits, the figures' table."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from app.core.events import Event
from app.core.instants import DAY, Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.offline.backtest import Backtest, Line
from app.wire.cloudevents import decode
from app.wire.definition import read_folder
from benchmarks import report
from benchmarks.curve import Curve, Seen
from benchmarks.figures import summed_up
from benchmarks.made_up import MIXED, Crowd

BEGIN = 1_700_000_000_000_000


def made(count: int) -> list[Event]:
    crowd = Crowd(count // 3, MIXED)
    events = [decode(each.value, each.key) for each in crowd.stream(count, BEGIN, BEGIN + 60 * DAY)]
    assert all(isinstance(event, Event) for event in events)
    return [event for event in events if isinstance(event, Event)]


def test_made_up_events_are_of_every_type() -> None:
    assert set(Counter(event.type for event in made(6_000))) == set(MIXED)


def test_nothing_that_is_made_up_is_refused() -> None:
    backtest = Backtest(Rules(read_folder(), Calendar("UTC"), Rates.only("VND")))
    for event in made(6_000):
        backtest.apply(event, Line("made up", 1))
    assert backtest.dead_letters == []


def test_the_same_seed_makes_the_same_events() -> None:
    assert made(500) == made(500)


def test_speed_leaves_the_start_and_the_last_commit_out() -> None:
    curve = Curve(1_000)
    curve.seen = [
        Seen(at, done, cpu, 50_000_000)
        for at, done, cpu in (
            (0.0, 0, 5.0), (9.0, 100, 6.0), (10.0, 300, 7.0), (11.0, 500, 8.0), (11.5, 500, 8.1),
            (13.0, 900, 10.0), (99.0, 1_000, 11.0),
        )
    ]  # fmt: skip
    figures = curve.figures()
    assert figures["events/s"] == (900 - 100) / (13 - 9)
    assert figures["events/s, second half"] == (900 - 500) / (13 - 11)
    assert figures["CPU s per million"] == pytest.approx((10 - 6) / (900 - 100) * 1e6)


def test_one_commit_tells_no_speed() -> None:
    curve = Curve(10)
    curve.seen = [Seen(0.0, 0, 0.0, 1_000_000), Seen(1.0, 10, 1.0, 2_000_000)]
    assert curve.figures() == {"RSS MB": 2.0}


def test_rounds_are_summed_up_by_median_and_spread() -> None:
    assert summed_up([{"a": 3.0}, {"a": 1.0, "b": 7.0}, {"a": 2.0}]) == {
        "a": {"median": 2.0, "least": 1.0, "greatest": 3.0},
        "b": {"median": 7.0, "least": 7.0, "greatest": 7.0},
    }


def test_the_readme_takes_the_figures_between_its_marks(tmp_path: Path) -> None:
    found = {
        "date": "2026-01-02T03:04:05+00:00",
        "machine": {
            "cpu": "A CPU", "cores": 2, "memory_gib": 24, "system": "Linux", "python": "3.11",
            "kafka": "Apache Kafka 4.1.0", "packages": {"aiokafka": "0.14.0"}, "commit": "abc",
        },
        "options": {"quick": False, "rounds": 3},
        "cases": {
            "mixed": {
                "what": "ten ladders",
                "wanted": {"events/s": "≥ 20,000"},
                "figures": summed_up([{"events/s": 21_000.0}, {"events/s": 23_000.0}]),
            }
        },
    }  # fmt: skip
    row = report.table(json.loads(json.dumps(found))).splitlines()[-1]
    assert row == (
        "| ten ladders | **22,000** (21,000 to 23,000) events/s | ≥ 20,000 events/s |  |"
    )
    text = report.inserted(report.README.read_text(), row)
    assert report.inserted(text, row) == text
    assert re.search(rf"{report.BEGIN}\n\| ten ladders .+\n{report.END}", text)
