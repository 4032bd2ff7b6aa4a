"""The containers of docker-compose.yml as processes of this machine, each told what it is told.

Hosts and ports are others, since all share one loopback; folders lie under one temporary one.
Grafana is not among them: no package of it can be had here.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from app.embedded.ports import free_ports
from app.embedded.tether import Tethered
from tests.contract.composed import DOCKERFILE, ROOT, Composed
from tests.contract.tools import tool
from tests.kafka.broker import Kafka
from tests.kafka.install import libraries

ELSEWHERE = re.compile("KAFKA_(NODE_ID|HEAP_OPTS|LOG_DIRS|CONTROLLER_QUORUM_VOTERS|.*LISTENER.*)")
"""Where a broker is; on loopback it is elsewhere."""
PATIENCE = 120.0
"""Seconds to end in after SIGTERM. A kill would end tini, and leave its child."""
API_VERSIONS = "/opt/kafka/bin/kafka-broker-api-versions.sh"


def instruction(name: str) -> list[str]:
    """The words of ENTRYPOINT or HEALTHCHECK's CMD in the image."""
    found = re.search(rf"^{name}\b(?:.|\\\n)*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    return list(ast.literal_eval(found[1]))


class Machine:
    """Runs what Compose would run; `close` ends all of it."""

    def __init__(self, folder: Path, given: Mapping[str, str]) -> None:
        self.folder = folder
        self.composed = Composed(given)
        self.told_brokers = {
            key.removeprefix("KAFKA_").lower().replace("_", "."): value
            for key, value in self.composed.environment(self.composed.brokers[0]).items()
            if key.startswith("KAFKA_") and not ELSEWHERE.fullmatch(key)
        }
        self.kafka = Kafka(
            folder / "kafka", brokers=3, heap="256m", quick=True, settings=self.told_brokers
        )
        ports = free_ports(len(self.composed.workers) + 1)
        self.ports = dict(zip([*self.composed.workers, "prometheus"], ports, strict=True))
        self.places = {
            f"{name}:9092": f"127.0.0.1:{self.kafka.ports[number]}"
            for number, name in enumerate(self.composed.brokers, start=1)
        } | {f"{name}:6066": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        self._running: dict[str, Tethered] = {}

    # Commands.

    def run(self, name: str) -> int:
        """Run a job to its end; its exit code."""
        return self._popen(self._words(name), name).wait()

    def start(self, name: str) -> None:
        env = {**self._environment(name), **self._as_in_a_container()}
        self._running[name] = Tethered(
            self._words(name), self.log(name), env=env, folder=self.folder, patience=PATIENCE
        )

    def stop(self, name: str) -> int | None:
        """SIGTERM, as Docker does it."""
        process = self._running.pop(name)
        process.stop()
        return process.poll()

    def close(self) -> None:
        for name in list(self._running):
            self.stop(name)
        self.kafka.kill()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    # Health.

    def healthy(self, name: str) -> bool:
        """What the service's own check says, else the image's."""
        check = self.composed.services[name].get("healthcheck", {}).get("test")
        words = check[1:] if check else instruction("HEALTHCHECK")
        if check and check[0] == "CMD-SHELL":
            words = ["sh", "-c", *words]
        return self._check(words, name)

    def alive(self, name: str) -> bool:
        """What the image's check says."""
        return self._check(instruction("HEALTHCHECK"), name)

    def _check(self, words: list[str], name: str) -> bool:
        port = self.ports.get(name, 0)
        words = [re.sub(r"127\.0\.0\.1:(6066|9090)\b", f"127.0.0.1:{port}", word) for word in words]
        return self._popen([self._here(word) for word in words], name).wait() == 0

    # How things are called here.

    def _words(self, name: str) -> list[str]:
        if name == "prometheus":
            return self._prometheus()
        service = self.composed.services[name]
        entry = service.get("entrypoint") or instruction("ENTRYPOINT")
        return [self._here(word) for word in [*entry, *service["command"]]]

    def _here(self, text: str) -> str:
        text = text.replace("/tmp/demo", str(self.folder / "demo"))
        if API_VERSIONS in text:
            command = "org.apache.kafka.tools.BrokerApiVersionsCommand"
            text = text.replace(API_VERSIONS, f"java -cp '{libraries()}/*' {command}")
        for there, here in self.places.items():
            # A broker lists the others under the names that it advertises.
            text = text.replace(there, here)
        return text

    def _environment(self, name: str) -> dict[str, str]:
        told = {} if name == "prometheus" else self.composed.environment(name)
        mounted = {target: source for source, target in self.composed.mounts(name)}
        own = {key: self._here(value) for key, value in told.items() if key.startswith("LADDER_")}
        for key, value in own.items():
            source = mounted.get(value)
            if source is not None:
                inside = ROOT / source if source.startswith("./") else self.folder / source
                own[key] = str(inside)
        if name in self.ports:
            own |= {"LADDER_API_HOST": "127.0.0.1", "LADDER_API_PORT": str(self.ports[name])}
        return own

    def _prometheus(self) -> list[str]:
        """What the image runs by itself, on the mounted files."""
        folder = self.folder / "prometheus"
        folder.mkdir(exist_ok=True)
        for file in (ROOT / "deploy" / "prometheus").iterdir():
            (folder / file.name).write_text(self._here(file.read_text("utf-8")), "utf-8")
        return [
            tool("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
        ]

    def _popen(self, words: list[str], name: str) -> subprocess.Popen[bytes]:
        own = self._as_in_a_container()
        with self.log(name).open("ab") as out:
            return subprocess.Popen(
                words,
                cwd=self.folder,
                env={**os.environ, **self._environment(name), **own},
                stdout=out,
                stderr=out,
            )

    def _as_in_a_container(self) -> dict[str, str]:
        """With `ladder` and `python` on the path; tini adopts orphans, as process 1 does."""
        tools = self.folder / "bin"
        if not tools.exists():
            tools.mkdir()
            for name, what in {"ladder": "-m app", "python": ""}.items():
                (tools / name).write_text(
                    f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} {what} "$@"\n'
                )
                (tools / name).chmod(0o755)
        return {"PATH": f"{tools}:{os.environ['PATH']}", "TINI_SUBREAPER": "1"}
