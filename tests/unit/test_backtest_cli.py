"""`ladder backtest`: what goes in, what is written where, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from app.wire.stage_change import decode

LADDER = """\
id: tiny
version: 1
title: {en: Tiny}
kind: ladder
climb: cumulative
down: now
rungs:
  - id: known
    title: {en: Known}
    when: "events_in(30) >= 1"
  - id: buyer
    title: {en: Buyer}
    when: "purchases_in(10) >= 1"
"""


def event(number: int, type_: str, subject: str, time: str, **data: object) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/test",
        "type": type_,
        "subject": subject,
        "time": time,
        "data": data,
    }


def purchase(number: int, subject: str, time: str, **more: object) -> dict[str, Any]:
    data = {"order_id": f"o-{number}", "amount": 100, "currency": "VND", **more}
    return event(number, "purchase.completed", subject, time, **data)


EVENTS = [
    purchase(2, "b", "2026-03-02T00:00:00Z"),
    purchase(1, "a", "2026-03-01T00:00:00Z"),
    event(3, "signup.inquired", "c", "2026-03-02T00:00:00Z"),
    purchase(1, "a", "2026-03-01T00:00:00Z"),
]
REFUSED = ["no json", json.dumps(event(9, "purchase.refunded", "a", "2026-03-03T00:00:00Z",
                                       order_id="o-7", amount=1, currency="VND"))]  # fmt: skip


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ladders").mkdir()
    Path("ladders/tiny.yaml").write_text(LADDER)
    monkeypatch.setenv("LADDER_LADDERS", "ladders")
    write("events.ndjson", [json.dumps(each) for each in EVENTS])
    write("wrong.ndjson", ["", REFUSED[0], "  ", REFUSED[1]])


def write(name: str, lines: list[str]) -> None:
    Path(name).write_text("\n".join(lines))


def read(name: str) -> list[Any]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def summary(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["backtest", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_summary_counts_customers_moves_stays_and_repeats(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = summary(capsys, "events.ndjson", "--until", "2026-03-20T00:00:00Z")
    (tiny,) = found.pop("ladders")
    assert found == {
        "lines": 4,
        "refused": {},
        "repeated": 1,
        "dropped": 0,
        "customers": 3,
        "changes": 5,
        "clock": "2026-03-20T00:00:00Z",
    }
    none, known, buyer = tiny.pop("rungs")
    assert tiny == {"ladder": "tiny", "kind": "ladder", "up": 3, "down": 2, "moved": 0}
    assert (none["rung"], none["customers"]) == (None, 0)
    assert (known["rung"], known["customers"], known["up"], known["down"]) == ("known", 3, 1, 2)
    assert (buyer["rung"], buyer["customers"], buyer["up"], buyer["down"]) == ("buyer", 0, 2, 0)
    assert (known["median_held_seconds"], buyer["median_held_seconds"]) == (None, 10 * 86_400)


def test_without_until_the_clock_stands_at_the_greatest_event_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = summary(capsys, "events.ndjson")
    assert (found["clock"], found["changes"]) == ("2026-03-02T00:00:00Z", 3)


def test_a_merge_of_two_ids_that_are_one_changes_nothing_but_the_clock(
    capsys: pytest.CaptureFixture[str],
) -> None:
    merges = [
        event(7, "profile.merged", "b", "2026-03-03T00:00:00Z", into="a"),
        event(8, "profile.merged", "a", "2026-03-20T00:00:00Z", into="b"),
    ]
    write("merged.ndjson", [json.dumps(each) for each in [*EVENTS, *merges]])
    found = summary(capsys, "merged.ndjson")
    assert (found["clock"], found["dropped"], found["customers"]) == (merges[1]["time"], 0, 2)


def test_the_id_of_a_merge_is_remembered_by_who_survives_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    again = "2026-03-20T00:00:00Z"
    lines = [
        event(7, "profile.merged", "b", "2026-03-03T00:00:00Z", into="a"),
        event(7, "profile.merged", "b", again, into="a"),
        event(7, "signup.inquired", "a", again),
    ]
    write("merged.ndjson", [json.dumps(each) for each in [*EVENTS, *lines]])
    found = summary(capsys, "merged.ndjson", "--customers", "out")
    assert (found["clock"], found["repeated"]) == ("2026-03-03T00:00:00Z", 3)
    assert read("out")[0]["facts"]["inquiries"] == 0


def test_people_see_rungs_moves_and_what_was_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "events.ndjson", "wrong.ndjson"]) == 0
    out = capsys.readouterr().out
    assert "tiny" in out
    assert "buyer" in out
    assert "2 lines were refused" in out
    assert "1 not-json" in out
    assert "wrong.ndjson:2: " in out
    assert "1 unknown-order" in out
    assert "wrong.ndjson:4: " in out


def test_changes_are_written_by_time_then_customer_as_they_would_be_published() -> None:
    until = "2026-03-20T00:00:00Z"
    assert run(["backtest", "events.ndjson", "--changes", "out", "--until", until]) == 0
    changes = [decode(line) for line in Path("out").read_bytes().splitlines()]
    assert [(change.customer, change.from_, change.to) for change in changes] == [
        ("a", None, "buyer"),
        ("b", None, "buyer"),
        ("c", None, "known"),
        ("a", "buyer", "known"),
        ("b", "buyer", "known"),
    ]
    assert [change.time for change in changes] == sorted(change.time for change in changes)


def test_customers_are_written_as_the_api_gives_them() -> None:
    until = "2026-03-12T00:00:00Z"
    assert run(["backtest", "events.ndjson", "--customers", "out", "--until", until]) == 0
    customers = read("out")
    assert [customer["customer_id"] for customer in customers] == ["a", "b", "c"]
    a, b, _ = customers
    assert (a["as_of"], a["facts"]["purchases_in(10)"], b["facts"]["spend"]) == (until, 0, 100)
    assert a["ladders"]["tiny"]["rung"] == "known"


def test_dead_letters_say_file_and_line_and_fail_nothing() -> None:
    assert run(["backtest", "wrong.ndjson", "events.ndjson", "--dead-letters", "out"]) == 0
    assert [(letter["reason"], letter["file"], letter["line"]) for letter in read("out")] == [
        ("not-json", "wrong.ndjson", 2),
        ("unknown-order", "wrong.ndjson", 4),
    ]
    assert all(letter["message"] for letter in read("out"))


def test_of_events_at_one_time_the_order_of_the_topics_decides_then_that_of_the_lines() -> None:
    time = "2026-03-01T00:00:00Z"
    refund = event(3, "purchase.refunded", "a", time, order_id="o-2", amount=1, currency="VND")
    review = event(1, "review.posted", "a", time, review_id="r-1")
    lines = [review, purchase(2, "a", time), refund]
    write("tied.ndjson", [json.dumps(line) for line in lines])
    assert run(["backtest", "tied.ndjson", "--changes", "out", "--dead-letters", "dead"]) == 0
    assert read("dead") == []
    assert [change["data"]["trigger"]["id"] for change in read("out")] == ["e-2"]


def test_settings_give_the_day_and_the_money(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write("usd.ndjson", [json.dumps(purchase(1, "a", "2026-03-01T20:00:00Z", currency="USD"))])
    assert run(["backtest", "usd.ndjson", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["refused"] == {"no-rate": 1}
    Path("rates.csv").write_text("date,currency,rate\n2026-03-02,USD,25000\n")
    monkeypatch.setenv("LADDER_TIMEZONE", "Asia/Ho_Chi_Minh")
    assert run(["backtest", "usd.ndjson", "--rates", "rates.csv", "--customers", "out"]) == 0
    (customer,) = read("out")
    assert customer["facts"]["spend"] == 25_000


DIGITS = {
    0: "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE TPE TRL"  # withdrawn
    " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "BGN DEM FRF HRK MXV NLG ROL SIT TRY BYN MGA XAU ZZZ EUR IDR LBP",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


def test_minor_units_have_the_digits_that_iso_4217_gives_them_withdrawn_codes_too() -> None:
    codes = {code: digits for digits, found in DIGITS.items() for code in found.split()}
    day = "2026-03-01T12:00:00Z"
    lines = [
        purchase(number, code, day, amount=10_000, currency=code)
        for number, code in enumerate(codes)
    ]
    write("many.ndjson", [json.dumps(line) for line in lines])
    rates = ["date,currency,rate", *(f"2026-01-01,{code},1" for code in codes)]
    Path("rates.csv").write_text("\n".join(rates))
    for base in ("USD", "ITL"):
        options = ["--rates", "rates.csv", "--currency", base, "--customers", "out"]
        assert run(["backtest", "many.ndjson", *options]) == 0
        spent = {each["customer_id"]: each["facts"]["spend"] for each in read("out")}
        own = 2 if base == "USD" else 0
        assert spent == {code: 10_000 * 10**own // 10 ** codes[code] for code in codes}


def test_a_file_in_another_currency_is_told_how_to_reckon_in_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("usd.ndjson", [json.dumps(purchase(1, "a", "2026-03-01T20:00:00Z", currency="USD"))])
    assert run(["backtest", "usd.ndjson"]) == 1
    assert "set LADDER_CURRENCY=USD (--currency USD), else add one" in capsys.readouterr().err
    assert run(["backtest", "usd.ndjson", "--currency", "USD"]) == 0
    Path("rates.csv").write_text("date,currency,rate\n2026-03-05,USD,25000\n")
    assert run(["backtest", "usd.ndjson", "--rates", "rates.csv"]) == 1
    err = capsys.readouterr().err
    assert "no rate from USD to VND on or before the event's date" in err
    assert "--currency" not in err


def test_a_pipe_may_stand_for_the_events_and_for_what_is_written() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "backtest", "-", "--changes", "-"],
        input=Path("events.ndjson").read_bytes(),
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "LADDER_LADDERS": "ladders"},
    )
    assert len([decode(line) for line in done.stdout.splitlines()]) == 3
    assert b"3 stage changes" in done.stderr


def test_a_line_without_end_is_one_dead_letter_and_the_next_line_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("long.ndjson", ["x" * 3_000_000, json.dumps(EVENTS[0])])
    found = summary(capsys, "long.ndjson")
    assert (found["refused"], found["changes"]) == ({"too-large": 1}, 1)


def test_who_has_read_enough_of_a_pipe_ends_it_well() -> None:
    write("many.ndjson", [json.dumps(purchase(n, f"c-{n}", "2026-03-01T00:00:00Z"))
                          for n in range(2_000)])  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "app", "backtest", "many.ndjson", "--customers", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "LADDER_LADDERS": "ladders"},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert json.loads(running.stdout.readline())["customer_id"] == "c-0"
        running.stdout.close()
        said = running.stderr.read().decode()
    assert (running.returncode, "Error" in said) == (0, False)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_history_of_which_every_line_is_refused_is_a_failure_and_says_the_first_reasons(
    form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write("export.csv", ["date,customer,amount", *(["2026-03-01,a,5"] * 9)])
    assert run(["backtest", "export.csv", "--dead-letters", "out", *form]) == 1
    assert len(read("out")) == 10, "what was asked for is written all the same"
    out, err = capsys.readouterr()
    first, *reasons = err.splitlines()
    assert first == "ladder: all 10 lines were refused:"
    assert [line.split(": ")[:2] for line in reasons] == [
        [f"  export.csv:{number}", "not-json"] for number in (1, 2, 3)
    ]
    assert form == [] or json.loads(out)["refused"] == {"not-json": 10}


def test_one_good_line_or_none_at_all_is_no_failure() -> None:
    write("one.ndjson", ["{", json.dumps(EVENTS[0])])
    write("none.ndjson", [])
    assert run(["backtest", "one.ndjson"]) == 0
    assert run(["backtest", "none.ndjson"]) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_told_by_the_name_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "events.ndjson", "--changes", "/dev/full"]) == 2
    assert "/dev/full: cannot be written: No space left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.ndjson"], "missing.ndjson"),
        (["ladders"], "directory"),
        ([], "EVENTS"),
        (["events.ndjson", "--until", "yesterday"], "2026-03-01T00:00:00Z"),
        (["events.ndjson", "--ladders", "nowhere"], "nowhere"),
        (["events.ndjson", "--changes", "no/such/folder"], "cannot be written"),
        (["events.ndjson", "--changes", "events.ndjson"], "overwritten"),
        (["events.ndjson", "--changes", "x", "--customers", "./x"], "twice"),
        (["events.ndjson", "--changes", "-", "--json"], "standard output"),
        (["events.ndjson", "--changes", "-", "--dead-letters", "-"], "standard output"),
    ],
)
def test_what_cannot_work_is_wrong_use(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("events.ndjson").read_bytes()
    assert run(["backtest", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert Path("events.ndjson").read_bytes() == before


def test_a_bad_ladder_is_wrong_use_and_named_by_file_and_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("ladders/tiny.yaml").write_text(LADDER.replace("purchases_in", "purchase_in"))
    assert run(["backtest", "events.ndjson"]) == 2
    assert "ladders/tiny.yaml:13:" in capsys.readouterr().err
