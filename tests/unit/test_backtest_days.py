"""Days that are odd in their time zone, as a backtest of one tells of them (contract 3 and 5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.cli.main import run
from app.core.instants import format_instant
from tests.oracle.moments import ODD_NIGHTS
from tests.unit.test_instants import changes_of_clocks, wall

OTHERS = ["America/Goose_Bay", "America/Moncton", "Pacific/Kwajalein", "America/New_York",
          "America/Sao_Paulo", "Africa/Cairo", "Africa/Casablanca", "Australia/Lord_Howe",
          "America/Scoresbysund"]  # fmt: skip
Move = tuple[str, str, str | None, str | None]
"""When, who, from where and where to."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ladders").mkdir()
    monkeypatch.setenv("LADDER_LADDERS", "ladders")


def ladder(name: str, *rungs: tuple[str, str], kind: str = "kind: ladder") -> None:
    lines = [f"id: {name}", "version: 1", kind]
    if kind == "kind: ladder":
        lines += ["climb: cumulative", "down: now"]
    lines += ["rungs:", *(f"  - {{id: {rung}, when: '{rule}'}}" for rung, rule in rungs)]
    Path(f"ladders/{name}.yaml").write_text("\n".join(lines))


def purchase(subject: str, time: str, amount: int = 100, currency: str = "VND") -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"{subject} {time}", "source": "/test", "subject": subject,
        "type": "purchase.completed", "time": time,
        "data": {"order_id": time, "amount": amount, "currency": currency},
    }  # fmt: skip


def changes(zone: str, *events: dict[str, Any], until: str) -> list[dict[str, Any]]:
    Path("events.ndjson").write_text("\n".join(map(json.dumps, events)))
    options = ["--timezone", zone, "--until", until, "--changes", "changes", "--customers", "who"]
    assert run(["backtest", "events.ndjson", *options]) == 0
    return [json.loads(line) for line in Path("changes").read_text().splitlines()]


def moves(zone: str, *events: dict[str, Any], until: str) -> list[Move]:
    found = changes(zone, *events, until=until)
    return [(c["time"], c["subject"], c["data"]["from"], c["data"]["to"]) for c in found]


def facts() -> dict[str, dict[str, Any]]:
    """What the last backtest knew at its end, by customer."""
    customers = [json.loads(line) for line in Path("who").read_text().splitlines()]
    return {customer["customer_id"]: customer["facts"] for customer in customers}


def test_two_calendar_days_that_end_at_one_instant_give_one_change() -> None:
    ladder("recent", ("lower", "purchases_in(2) >= 1"), ("upper", "purchases_in(1) >= 1"))
    bought = purchase("c", "2011-12-29T20:00:00Z")  # the 29th; the 30th never was in Apia
    up, down = changes("Pacific/Apia", bought, until="2012-01-05T00:00:00Z")
    assert up["data"]["to"] == "upper"
    assert down["time"] == "2011-12-30T10:00:00Z"
    told = {name: down["data"][name] for name in ("from", "to", "sequence", "passed", "because")}
    assert told == {
        "from": "upper", "to": None, "sequence": 2, "passed": ["upper", "lower"],
        "because": {"rule": "purchases_in(2) >= 1", "facts": {"purchases_in(2)": 0}},
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["kind: ladder", "kind: segment"])
def test_facts_after_a_day_that_never_was_are_those_of_the_day_that_is(kind: str) -> None:
    rule = "purchases_in(1) >= 1 or purchases_in(3) >= 9"
    ladder("recent", ("there", rule), ("gone", "purchases_in(3) < 9"), kind=kind)
    bought = [purchase("c", f"2011-12-{day}T20:00:00Z") for day in (28, 29)]
    last = changes("Pacific/Apia", *bought, until="2011-12-30T10:00:00Z")[-1]
    asked = {"purchases_in(1)": 0, "purchases_in(3)": 1}  # 29 to 31 December
    wanted = asked if kind == "kind: ladder" else {"purchases_in(3)": 1}
    assert (last["time"], last["data"]["because"]["facts"]) == ("2011-12-30T10:00:00Z", wanted)


