"""Quix Streams, exactly once, as its documentation writes it. Run by `peers.py`.

Arguments: broker, name, folder, topic in, topic out.
"""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application, State


def climb(event: dict[str, Any], state: State[str, Any]) -> dict[str, Any] | None:
    customer = state.get("customer", {"purchases": 0, "spend": 0, "rung": None})
    before = customer["rung"]
    customer["purchases"] += 1
    customer["spend"] += event["data"]["amount"]
    customer["rung"] = "customer" if customer["purchases"] >= 2 else "shopper"
    state.set("customer", customer)
    if customer["rung"] == before:
        return None
    return {
        "subject": event["subject"],
        "from": before,
        "to": customer["rung"],
        "trigger": event["id"],
        "time": event["time"],
    }


def main(broker: str, name: str, folder: str, topic_in: str, topic_out: str) -> None:
    app = Application(
        broker_address=broker,
        consumer_group=name,
        state_dir=folder,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        loglevel="WARNING",
    )
    purchases = app.topic(topic_in, key_deserializer="str", value_deserializer="json")
    changes = app.topic(topic_out, key_serializer="str", value_serializer="json")
    moves = app.dataframe(purchases).apply(climb, stateful=True)
    moves.filter(lambda change: change is not None).to_topic(changes)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
