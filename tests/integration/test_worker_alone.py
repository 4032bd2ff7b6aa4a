"""A worker that waits for its broker: what it takes of its machine, and what others may."""

from __future__ import annotations

import http.client
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from app.embedded.ports import free_ports
from app.embedded.tether import Tethered
from tests.faults.rest import PATIENCE

SOFT, HARD = 100, 256
ROOT = Path(__file__).parents[2]


class Running:
    """A worker that waits for its broker."""

    def __init__(self, folder: Path) -> None:
        self.port, nobody = free_ports(2)
        self.log = folder / "log"
        command = f'ulimit -Sn {SOFT}; ulimit -Hn {HARD}; exec "$@"'
        self.process = Tethered(
            ["sh", "-c", command, "sh", sys.executable, "-m", "app", "worker"],
            self.log,
            env={
                "PYTHONPATH": str(ROOT),
                "LADDER_API_PORT": str(self.port),
                "LADDER_BROKERS": f"127.0.0.1:{nobody}",
            },
            folder=folder,
        )

    def live(self) -> int:
        """Ask it anew."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            asked.request("GET", "/health/live")
            return asked.getresponse().status
        finally:
            asked.close()

    def wait(self) -> None:
        while self.process.poll() is None:
            with suppress(OSError):
                self.live()
                return
        pytest.fail(self.log.read_text("utf-8"))


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.wait()
    yield running
    running.process.stop()


def test_a_worker_takes_the_descriptors_that_it_may_have(worker: Running) -> None:
    limits = resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE)
    assert limits == (HARD, HARD)


def test_what_it_keeps_nobody_else_may_read(worker: Running) -> None:
    folder = worker.log.parent / "data"
    modes = {each.stat().st_mode & 0o777 for each in (folder, *folder.rglob("*"))}
    assert modes <= {0o700, 0o600}
    assert len(modes) == 2


def test_sockets_that_say_nothing_keep_nobody_from_health(worker: Running) -> None:
    lines = len(worker.log.read_text("utf-8").splitlines())
    with ExitStack() as idle:
        for _ in range(6 * HARD):
            address = ("127.0.0.1", worker.port)
            idle.enter_context(socket.create_connection(address, PATIENCE))
        assert worker.live() == 200
        said = worker.log.read_text("utf-8").splitlines()[lines:]
    assert any("connections-full" in line for line in said)
    assert not [line for line in said if "accept" in line or "Traceback" in line]
    assert len(said) < 20
