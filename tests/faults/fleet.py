"""Workers as people run them, `python -m app worker`, with topics of one test's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka.structs import ConsumerRecord

from app.embedded.ports import free_ports
from app.settings import Settings, load
from app.stream import clients, topic_admin, topics
from app.stream.reading import read
from app.wire.definition import read_folder
from tests.faults import rest
from tests.faults.rest import until
from tests.faults.tale import Told

ANSWERS_WITHIN = aiohttp.ClientTimeout(total=5)
Place = tuple[str, int, int]
"""Topic, partition, offset."""
LANES = ("purchases", "signups", "reviews", "referrals", "interactions", "profiles")


class Member:
    """One process of `ladder worker`; its log stays when it ends."""

    def __init__(
        self, process: subprocess.Popen[bytes], folder: Path, port: int, log: Path
    ) -> None:
        self.process, self.folder, self.port, self.log = process, folder, port, log

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    async def ended(self) -> int:
        """Wait for its end; gives the exit code."""

        async def over() -> bool:
            return not self.runs

        await until(f"worker of {self.folder} has ended\n{self.tail()}", over)
        return self.process.returncode

    async def stop(self) -> None:
        """Ask it to end and see that it does so well."""
        self.signal(signal.SIGTERM)
        assert await self.ended() == 0, self.tail()

    async def quit(self) -> None:
        """Ask it to end; one that was about to die may die, and one that hardly began just ends."""
        if self.runs:
            self.signal(signal.SIGTERM)
        assert await self.ended() in (0, -signal.SIGKILL, -signal.SIGTERM), self.tail()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Ask its API; status 0 when it does not answer, as one that stands still."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            async with (
                aiohttp.ClientSession(timeout=ANSWERS_WITHIN) as client,
                client.get(url) as answer,
            ):
                return answer.status, await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0, b""

    async def metric(self, name: str) -> list[float]:
        """The values of all series of a metric."""
        status, body = await self.get("/metrics")
        if status != 200:
            return []
        lines = (line.rsplit(" ", 1) for line in body.decode().splitlines())
        return [float(line[1]) for line in lines if line[0].partition("{")[0] == name]

    async def told(self) -> dict[int, dict[str, Any]]:
        """What it says of its partitions, those that it only copies among them."""
        status, body = await self.get("/health/ready")
        if status not in (200, 503):
            return {}
        told = json.loads(body).get("partitions", {})
        return {int(number): part for number, part in told.items()}

    async def partitions(self) -> set[int]:
        """Those that it has ready."""
        told = await self.told()
        return {number for number, part in told.items() if part["state"] == "ready"}

    def said(self) -> list[dict[str, Any]]:
        """Its log, one object a line; what is not JSON under `text`."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) if line[:1] == "{" else {"text": line} for line in lines]

    def events(self, event: str) -> list[dict[str, Any]]:
        """What it said under this name."""
        return [line for line in self.said() if line.get("event") == event]

    def pauses(self) -> list[float]:
        """For how many seconds each rebalance stopped a partition that stayed with this worker."""
        stopped: dict[int, datetime] = {}
        found = []
        for line in self.said():
            match line.get("action"):
                case "partitions-revoked":
                    stopped |= dict.fromkeys(line["partitions"], _time(line))
                case "partition-closed":
                    stopped.pop(line["partition"], None)
                case "partition-started" if line["partition"] in stopped:
                    since = stopped.pop(line["partition"])
                    found.append((_time(line) - since).total_seconds())
        return found

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


def _time(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["time"])


class Fleet:
    """Topics, workers and readers of one application; `env` is what all workers are given."""

    def __init__(
        self,
        bootstrap: str,
        name: str,
        folder: Path,
        *,
        partitions: int = 4,
        lanes: int = 6,
        **env: str,
    ) -> None:
        self.folder = folder
        self.env = {
            "LADDER_BROKERS": bootstrap,
            "LADDER_APP_ID": name,
            "LADDER_PARTITIONS": str(partitions),
            "LADDER_REPLICATION_FACTOR": "1",
            "LADDER_TOPICS": ",".join(f"{name}.{lane}" for lane in LANES[:lanes]),
            "LADDER_CHANGES_PREFIX": f"{name}.changes",
            "LADDER_DEAD_LETTERS": f"{name}.dead-letters",
            "LADDER_HANDOVERS": f"{name}.handovers",
            "LADDER_SESSION_TIMEOUT": "6",
            "LADDER_MERGE_WAIT": "60",
            "LADDER_LOG_FORMAT": "json",
            **env,
        }
        self.settings: Settings = load(self.env, None)
        self.ladders = [ladder.id for ladder in read_folder(self.settings.ladders)]
        self.members: list[Member] = []

    async def create(self) -> Fleet:
        declared = topics.declared(self.settings, self.ladders)
        async with clients.admin(self.settings) as admin:
            await topic_admin.create(admin, declared, self.settings.replication_factor or 1)
        return self

    # Workers.

    def start(self, slot: int = 0, module: str = "app", **more: str) -> Member:
        """A worker on the folder of this slot; give no folder to two that run."""
        (port,) = free_ports(1)
        folder = self.folder / f"data-{slot}"
        log = self.folder / f"worker-{len(self.members)}.log"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LADDER_")}
        own = {"LADDER_DATA_DIR": str(folder), "LADDER_API_PORT": str(port)}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "worker"],
                env=clean | self.env | own | more, stdout=out, stderr=out,
            )  # fmt: skip
        self.members.append(Member(process, folder, port, log))
        return self.members[-1]

    @property
    def running(self) -> list[Member]:
        return [member for member in self.members if member.runs]

    def kill(self) -> None:
        """End every worker at once: for the end of a test, however it ended."""
        for member in self.running:
            member.process.kill()
            member.process.wait()

    async def stop(self) -> None:
        for member in self.running:
            await member.stop()

    async def ready(self, *members: Member) -> None:
        """Wait until these workers (or all) have all partitions between them, and each has one."""

        async def all_there() -> bool:
            had = [await member.partitions() for member in members or self.running]
            numbers = sorted(number for some in had for number in some)
            return all(had) and numbers == list(range(self.settings.partitions))

        await until(lambda: f"all partitions are ready\n{self._tails()}", all_there)

    async def ready_again(self) -> None:
        """Wait until those that run have joined, and have all partitions between them."""

        async def joined() -> bool:
            return all(member.events("worker runs") for member in self.running)

        await until(lambda: f"all have joined\n{self._tails()}", joined)
        await self.spread(min(len(self.running), self.settings.partitions))

    async def spread(self, over: int) -> None:
        """Wait until all partitions are ready, and so many workers have one."""

        async def all_there() -> bool:
            had = [await member.partitions() for member in self.running]
            numbers = sorted(number for some in had for number in some)
            return sum(map(bool, had)) == over and numbers == list(range(self.settings.partitions))

        await until(lambda: f"{over} workers have all\n{self._tails()}", all_there)

    async def taken_over(self, members: Sequence[Member]) -> None:
        """Wait until these have all partitions, or have all died themselves."""

        async def theirs() -> bool:
            had = [await member.partitions() for member in members]
            return len(set().union(*had)) == self.settings.partitions or not any(
                member.runs for member in members
            )

        await until(lambda: f"others take over\n{self._tails()}", theirs)

    def _tails(self) -> str:
        return "\n".join(f"--- {member.log}\n{member.tail()}" for member in self.running)

    # Records.

    async def send(self, told: Sequence[Told]) -> list[Place]:
        """Append in order; gives where each one lies."""
        async with clients.producer(self.settings, max_request_size=2 << 20) as producer:
            sent = [
                await producer.send(
                    self.settings.topics[one.lane],
                    one.value,
                    key=one.key,
                    partition=one.partition,
                    headers=[*one.headers],
                )
                for one in told
            ]
            found = [await future for future in sent]
        return [(each.topic, each.partition, each.offset) for each in found]

    async def send_to_all(self, value: bytes) -> None:
        """Append one to each partition of the first topic, without a key."""
        await self.send([
            Told(0, None, value, partition=number) for number in range(self.settings.partitions)
        ])  # fmt: skip

    async def read(self, *names: str) -> list[ConsumerRecord]:
        """Everything committed in these topics up to now."""
        return [record async for record in read(self.settings, names)]

    async def applied(self) -> None:
        """Wait until everything sent so far, and what it hands over, is committed."""
        await rest.everything_applied(self.settings, self.see_that_they_run)

    async def settled(self) -> None:
        """Wait until readers can see everything that was committed."""
        declared = topics.declared(self.settings, self.ladders)
        written = [topic.name for topic in declared if topic.kind != "input"]
        await rest.markers(self.settings, written)

    async def hangs(self) -> None:
        """Wait until a transaction is open and stays so."""
        await rest.stays_open(self.settings, self.settings.changelog)

    async def nothing_due(self) -> None:
        """Wait until every partition says that nothing due is left."""
        await until("nothing due is left", self._nothing_due)

    async def _nothing_due(self) -> bool:
        self.see_that_they_run()
        series = [
            value
            for member in self.running
            for value in await member.metric("ladder_due_behind_seconds")
        ]
        return len(series) == self.settings.partitions and not any(series)

    def see_that_they_run(self) -> None:
        for member in self.members:
            code = member.process.poll()
            assert code in (None, 0, -signal.SIGKILL, -signal.SIGTERM), (
                f"ended with {code}\n{member.tail()}"
            )

    async def view(self, customer: str) -> dict[str, Any] | None:
        """A customer as the worker that has it tells it; None when unknown."""
        found: list[tuple[int, bytes]] = []

        async def somebody_knows() -> bool:
            found[:] = [await member.get(f"/v1/customers/{customer}") for member in self.running]
            return any(status in (200, 404) for status, _ in found)

        await until(lambda: f"somebody knows {customer}: {found}", somebody_knows)
        for status, body in found:
            if status in (200, 404):
                return json.loads(body) if status == 200 else None
        raise AssertionError(found)
