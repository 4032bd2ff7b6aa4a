"""A small shop on Kafka with two workers, and a Prometheus that scrapes them every second."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from app.embedded.demo_events import tell
from app.embedded.demo_purchases import DATA
from app.embedded.ports import free_ports
from app.embedded.tether import Tethered
from tests.collector import Collector
from tests.kafka.broker import Kafka

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
CUSTOMERS = 150
PATIENCE = 300.0
"""Seconds for anything to come about; only a broken one takes so long."""


class Watched:
    """Everything runs on loopback, and ends with `end`, or with this process."""

    def __init__(self, folder: Path, kafka: Kafka, collector: Collector) -> None:
        *self._ports, watcher = free_ports(3)
        self.folder = folder
        self.collector = collector
        self.worker = f"http://127.0.0.1:{self._ports[0]}"
        self.prometheus = f"http://127.0.0.1:{watcher}"
        self.env = {
            "LADDER_BROKERS": kafka.start().bootstrap,
            "LADDER_REPLICATION_FACTOR": "1",
            "LADDER_PARTITIONS": "2",
            "LADDER_CLOCK": "event",
            "LADDER_RATES": str(DATA / "rates.csv"),
            "LADDER_TRACES": collector.address,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            **self._own(0),
        }
        self._running: list[Tethered] = []
        self._story = tell(CUSTOMERS).lines

    def _own(self, number: int) -> dict[str, str]:
        """What each worker has for itself."""
        return {
            "LADDER_API_PORT": str(self._ports[number]),
            "LADDER_DATA_DIR": str(self.folder / f"data-{number}"),
        }

    def start(self) -> None:
        """Prometheus first: it has to see every counter begin."""
        self.ladder("topics", "create")
        self._watch()
        for number in range(len(self._ports)):
            command = [sys.executable, "-m", "app", "worker"]
            self._run(f"worker-{number}", command, self._own(number))
        # Each a partition of its own and a copy of the other's, so that these are seen, too.
        self.until(lambda: self.values("count(ladder_partitions{state='ready'} == 1)") == [2.0])
        half = len(self._story) // 2
        for part in (self._story[:half], self._story[half:]):
            self._send(part)

    def _send(self, lines: Sequence[bytes]) -> None:
        """Send, and wait until it was applied and Prometheus has seen that."""
        before = self._read()
        file = self.folder / "events.ndjson"
        file.write_bytes(b"\n".join(lines) + b"\n")
        self.ladder("emit", str(file))
        wanted = before + len(lines)
        self.until(lambda: self._read() >= wanted)

    def _read(self) -> float:
        return sum(self.values("ladder_records_total{type!='handover'}"))

    def _watch(self) -> None:
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
        config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (job,) = config["scrape_configs"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in self._ports]}]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
        for rules in config["rule_files"]:
            shutil.copy(PROMETHEUS / rules, self.folder / rules)
        self._run(
            "prometheus",
            ["prometheus", f"--config.file={self.folder / 'prometheus.yml'}",
             f"--storage.tsdb.path={self.folder / 'prometheus'}",
             f"--web.listen-address={self.prometheus.removeprefix('http://')}"],
        )  # fmt: skip
        self.until(lambda: self._answers("/-/ready"))

    def _run(self, name: str, command: Sequence[str], own: Mapping[str, str] | None = None) -> None:
        log = self.folder / f"{name}.log"
        env = {**self.env, **(own or {}), "PYTHONPATH": str(ROOT)}
        self._running.append(Tethered(command, log, env=env, folder=self.folder))

    def ladder(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "app", *arguments], env={**os.environ, **self.env},
            cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip

    # What Prometheus knows.

    def get(self, path: str, **asked: str) -> Any:
        """Return the data that an endpoint gives."""
        address = f"{self.prometheus}{path}?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return json.load(answer)["data"]

    def values(self, expression: str) -> list[float]:
        """Return the values of a query now, those that are numbers."""
        found = self.get("/api/v1/query", query=expression)["result"]
        values = [float(each["value"][1]) for each in found]
        return [value for value in values if not math.isnan(value)]

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.prometheus + path, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until it is so; a process that ended says why it never will."""
        end = time.monotonic() + PATIENCE
        while not condition():
            for process in self._running:
                assert process.poll() is None, process.log.read_text("utf-8")[-3_000:]
            assert time.monotonic() < end, "it never came about"
            time.sleep(0.5)

    def end(self) -> None:
        for process in reversed(self._running):
            process.stop()
