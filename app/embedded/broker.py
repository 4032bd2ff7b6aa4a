"""The embedded broker: noida-db, a small server that speaks Kafka, as a child process.

It is for one machine: the demo, a developer's desk, a smoke test. Its limits, as found with 0.2.3:

- one broker, so one copy of everything; no TLS, no SASL, loopback only
- asking for a topic that does not exist makes it, with one partition (so `app.stream.topics` asks
  for all topics and looks for its own among them)
- creating topics with settings, adding partitions and changing settings work, and retention is
  kept; compaction was not seen to remove anything, so a changelog grows with every write
- an abandoned transaction is never timed out: it ends when a producer with the same transactional
  id starts, so these ids must be stable
- a member of a consumer group that is killed is never expelled, and whoever joins waits for it; so
  another program stands before the broker and expels it (`app.embedded.front`)
- it prints a line about GLIBC when it starts, which is harmless
"""

from __future__ import annotations

import importlib.util
import os
import re
import stat
import sys
from importlib.resources import files
from pathlib import Path
from types import TracebackType

import app
from app.embedded.answers import answers, wait_until_answers
from app.embedded.front import HOST
from app.embedded.ports import free_ports
from app.embedded.tether import Tethered
from app.errors import EmbeddedBrokerError
from app.ops.folders import make_private

OURS = re.compile(r"broker\.log")
WAY_OUT = "run Apache Kafka and name it with --brokers (or LADDER_BROKERS)"


class EmbeddedBroker:
    """The broker on a port of loopback, with its data in a folder; a context manager.

    Raises EmbeddedBrokerError where it cannot run, where the port is taken, and where it ends.
    """

    def __init__(self, folder: Path, port: int = 9092, patience: float = 20.0) -> None:
        self.folder = folder
        self.port = port
        self.patience = patience
        self._processes: list[Tethered] = []
        """The broker, and what stands before it."""

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"

    def start(self) -> EmbeddedBroker:
        """Start it and return once it answers."""
        binary = _binary()
        if answers(HOST, self.port, timeout=0.5):
            raise EmbeddedBrokerError(
                f"a broker answers on {self.bootstrap} already; choose another port, or use it"
            )
        make_private(self.folder, OURS)
        (behind,) = free_ports(1)
        command = [str(binary), "start", "--only", "kafka", "--host", HOST]
        command += ["--kafka-port", str(behind), "--data-dir", str(self.folder)]
        before = [sys.executable, "-P", "-S", "-m", "app.embedded.front"]
        before += [str(self.port), str(behind)]
        try:
            self._begin(command, behind)
            self._begin(before, self.port, PYTHONPATH=str(Path(app.__file__).parents[1]))
        except BaseException:
            self.stop()
            raise
        return self

    def _begin(self, command: list[str], port: int, **env: str) -> None:
        process = Tethered(command, self.log, env=env)
        self._processes.append(process)
        wait_until_answers(HOST, port, process, self.patience)

    def poll(self) -> int | None:
        """The exit code of one that ended; None while it runs and before it is started."""
        codes = (process.poll() for process in self._processes)
        return next((code for code in codes if code is not None), None)

    def stop(self) -> None:
        while self._processes:
            self._processes.pop().stop()

    def kill(self) -> None:
        """End it at once. What it has not saved is lost; saving some 100 MB takes it 10 s."""
        while self._processes:
            self._processes.pop().kill()

    def __enter__(self) -> EmbeddedBroker:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def why_not_here() -> str | None:
    """Why the embedded broker cannot run on this machine; None where it can."""
    if importlib.util.find_spec("noida_db") is None:
        return (
            "the embedded broker (noida-db) is not installed: there are builds for Linux x86-64, "
            f"macOS ARM and Windows; there `pip install 'loyalty-ladder[embedded]'`, else {WAY_OUT}"
        )
    if not _place().is_file():
        return f"the embedded broker has no build for this machine; {WAY_OUT}"
    return None


def _binary() -> Path:
    reason = why_not_here()
    if reason is not None:
        raise EmbeddedBrokerError(reason)
    place = _place()
    if not os.access(place, os.X_OK):
        place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return place


def _place() -> Path:
    name = "noida-db.exe" if os.name == "nt" else "noida-db"
    return Path(str(files("noida_db").joinpath(name)))
