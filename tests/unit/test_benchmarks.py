"""The benchmarks measure what they say: made-up events, speeds from commits, the figures' table."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app import settings
from app.core.customer import Customer
from app.core.events import Event
from app.core.instants import DAY, Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.stream import due, meta
from app.stream.shared import Shared
from app.stream.store import Store
from app.wire.cloudevents import decode
from app.wire.definition import read_folder
from app.wire.record import HOT, RecordCodec, Unreadable, due_of
from benchmarks import report
from benchmarks.broker import Place
from benchmarks.case import QUICK, Case
from benchmarks.curve import Curve, Seen
from benchmarks.figures import Round, summed_up
from benchmarks.made_up import MIXED, PURCHASES, Crowd
from benchmarks.peers import names, page
from benchmarks.peers.moves import buy, new
from benchmarks.peers.verdict import Moves, expected, wrong
from benchmarks.population import FIRST_FREE, Population, fill_stores, linked, stand
from benchmarks.rounds import Measured, measure
from tests.core_backtest import Backtest, Line

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


def a_run(cases: dict[str, Any]) -> dict[str, Any]:
    return {
        "date": "2026-01-02T03:04:05+00:00",
        "machine": {
            "cpu": "A CPU", "cores": 2, "memory_gib": 24, "system": "Linux", "python": "3.11",
            "java": "openjdk 17", "kafka": "Apache Kafka 4.1.0", "packages": {"aiokafka": "0.14.0"},
            "commit": "abc",
        },
        "options": {"quick": False, "rounds": 2},
        "cases": cases,
        "failures": ["faust latency, round 1 of 2: TimeoutError: none\ncame"],
    }  # fmt: skip


def test_the_readme_takes_the_figures_between_its_marks() -> None:
    mixed = {
        "what": "ten ladders",
        "wanted": {"events/s": "≥ 20,000"},
        "figures": summed_up([{"events/s": 21_000.0}, {"events/s": 23_000.0}]),
    }
    row = report.table(json.loads(json.dumps(a_run({"mixed": mixed})))).splitlines()[-1]
    assert row == (
        "| ten ladders | **22,000** (21,000 to 23,000) events/s | ≥ 20,000 events/s |  |"
    )
    text = report.inserted(report.README.read_text(), row)
    assert report.inserted(text, row) == text
    assert re.search(rf"{report.BEGIN}\n\| ten ladders .+\n{report.END}", text)


def test_a_population_is_who_the_crowd_is() -> None:
    population = Population(50, BEGIN)
    known = {who for who, _ in population.rows()}
    come = {made.key for made in Crowd(50, PURCHASES).stream(500, BEGIN, BEGIN + DAY)}
    assert len(known) == 50
    assert come <= known


def test_a_population_can_be_read_and_nothing_of_the_past_is_due() -> None:
    codec = RecordCodec(read_folder())
    rows = [row for _, row in Population(300, BEGIN).rows()]
    assert not [row for row in rows if isinstance(codec.decode(row), Unreadable)]
    assert [due_of(row) for row in rows if 0 < due_of(row) <= BEGIN] == []
    assert any(due_of(row) for row in rows)


def test_events_from_the_first_free_number_on_are_new_to_a_population() -> None:
    last = next(Crowd(50, MIXED, first=FIRST_FREE).stream(1, BEGIN, BEGIN + DAY))
    event = decode(last.value, last.key)
    assert isinstance(event, Event)
    assert event.id == f"{FIRST_FREE:09d}"


def test_filled_stores_hold_every_customer_and_say_whose_they_are(tmp_path: Path) -> None:
    wanted = settings.load({"LADDER_BROKERS": "127.0.0.1:9", "LADDER_PARTITIONS": "2"}, None)
    population = Population(300, BEGIN)
    fill_stores(population, wanted, tmp_path / "made")
    linked(tmp_path / "made", tmp_path / "copy")
    stand(wanted, tmp_path / "copy", 7)
    found: dict[bytes, bytes] = {}
    indexed = 0
    for number in range(2):
        store = Store(tmp_path / "copy" / str(number), Shared())
        standing = store.standing()
        assert standing is not None
        assert (standing.changelog, standing.offset) == (wanted.changelog, 7)
        assert store.get([meta.KEY]) != [None]
        found |= store.scan(HOT, b"d", 1_000)
        indexed += len(store.scan(*due.between(BEGIN, 1 << 62), 1_000))
        store.close()
    assert found == {HOT + who: row for who, row in population.rows()}
    assert indexed == sum(due_of(row) > 0 for row in found.values())


def test_the_row_beside_a_population_counts_who_stands_where() -> None:
    wanted = settings.load({"LADDER_BROKERS": "127.0.0.1:9", "LADDER_PARTITIONS": "1"}, None)
    population = Population(200, BEGIN)
    codec = RecordCodec(population.ladders)
    place = [ladder.id for ladder in population.ladders].index("raving-fan")
    records = [codec.decode(row) for _, row in population.rows()]
    standing = [r for r in records if isinstance(r, Customer) and r.rungs[place]]
    counted = meta.read(population.meta(wanted)).customers["raving-fan"]
    assert sum(counted.values()) == pytest.approx(len(standing), abs=len(counted))


class Breaks(Case):
    name = "breaks"
    what = "one that fails in its second round"

    async def prepare(self) -> None:
        """Nothing."""

    async def measure(self, number: int) -> Round:
        if number == 2:
            raise ValueError("the reason")
        return {"its number": float(number)}


async def test_a_measurement_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    kept: list[int] = []

    def keep(measured: Measured, failures: list[str]) -> None:
        kept.append(len(measured["breaks"]["rounds"]))

    measured, failures = await measure([Breaks(Place("", tmp_path), QUICK)], 3, keep)
    assert kept == [1, 1, 2]
    assert measured["breaks"]["rounds"] == [{"its number": 1.0}, {"its number": 3.0}]
    assert failures == ["breaks, round 2 of 3: ValueError: the reason"]


def climbed(buyers: list[str]) -> Moves:
    """What the Python peers publish of these purchases."""
    customers = {who: new() for who in buyers}
    found: Moves = {}
    for number, who in enumerate(buyers):
        event = {
            "id": str(number), "source": "/s", "type": "t", "subject": who, "time": "",
            "data": {"amount": 1},
        }  # fmt: skip
        change = buy(customers[who], event)
        if change is not None:
            data = change["data"]
            found.setdefault(who, []).append((data["sequence"], data["to"]))
    return found


def test_what_a_peer_publishes_is_right_when_it_is_all_there_once_and_in_order() -> None:
    buyers = ["a", "b", "a", "a", "c"]
    right = expected(who.encode() for who in buyers)
    assert right == {"a": 2, "b": 1, "c": 1}
    assert wrong(climbed(buyers), right) == 0
    assert wrong(climbed(["a", "a", "b"]), right) == 1
    assert wrong(climbed([*buyers, "d"]), right) == 1
    assert wrong({**climbed(buyers), "b": [(1, "shopper"), (1, "shopper")]}, right) == 1
    assert wrong({**climbed(buyers), "a": [(2, "customer"), (1, "shopper")]}, right) == 1


def test_the_page_of_the_race_has_everybody_and_what_was_wanted_of_us() -> None:
    ours = {names.CPU: 10.0, names.WRONG: 0.0, names.FASTER: 1.5}
    lines = page.text(
        a_run(
            {
                "streams-eos throughput": {
                    "what": "Kafka Streams: a backlog",
                    "wanted": {},
                    "figures": summed_up([{"events/s": 1.0}]),
                },
                "ladder throughput": {
                    "what": "Loyalty Ladder: a backlog",
                    "wanted": {names.FASTER: "≥ 1.3", names.CPU_SHARE: "≤ 0.333"},
                    "figures": summed_up([{**ours, "events/s": 2.0}, {**ours, "events/s": 3.0}]),
                },
                "ladder latency": {
                    "what": "Loyalty Ladder: at a pace",
                    "wanted": {},
                    "figures": summed_up([{"p50 ms": 4.0}]),
                },
            }
        )
    ).splitlines()
    assert "| Kafka Streams | **1** |  |  |  |  |  |  |" in lines
    assert "| Loyalty Ladder | **2.5** (2 to 3) |  | **10** |  | **4** |  | **0** |" in lines
    assert f"| {names.FASTER} | **1.5** | ≥ 1.3 |" in lines
    assert f"| {names.CPU_SHARE} | not measured | ≤ 0.333 |" in lines
    assert lines[-1] == "- faust latency, round 1 of 2: TimeoutError: none came"


def test_the_page_of_the_race_has_its_marks() -> None:
    text = report.inserted(page.PAGE.read_text(), "figures", page.BEGIN, page.END)
    assert f"{page.BEGIN}\nfigures\n{page.END}" in text
