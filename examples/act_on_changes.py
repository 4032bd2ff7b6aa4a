"""Does what stage changes suggest, each once: a welcome for a prospect, an offer of membership.

python act_on_changes.py --brokers 127.0.0.1:9092 --memory done.sqlite

Here a deed is a row in a SQLite table and a line on standard output; in a shop it is a call to the
system that writes to customers, with the change's id as its idempotency key. Ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, KafkaException, Message

TYPE = "loyalty.stage.changed"


class Memory:
    """What was done already: it and the deed are one transaction."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS done (change TEXT PRIMARY KEY, customer TEXT, deed TEXT)"
        )

    def do_once(self, change: str, customer: str, deed: str) -> bool:
        """Do it unless it was done; tells whether it was done now."""
        with self._database:
            row = (change, customer, deed)
            done = self._database.execute("INSERT OR IGNORE INTO done VALUES (?, ?, ?)", row)
        return done.rowcount == 1

    def close(self) -> None:
        self._database.close()


class Changes:
    """Stage changes as they come, until `stop`."""

    def __init__(self, brokers: str, group: str, topics: str) -> None:
        self._going = True
        self._consumer = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": group,
                # Changes come in transactions; without this, those that were given up are read too.
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                # Only what was acted on is asked for no more: see `done`.
                "enable.auto.offset.store": False,
                # A ladder that is new has a topic that is new.
                "topic.metadata.refresh.interval.ms": 30_000,
            }
        )
        self._consumer.subscribe([topics])

    def __iter__(self) -> Iterator[Message]:
        while self._going:
            message = self._consumer.poll(0.5)
            if message is None:
                continue
            error = message.error()
            if error is None:
                yield message
            elif not error.retriable():
                raise KafkaException(error)

    def done(self, message: Message) -> None:
        self._consumer.store_offsets(message)

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._going = False

    def close(self) -> None:
        """Commit what was stored, and leave the group."""
        self._consumer.close()


def read(message: Message) -> BaseCloudEvent:
    headers = {name: value or b"" for name, value in message.headers() or []}
    value = message.value() or b""
    return from_structured(KafkaMessage(headers, message.key(), value), JSONFormat())


def deed(event: BaseCloudEvent) -> str | None:
    """What to do about a change; None for nothing."""
    if event.get_type() != TYPE:
        return None  # types may be added: what is not known is left alone
    change: Any = event.get_data()
    if change["quiet"]:
        return None  # history, or a new definition: nothing the customer did just now
    suggested: str | None = change["suggest"]
    return suggested


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--brokers", default="127.0.0.1:9092")
    options.add_argument("--group", default="shop-letters")
    options.add_argument("--topics", default=r"^loyalty\.stage-changes\..*")
    options.add_argument("--memory", type=Path, default=Path("done.sqlite"))
    given = options.parse_args()
    changes = Changes(given.brokers, given.group, given.topics)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, changes.stop)
    with closing(changes), closing(Memory(given.memory)) as memory:
        for message in changes:
            event = read(message)
            to_do = deed(event)
            customer = event.get_subject() or ""
            if to_do and memory.do_once(event.get_id(), customer, to_do):
                print(json.dumps({"customer": customer, "do": to_do}), flush=True)
            changes.done(message)
    return 0


if __name__ == "__main__":
    sys.exit(main())
