"""Apache Kafka brokers as child processes, for tests and benchmarks."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from app.embedded.answers import wait_until_answers
from app.embedded.ports import free_ports
from app.embedded.tether import Tethered
from tests.kafka.install import HERE, libraries

CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Up in half the time, slower at its best."""


class Kafka:
    """A cluster of one or more brokers on free ports of loopback; nodes count from 1.

    settings come over those that it has by itself, until it is first started. Quick ones start in
    half the time and are no good for measuring. Everything it writes lies under the folder. A
    broker ends with this process, however that ends.

    With detours each broker has a second address: clients that came in by a port of `detours` are
    told to find every broker at those. Nothing listens there but what a test puts between them and
    the ports `behind`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        brokers: int = 1,
        heap: str = "512m",
        quick: bool = False,
        detours: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.nodes = range(1, brokers + 1)
        self._libraries = libraries()
        self._options = [f"-Xmx{heap}", *(QUICK if quick else ())]
        self.settings = dict(settings or {})
        ports = iter(free_ports(4 * brokers))
        self.ports = {node: next(ports) for node in self.nodes}
        self.controllers = {node: next(ports) for node in self.nodes}
        self.detours = {node: next(ports) for node in self.nodes} if detours else {}
        self.behind = {node: next(ports) for node in self.detours}
        self._running: dict[int, Tethered] = {}

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.ports.values())

    def start(self) -> Kafka:
        """Start every broker that does not run and wait until all of them answer."""
        for node in self.nodes:
            if node not in self._running:
                self._start(node)
        for node, process in self._running.items():
            wait_until_answers("127.0.0.1", self.ports[node], process, timeout=120)
        return self

    def stop(self, node: int | None = None) -> None:
        """Shut one broker, or all, down in order."""
        for each in self._these(node):
            self._running.pop(each).stop()

    def kill(self, node: int | None = None) -> None:
        """End one broker, or all, as a power cut would."""
        for each in self._these(node):
            self._running.pop(each).kill()

    def pause(self, node: int = 1) -> None:
        self._running[node].signal(signal.SIGSTOP)

    def resume(self, node: int = 1) -> None:
        self._running[node].signal(signal.SIGCONT)

    def log(self, node: int = 1) -> Path:
        return self.folder / f"broker-{node}.log"

    @property
    def running(self) -> set[int]:
        return {node for node, process in self._running.items() if process.poll() is None}

    def _these(self, node: int | None) -> list[int]:
        return [each for each in list(self._running) if node in (None, each)]

    def _start(self, node: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / f"broker-{node}.properties"
        if not properties.exists():
            properties.write_text(self._properties(node))
            self._format(properties)
        options = [*self._options, f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}"]
        self._running[node] = Tethered(
            ["java", *options, "-cp", self._class_path, "kafka.Kafka", str(properties)],
            self.log(node),
        )

    @property
    def _class_path(self) -> str:
        return str(self._libraries / "*")

    def _format(self, properties: Path) -> None:
        subprocess.run(
            ["java", *QUICK, "-cp", self._class_path, "kafka.tools.StorageTool", "format",
             "-t", CLUSTER, "-c", str(properties)],
            check=True,
            capture_output=True,
        )  # fmt: skip

    def _properties(self, node: int) -> str:
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in self.controllers.items())
        copies = min(3, len(self.nodes))
        listeners = advertised = f"PLAINTEXT://127.0.0.1:{self.ports[node]}"
        if node in self.detours:
            listeners += f",DETOUR://127.0.0.1:{self.behind[node]}"
            advertised += f",DETOUR://127.0.0.1:{self.detours[node]}"
        own = {
            "node.id": str(node),
            "controller.quorum.voters": voters,
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{self.controllers[node]}",
            "advertised.listeners": advertised,
            "log.dirs": str(self.folder / f"data-{node}"),
            "offsets.topic.replication.factor": str(copies),
            "transaction.state.log.replication.factor": str(copies),
            "transaction.state.log.min.isr": str(max(1, copies - 1)),
            "min.insync.replicas": str(max(1, copies - 1)),
            **self.settings,
        }
        lines = [f"{name}={value}" for name, value in own.items()]
        return (HERE / "server.properties").read_text() + "\n".join(lines) + "\n"
