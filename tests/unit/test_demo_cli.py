"""`ladder demo` without a broker: what it writes, what it says, and how it reads a worker."""

from __future__ import annotations

import importlib.util
import json
import shlex
from pathlib import Path

import pytest

from app.cli.demo import demo
from app.cli.demo_screen import line_of
from app.cli.main import run
from app.core.change import Because, Change
from app.embedded.demo_numbers import Numbers, ladders_of, read
from app.embedded.demo_place import elsewhere
from app.errors import EmbeddedBrokerError
from app.ops import metrics as m
from app.ops.registry import Metrics
from app.wire.definition import read_folder


def test_where_the_embedded_broker_has_no_build_the_way_out_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedBrokerError, match="--brokers") as raised:
        demo.main([], standalone_mode=False)
    assert raised.value.exit_code == 1


def test_the_events_that_it_writes_go_through_the_backtest_that_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "--customers", "20", "--write", str(tmp_path / "data")]) == 0
    command = capsys.readouterr().err.splitlines()[-1]
    words = shlex.split(command)
    assert words[:2] == ["ladder", "backtest"]
    assert run([*words[1:], "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["refused"]["not-json"] == 1
    assert summary["changes"] > 300


def test_it_says_which_part_is_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--customers", "1", "--write", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert "Real: 1 purchases of 1 customers of CDNOW" in said
    assert "Made up, from a fixed seed: the " in said


@pytest.mark.parametrize(
    ("asked", "real"),
    [
        ([], "of 2,000 customers"),
        (["--customers", "ALL"], "Real: 69,659 purchases of 23,570 customers"),
        (["--customers", "99999"], "Real: 69,659 purchases of 23,570 customers"),
    ],
)
def test_it_takes_two_thousand_customers_unless_told_how_many_or_all(
    asked: list[str], real: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", *asked, "--write", str(tmp_path)]) == 0
    assert real in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "2.5", ""])
def test_a_number_of_customers_that_is_none_is_wrong_use(
    wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "--customers", wrong]) == 2
    assert "--customers" in capsys.readouterr().err


def metrics(lag: float = 0, due: float = 0) -> Numbers:
    shown = Metrics()
    shown.count(m.EVENTS_APPLIED, 7, "purchase.completed")
    shown.count(m.DEAD_LETTERS, 2, "no-rate")
    shown.count(m.STAGE_CHANGES, 5, "need", "", "unaware", "event")
    shown.count(m.STAGE_CHANGES, 3, "need", "unaware", "bought", "event")
    shown.count(m.STAGE_CHANGES, 1, "need", "bought", "unaware", "clock")
    shown.count(m.STAGE_CHANGES, 3, "basket", "", "low", "event")
    shown.customers(0, {("need", "unaware"): 2, ("need", "bought"): 2, ("basket", "low"): 3})
    shown.customers(1, {("need", "unaware"): 1})
    shown.set(m.LAG, lag, "commerce.purchases", "0")
    shown.set(m.LAG, 0, "commerce.purchases", "1")
    shown.set(m.DUE_BEHIND, due, "0")
    shown.set(m.DUE_BEHIND, 0, "1")
    return read(shown.text().decode())


def test_a_workers_metrics_give_customers_and_moves_by_rung() -> None:
    numbers = metrics()
    assert (numbers.done, numbers.changes, numbers.people) == (9, 12, 5)
    assert numbers.refused == {"no-rate": 2}
    by_id = {ladder.ladder: ladder for ladder in ladders_of(numbers, read_folder())}
    need = {rung.rung: (rung.customers, rung.up, rung.down) for rung in by_id["need"].rungs}
    assert (need["unaware"], need["bought"], need[None]) == ((3, 5, 1), (2, 3, 0), (0, 0, 0))
    basket = {rung.rung: (rung.customers, rung.moved) for rung in by_id["basket"].rungs}
    assert (basket["low"], basket[None]) == ((3, 3), (2, 0))


@pytest.mark.parametrize(
    ("lag", "due", "partitions", "left"),
    [(0, 0, 2, False), (1, 0, 2, True), (0, 0.5, 2, True), (0, 0, 3, True)],
)
def test_nothing_is_left_when_all_partitions_say_so(
    lag: float, due: float, partitions: int, left: bool
) -> None:
    assert metrics(lag, due).nothing_left(partitions, 1) is not left


def test_on_others_brokers_every_name_is_its_own_and_the_connection_the_users(
    tmp_path: Path,
) -> None:
    given = {
        "LADDER_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "LADDER_SASL_USERNAME": "u",
        "LADDER_SASL_PASSWORD": "p",
        "LADDER_TIMEZONE": "Asia/Tokyo",
        "LADDER_API_TOKEN": "secret",
    }
    settings = elsewhere(tmp_path, "kafka:9092", given).settings
    assert (settings.brokers, settings.sasl_username) == ("kafka:9092", "u")
    assert (settings.timezone, settings.api_token) == ("UTC", None)
    names = [*settings.topics, settings.dead_letters, settings.handovers, settings.changelog]
    assert all(name.startswith(settings.app_id) for name in names)
    assert settings.changes_topic("need").startswith(settings.app_id)


def test_a_change_is_told_by_who_from_where_to_where_and_why() -> None:
    why = Because("purchases >= 2", {"purchases": 2})
    change = Change(
        "c-1", 1, "raving-fan", 1, 2, 0, "shopper", "customer", "up", ["customer"], "event",
        None, why, None, None, None, None, False,
    )  # fmt: skip
    told = " ".join(line_of(change).plain.split())
    assert told == "1970-01-01 00:00 c-1 raving-fan shopper ↑ customer event: purchases = 2"
