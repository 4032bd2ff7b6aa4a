"""`ladder broker`, and the other commands on what it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.main import run
from app.embedded.answers import answers
from app.embedded.broker import EmbeddedBroker
from app.embedded.ports import free_ports

pytestmark = pytest.mark.usefixtures("embedded_broker")


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def running(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, once it says that it answers."""
    command = [sys.executable, "-m", "app", "broker", "--port", str(port), "--folder", "kept"]
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"Kafka answers at 127.0.0.1:{port}, data in ")
        yield process
        process.kill()


def gone(port: int) -> bool:
    """Wait until nothing answers any more; the run's own time limit is the only clock."""
    while answers("127.0.0.1", port):
        pass
    return True


def test_it_serves_the_other_commands(
    running: subprocess.Popen[str],
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LADDER_BROKERS", f"127.0.0.1:{port}")
    monkeypatch.setenv("LADDER_PARTITIONS", "2")
    assert run(["topics", "create"]) == 0
    assert run(["topics", "check"]) == 0
    (tmp_path / "events").write_text('{"type": "purchase.completed", "subject": "c-1"}\n' * 10)
    assert run(["emit", str(tmp_path / "events"), "--until", "2026-01-01T00:00:00Z"]) == 0
    assert run(["watch", "--from-start", "--once"]) == 0
    assert run(["dead-letters", "list"]) == 0
    assert "10 events sent" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_a_signal_ends_it_and_its_child(
    running: subprocess.Popen[str], port: int, number: int, code: int
) -> None:
    running.send_signal(number)
    assert running.wait() == code
    assert gone(port)


def test_its_child_ends_even_when_it_is_killed(running: subprocess.Popen[str], port: int) -> None:
    running.kill()
    assert gone(port)


def test_a_taken_port_is_told_with_the_way_out(
    embedded_broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["broker", "--port", str(embedded_broker.port), "--folder", str(tmp_path)]) == 1
    assert "choose another port" in capsys.readouterr().err