def test_a_day_that_never_was_has_no_cut_of_top_spenders_of_its_own() -> None:
    ladder("top", ("top", "top_spender(50, 2)"))
    bought = [
        purchase("early", "2011-12-28T20:00:00Z", 100),
        purchase("late", "2011-12-29T20:00:00Z", 50),  # the only one on the 29th and 30th
    ]
    assert moves("Pacific/Apia", *bought, until="2012-01-05T00:00:00Z") == [
        ("2011-12-29T10:00:00Z", "early", None, "top"),
        ("2011-12-30T10:00:00Z", "early", "top", None),
    ]


def test_top_spenders_are_taken_anew_though_the_day_that_dropped_them_never_was() -> None:
    ladder("top", ("top", "top_spender(50, 1)"))
    bought = [
        purchase("once", "2011-12-29T20:00:00Z", 100),
        purchase("after", "2011-12-30T11:00:00Z", 50),
    ]
    assert moves("Pacific/Apia", *bought, until="2012-01-05T00:00:00Z") == []
    assert [who["top_spender(50, 1)"] for who in facts().values()] == [False, False]


NIGHT = [
    ("2010-11-07T02:29:59.999999Z", 6),
    ("2010-11-07T02:30:00Z", 7),
    ("2010-11-07T02:30:59.999999Z", 7),
    ("2010-11-07T02:31:00Z", 6),  # from 00:01 clocks went back to 23:01
    ("2010-11-07T02:45:00Z", 6),
    ("2010-11-07T03:29:59.999999Z", 6),
    ("2010-11-07T03:30:00Z", 7),
]


def test_the_date_of_an_event_is_that_on_the_wall_where_clocks_go_back_over_midnight() -> None:
    ladder("some", ("some", "purchases >= 1"))
    rates = ["date,currency,rate", *(f"2010-11-{day:02},XTS,{day}" for day in range(1, 12))]
    Path("rates.csv").write_text("\n".join(rates))
    events = [purchase(time, time, 100, "XTS") for time, _ in NIGHT]
    Path("events.ndjson").write_text("\n".join(map(json.dumps, events)))
    options = ["--timezone", "America/St_Johns", "--rates", "rates.csv", "--customers", "who"]
    assert run(["backtest", "events.ndjson", *options]) == 0
    assert {who: told["spend"] for who, told in facts().items()} == dict(NIGHT)


@pytest.mark.parametrize("zone", [*ODD_NIGHTS, *OTHERS])
def test_at_every_change_of_the_clocks_until_2199_an_event_has_the_date_on_the_wall(
    zone: str,
) -> None:
    ladder("some", ("some", "purchases >= 1"))
    around = [t for change in changes_of_clocks(ZoneInfo(zone)) for t in (change - 1, change)]
    # The rate of each date is its number, so what an order is worth tells its date.
    dates = {format_instant(t): wall(ZoneInfo(zone), t).date() for t in around}
    rates = [f"{date},XTS,{date.toordinal()}" for date in sorted({*dates.values()})]
    Path("rates.csv").write_text("\n".join(["date,currency,rate", *rates]))
    events = [purchase(time, time, 100, "XTS") for time in dates]
    Path("events.ndjson").write_text("\n".join(map(json.dumps, events)))
    options = ["--timezone", zone, "--rates", "rates.csv", "--customers", "who"]
    assert run(["backtest", "events.ndjson", *options]) == 0
    found = {who: told["spend"] for who, told in facts().items()}
    assert found == {time: date.toordinal() for time, date in dates.items()}
    assert len(found) > 1


def test_what_happened_on_a_day_counts_until_clocks_have_left_it_for_good() -> None:
    ladder("today", ("today", "purchases_in(1) >= 1"))
    bought = [
        purchase("noon", "2010-11-06T15:00:00Z"),
        purchase("next day", "2010-11-07T02:30:30Z"),
        purchase("same day", "2010-11-07T02:45:00Z"),
    ]
    assert moves("America/St_Johns", *bought, until="2010-12-01T00:00:00Z") == [
        ("2010-11-06T15:00:00Z", "noon", None, "today"),
        ("2010-11-07T02:30:30Z", "next day", None, "today"),
        ("2010-11-07T02:45:00Z", "same day", None, "today"),
        ("2010-11-07T03:30:00Z", "noon", "today", None),
        ("2010-11-07T03:30:00Z", "same day", "today", None),
        ("2010-11-08T03:30:00Z", "next day", "today", None),
    ]
