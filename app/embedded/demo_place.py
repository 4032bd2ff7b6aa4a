"""Where the demo runs: its own names, ports and folder, so that it meets nothing else."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import app
from app import settings as declarations
from app.embedded.broker import EmbeddedBroker
from app.embedded.demo_purchases import DATA
from app.embedded.ports import free_ports
from app.embedded.tether import Tethered
from app.errors import DemoFailed
from app.settings import DECLARED, Settings

PARTITIONS = 4
END_OF_LOG = 2_000
"""Characters of the worker's log that are shown when it ended."""
_CONNECTION = ("security_protocol", "sasl_", "ssl_", "replication_factor")
_FILES = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class Place:
    """The settings of a demo, and the environment that gives them to its worker."""

    settings: Settings
    env: Mapping[str, str]
    folder: Path


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Place]:
    """A place with a broker of its own, under the default names. Raises EmbeddedBrokerError."""
    port, api_port = free_ports(2)
    broker = EmbeddedBroker(folder / "broker", port).start()
    try:
        given = {"LADDER_BROKERS": broker.bootstrap, "LADDER_APP_ID": "demo"}
        yield _place(folder, api_port, given)
    finally:
        broker.kill()  # nobody wants its data any more


def elsewhere(folder: Path, brokers: str, given: Mapping[str, str]) -> Place:
    """A place on brokers that others use, too: every name begins with one of this demo.

    given: our variables as the user has set them; those on how to connect are taken.
    """
    (api_port,) = free_ports(1)
    name = f"demo-{secrets.token_hex(3)}"
    chosen = {"LADDER_BROKERS": brokers, "LADDER_APP_ID": name}
    for declared in DECLARED:
        if declared.name.startswith(_CONNECTION) and declared.variable in given:
            value = given[declared.variable]
            relative = declared.name in _FILES
            chosen[declared.variable] = str(Path(value).resolve()) if relative else value
        elif declared.name in ("topics", "changes_prefix", "dead_letters", "handovers"):
            names = declared.default.split(",")
            chosen[declared.variable] = ",".join(f"{name}.{each}" for each in names)
    return _place(folder, api_port, chosen)


def _place(folder: Path, api_port: int, chosen: Mapping[str, str]) -> Place:
    rates = folder / "rates.csv"
    rates.write_bytes(DATA.joinpath("rates.csv").read_bytes())
    env = {declared.variable: "" for declared in DECLARED} | {
        "LADDER_PARTITIONS": str(PARTITIONS),
        "LADDER_CLOCK": "event",
        # However slow the machine is, nothing is to be late.
        "LADDER_MERGE_WAIT": "120",
        "LADDER_RATES": str(rates),
        "LADDER_DATA_DIR": str(folder / "worker"),
        "LADDER_API_PORT": str(api_port),
        **chosen,
    }
    return Place(declarations.load(env, dotenv=None), env, folder)


class Worker:
    """`ladder worker` as a child that cannot outlive us; a context manager."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._process: Tethered | None = None

    def __enter__(self) -> Worker:
        # Started in the demo's folder, so that no .env file of the user's is read; -P because
        # nothing that lies there is to be imported.
        self._process = Tethered(
            [sys.executable, "-P", "-m", "app", "worker"],
            self.log,
            env={**self._place.env, "PYTHONPATH": str(Path(app.__file__).parents[1])},
            folder=self._place.folder,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def log(self) -> Path:
        return self._place.folder / "worker.log"

    @property
    def pid(self) -> int:
        assert self._process is not None, "only a started worker has a process"
        return self._process.pid

    def check(self) -> None:
        """Raises DemoFailed when it has ended."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise self.failed(f"the worker ended with exit code {code}")

    def failed(self, what: str) -> DemoFailed:
        end = self.log.read_text(errors="replace")[-END_OF_LOG:]
        return DemoFailed(f"{what}; its log ends with:\n{end}")
