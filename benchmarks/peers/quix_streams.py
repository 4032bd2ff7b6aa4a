"""Quix Streams, as its documentation writes it. Run by `programs`.

Arguments: brokers, name, folder, topic in, topic out, guarantee, seconds between two commits.
"""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application, State

from benchmarks.peers.moves import buy, new


def climb(event: dict[str, Any], state: State[str, Any]) -> dict[str, Any] | None:
    customer = state.get("customer") or new()
    change = buy(customer, event)
    state.set("customer", customer)
    return change


def main(
    broker: str, name: str, folder: str, topic_in: str, topic_out: str, guarantee: str, commit: str
) -> None:
    app = Application(
        broker_address=broker,
        consumer_group=name,
        state_dir=folder,
        auto_offset_reset="earliest",
        processing_guarantee=guarantee,
        commit_interval=float(commit),
        loglevel="WARNING",
    )
    purchases = app.topic(topic_in, key_deserializer="str", value_deserializer="json")
    changes = app.topic(topic_out, key_serializer="str", value_serializer="json")
    moves = app.dataframe(purchases).apply(climb, stateful=True)
    moves.filter(lambda change: change is not None).to_topic(changes)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:8])
