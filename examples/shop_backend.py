"""A shop's backend that reports paid and refunded orders, so that its customers climb.

python shop_backend.py --brokers 127.0.0.1:9092 orders.csv

The file has the columns customer, order, minor_units, currency, paid, refunded (times in ISO 8601
with an offset; empty where it did not happen).
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cloudevents.core.bindings.kafka import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import KafkaError, Message, Producer

SOURCE = "/shop/orders"
TOPIC = "commerce.purchases"


def events(order: dict[str, str]) -> Iterator[CloudEvent]:
    """What is to be said of one order: that it was paid, and that it was given back."""
    data = {
        "order_id": order["order"],
        # Money is a whole number of minor units: floats lose cents.
        "amount": int(order["minor_units"]),
        "currency": order["currency"],
    }
    if order["paid"]:
        yield event(order, "purchase.completed", "paid", data)
    if order["refunded"]:
        yield event(order, "purchase.refunded", "refunded", data)


def event(order: dict[str, str], kind: str, moment: str, data: dict[str, Any]) -> CloudEvent:
    return CloudEvent(
        attributes={
            # Made from what it is about, and not by chance: said twice, it counts once.
            "id": f"{order['order']}:{moment}",
            "source": SOURCE,
            "type": kind,
            "subject": order["customer"],
            # When it happened, not when it is reported.
            "time": datetime.fromisoformat(order[moment]),
        },
        data=data,
    )


class Reporter:
    """Sends events; `close` says whether the broker has all of them."""

    def __init__(self, brokers: str, topic: str) -> None:
        self._topic = topic
        self.refused: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": brokers,
                # librdkafka by itself would put a customer into another partition than Java does,
                # and the worker refuses customers that are not where they belong.
                "partitioner": "murmur2_random",
                # In order, and none twice, also when an answer gets lost and it is sent again.
                "enable.idempotence": True,
                "linger.ms": 5,
            }
        )

    def send(self, event: CloudEvent) -> None:
        message = to_structured(event, JSONFormat(), key_mapper=lambda each: each.get_subject())
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers.items()),
                    on_delivery=self._delivered,
                )
                break
            except BufferError:  # the broker is slower than we are
                self._producer.poll(0.1)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.refused.append(f"{message.value()!r}: {error}")

    def close(self) -> bool:
        """Wait for every answer. What was refused must be sent again later; that is safe."""
        left = self._producer.flush(60)
        return not left and not self.refused


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--brokers", default="127.0.0.1:9092")
    options.add_argument("--topic", default=TOPIC)
    options.add_argument("orders", type=Path)
    given = options.parse_args()
    reporter = Reporter(given.brokers, given.topic)
    with given.orders.open(encoding="utf-8-sig", newline="") as file:
        for order in csv.DictReader(file):
            for each in events(order):
                reporter.send(each)
    if reporter.close():
        return 0
    print("not all was taken; run it again:", *reporter.refused, sep="\n", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
