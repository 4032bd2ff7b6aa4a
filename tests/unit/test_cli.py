"""The command line as a whole: help, exit codes, and where words go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from app.cli import main as entry
from app.cli.main import COMMANDS, Ladder, ladder, run
from app.settings import DECLARED, MASK

HEAVY = {"aiokafka", "faust", "rich", "structlog", "rocksdict", "msgspec", "orjson", "asyncio"}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


assert isinstance(ladder, Ladder)
ALL = list(commands(ladder))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert f"ladder {path[0]}" in out


def test_help_loads_nothing_that_takes_its_time() -> None:
    code = (
        "import sys; from app.cli.main import run; run(['--help']); "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_commands_that_are_not_there_yet_are_not_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    later = entry.Command("app.cli.not_there", "later", "Comes later")
    monkeypatch.setattr(entry, "COMMANDS", {**COMMANDS, "later": later})
    assert run(["--help"]) == 0
    assert "later" not in capsys.readouterr().out
    assert run(["later"]) == 2


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["config", "--nonsense"], ["emit"], ["emit", "no-such-file"]]
)
def test_wrong_use_is_exit_code_two_and_says_so_on_standard_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error:" in err


def test_wrong_settings_are_wrong_use_and_all_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LADDER_PARTITIONS", "many")
    monkeypatch.setenv("LADDER_CLOCK", "sundial")
    assert run(["config"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "LADDER_PARTITIONS" in err
    assert "LADDER_CLOCK" in err


def test_a_broker_that_does_not_answer_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", "--brokers", "127.0.0.1:1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ladder: no Kafka answers at 127.0.0.1:1")
    assert len(err.splitlines()) == 1, "the libraries keep quiet"


def test_config_shows_every_setting_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LADDER_API_TOKEN", "hunter2")
    assert run(["config", "--json"]) == 0
    out = capsys.readouterr().out
    rows = {row["variable"]: row for row in map(json.loads, out.splitlines())}
    assert list(rows) == [declared.variable for declared in DECLARED]
    assert rows["LADDER_API_TOKEN"]["value"] == MASK
    assert rows["LADDER_API_TOKEN"]["from"] == "environment"
    assert rows["LADDER_CLOCK"]["from"] == "default"
    assert "hunter2" not in out


def test_config_is_a_table_for_people_without_colour_or_cuts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["config"]) == 0
    out = capsys.readouterr().out
    assert "\x1b[" not in out
    assert "…" not in out
    assert all(declared.meaning in out for declared in DECLARED)


def test_a_misspelt_variable_is_told_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LADDER_BROKER", "elsewhere:9092")
    assert run(["config"]) == 0
    assert "did you mean LADDER_BROKERS?" in capsys.readouterr().err


def test_an_option_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LADDER_PARTITIONS", "4")
    assert run(["topics", "create", "--dry-run", "--json", "--partitions", "3"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["partitions"] for row in rows} == {3}


def test_a_dry_run_prints_commands_that_make_the_topics(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "create", "--dry-run"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert all(line.startswith("kafka-topics.sh --bootstrap-server ") for line in printed)
    changelog = next(line for line in printed if "customers-changelog" in line)
    assert "--config cleanup.policy=compact" in changelog
    assert "--replication-factor 3" in changelog
    assert "--config min.insync.replicas=2" in changelog


def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "app", "config"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_is_exit_code_130(
    raised: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: object) -> None:
        raise raised

    monkeypatch.setattr(Ladder, "invoke", interrupted)
    assert run(["config"]) == 130
    assert capsys.readouterr().out == ""
