"""All that lies in the topics of an application, taken down to be put back years later.

`python -m tests.faults.recorded` makes the file of the version that the code writes now: to be run
when `app.wire.record.VERSION` is raised, before it is, and never again for that version.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from app.stream import clients, topics
from app.wire.record import VERSION
from tests.faults.fleet import Fleet
from tests.faults.setting_up import trial
from tests.faults.tale import Chapter, Told
from tests.kafka.broker import Kafka

FOLDER = Path(__file__).parent / "recorded"
NAME = f"recorded-{VERSION}"
"""Names of topics are in the state: each version has its own, to lie on one cluster."""
SEED, PARTITIONS, EVENTS, DAYS = 14, 2, 250, 12


def packed(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def unpacked(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


async def take_down(fleet: Fleet, chapter: Chapter) -> dict[str, Any]:
    """Everything, as JSON can hold it."""
    assert fleet.settings.ladders is not None
    await fleet.settled()
    names = [topic.name for topic in topics.declared(fleet.settings, fleet.ladders)]
    await _refuse_if_interleaved(fleet, names)
    return {
        "version": VERSION,
        "name": NAME,
        "ladders": {file.name: file.read_text() for file in fleet.settings.ladders.glob("*.yaml")},
        "until": chapter.until,
        "told": [[packed(one.key), packed(one.value)] for one in chapter.told],
        "records": [
            [one.topic, one.partition, one.offset, packed(one.key), packed(one.value),
             [[name, packed(value)] for name, value in one.headers]]
            for one in await fleet.read(*names)
        ],
    }  # fmt: skip


async def _refuse_if_interleaved(fleet: Fleet, names: Sequence[str]) -> None:
    """Two partitions may write handovers to a third side by side, and then nobody can tell which
    records were committed together: such a run cannot be put back.
    """
    found: dict[TopicPartition, list[list[Any]]] = {}
    for one in await fleet.read(*names):
        place = TopicPartition(one.topic, one.partition)
        found.setdefault(place, []).append([one.topic, one.partition, one.offset])
    async with clients.consumer(fleet.settings) as consumer:
        ends = await consumer.end_offsets(list(found))
    for place, records in found.items():
        markers = 0 if place.topic in fleet.settings.topics else len(_transactions(records))
        if ends[place] != len(records) + markers:
            raise RuntimeError(f"{place.topic} has transactions that lie in each other: try again")


def name_of(record: dict[str, Any]) -> str:
    name: str = record.get("name", "recorded")
    return name


def chapter_of(record: dict[str, Any]) -> Chapter:
    told = [Told(0, unpacked(key), unpacked(value)) for key, value in record["told"]]
    return Chapter(told, record["until"])


async def put_back(fleet: Fleet, record: dict[str, Any]) -> None:
    """Every record at the offset that it had."""
    places: dict[TopicPartition, list[list[Any]]] = {}
    for one in record["records"]:
        places.setdefault(TopicPartition(one[0], one[1]), []).append(one)
    for place, records in places.items():
        if place.topic in fleet.settings.topics:
            async with clients.producer(fleet.settings) as producer:
                await _send(producer, place, records)
            continue
        async with AIOKafkaProducer(
            **clients.arguments(fleet.settings),
            transactional_id=f"back-{place.topic}-{place.partition}",
        ) as producer:
            for together in _transactions(records):
                async with producer.transaction():
                    await _send(producer, place, together)


def _transactions(records: Sequence[list[Any]]) -> list[list[list[Any]]]:
    """What was committed together: between two transactions lies a marker."""
    found: list[list[list[Any]]] = []
    for one in sorted(records, key=lambda one: int(one[2])):
        if found and one[2] == found[-1][-1][2] + 1:
            found[-1].append(one)
        else:
            found.append([one])
    return found


async def _send(producer: Any, place: TopicPartition, records: Sequence[list[Any]]) -> None:
    for _, _, offset, key, value, headers in records:
        at = await producer.send_and_wait(
            place.topic, unpacked(value), key=unpacked(key), partition=place.partition,
            headers=[(name, unpacked(said)) for name, said in headers],
        )  # fmt: skip
        assert at.offset == offset, (at, offset)


def read(version: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(file_of(version).read_bytes()))
    return found


def file_of(version: int) -> Path:
    return FOLDER / f"version-{version}.json.gz"


async def record(cluster: Kafka, folder: Path) -> dict[str, Any]:
    made = await trial(
        cluster.bootstrap, NAME, folder, seed=SEED, partitions=PARTITIONS, lanes=1,
        few=("brief", "steps"),
    )  # fmt: skip
    chapter = made.tale.chapter(EVENTS, DAYS, bad=False)
    await made.tell(chapter)
    made.fleet.start(0)
    try:
        await made.at_rest()
        await made.check()
        await made.fleet.stop()
        return await take_down(made.fleet, chapter)
    finally:
        made.fleet.kill()


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="recorded-"))
    cluster = Kafka(folder / "kafka", quick=True)
    try:
        found = asyncio.run(record(cluster.start(), folder))
    finally:
        cluster.kill()
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(found, separators=(",", ":")).encode()
    file_of(VERSION).write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main()
