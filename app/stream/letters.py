"""The dead letters: chosen, and sent to where they came from once more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.errors import BrokerError
from app.settings import Settings
from app.stream import clients
from app.stream.giant import record_bytes
from app.stream.reading import end_of, places, read
from app.stream.topics import LARGEST_INPUT
from app.wire import dead_letter


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter and where it lies; written in microseconds."""

    partition: int
    offset: int
    written: int
    key: bytes | None
    value: bytes | None
    why: dead_letter.Letter

    @property
    def obstacle(self) -> str | None:
        """Say why it cannot be sent again as it was; None if it can."""
        if self.why.left_out:
            return f"{' and '.join(self.why.left_out)} left out"
        if record_bytes(self.key, self.value, self.why.original) > LARGEST_INPUT:
            return "larger than an input topic takes"
        return None


@dataclass(frozen=True)
class Choice:
    """Which ones: of these reasons, since then, from this topic, at these places; empty is all."""

    reasons: frozenset[str] = frozenset()
    since: int | None = None
    topic: str | None = None
    places: frozenset[tuple[int, int]] = frozenset()

    def takes(self, letter: DeadLetter) -> bool:
        return (
            (not self.reasons or letter.why.reason in self.reasons)
            and (self.topic is None or letter.why.topic == self.topic)
            and (not self.places or (letter.partition, letter.offset) in self.places)
        )


async def ends(settings: Settings) -> dict[TopicPartition, int]:
    """Where the dead letters end now. What a replay adds lies beyond, and is left alone by it."""
    assigned = await places(settings, [settings.dead_letters])
    async with clients.consumer(settings) as consumer:
        consumer.assign(assigned)
        try:
            return await end_of(consumer)
        except KafkaError as error:
            raise BrokerError(f"Kafka cannot be read: {error}") from error


async def chosen(
    settings: Settings, choice: Choice, until: Mapping[TopicPartition, int]
) -> AsyncGenerator[DeadLetter, None]:
    """Those that the choice takes, each partition in its order. Records without our headers are
    nobody's dead letters and are passed over.
    """
    records = read(
        settings,
        [settings.dead_letters],
        start="beginning" if choice.since is None else choice.since,
        ends=until,
    )
    async with aclosing(records):
        async for record in records:
            why = dead_letter.read(record.headers)
            if why is None:
                continue
            letter = DeadLetter(
                record.partition, record.offset, record.timestamp * 1000,
                record.key, record.value, why,
            )  # fmt: skip
            if choice.takes(letter):
                yield letter


async def resend(producer: Any, again: Sequence[DeadLetter]) -> None:
    """Send key, value and headers as they were to the topics they came from; all have arrived when
    it returns. Raises BrokerError.
    """
    try:
        acknowledged = [
            await producer.send(
                letter.why.topic, letter.value, key=letter.key, headers=letter.why.original
            )
            for letter in again
        ]
        await asyncio.gather(*acknowledged)
    except KafkaError as error:
        raise BrokerError(f"Kafka does not take what was refused once more: {error}") from error
