"""What ends a command is told once: in words, or as a line of JSON where the log is JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from app.cli.main import Ladder, run


@pytest.fixture(autouse=True)
def _in_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LADDER_LOG_FORMAT", "json")


def only(text: str) -> dict[str, Any]:
    (line,) = text.strip().splitlines()  # click ends the line that an interrupt broke
    told: dict[str, Any] = json.loads(line)
    assert list(told)[:5] == ["time", "level", "logger", "action", "event"]
    assert told["time"].endswith("Z")
    assert told["level"] == "error"
    return told


def test_an_error_is_one_line_with_its_kind_and_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["watch", "--brokers", "127.0.0.1:1"]) == 1
    told = only(capsys.readouterr().err)
    assert (told["action"], told["kind"], told["exit_code"]) == ("fatal-error", "BrokerError", 1)
    assert told["error"].startswith("no Kafka answers at 127.0.0.1:1")


def test_wrong_settings_are_one_line_that_lists_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LADDER_PARTITIONS", "many")
    monkeypatch.setenv("LADDER_LOG_LEVEL", "loud")
    assert run(["worker"]) == 2
    told = only(capsys.readouterr().err)
    assert (told["kind"], told["exit_code"]) == ("SettingsError", 2)
    assert "LADDER_PARTITIONS must" in told["error"]
    assert "LADDER_LOG_LEVEL must" in told["error"]


def test_the_form_may_stand_in_a_file_that_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LADDER_LOG_FORMAT")
    Path(".env").write_bytes(b"LADDER_LOG_FORMAT=json\nLADDER_APP_ID=caf\xe9\n")
    assert run(["worker"]) == 2
    assert ".env, line 2" in only(capsys.readouterr().err)["error"]


@pytest.mark.parametrize("arguments", [["nonsense"], ["worker", "--nonsense"], ["emit"]])
def test_wrong_use_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    told = only(capsys.readouterr().err)
    assert (told["kind"], told["exit_code"]) == ("UsageError", 2)
    assert "Error" not in told["error"]
    assert "Usage" not in told["error"]


def test_a_bug_is_one_line_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(Ladder, "invoke", broken)
    assert run(["config"]) == 1
    told = only(capsys.readouterr().err)
    assert (told["action"], told["kind"]) == ("fatal-bug", "ZeroDivisionError")
    assert "in broken" in told["exception"]


def test_a_bug_is_a_traceback_where_the_log_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setenv("LADDER_LOG_FORMAT", "console")
    monkeypatch.setattr(Ladder, "invoke", broken)
    with pytest.raises(ZeroDivisionError):
        run(["config"])


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_one_line(
    raised: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise raised

    monkeypatch.setattr(Ladder, "invoke", interrupted)
    assert run(["config"]) == 130
    assert only(capsys.readouterr().err)["action"] == "command-interrupted"


def test_a_variable_that_is_no_setting_is_told_as_a_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LADDER_BROKER", "a:1")
    assert run(["config", "--json"]) == 0
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["level"], line["action"]) == ("warning", "setting-unknown")
    assert line["error"] == "LADDER_BROKER is no setting; did you mean LADDER_BROKERS?"
