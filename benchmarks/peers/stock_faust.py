"""A stock Faust agent with a RocksDB table, as its documentation writes them. Run by `programs`.

Its guarantees are weaker: at least once, and less than that at start and rebalance (docs/adr).
Arguments: brokers, name, folder, topic in, topic out; then those of Faust.
"""

from __future__ import annotations

import sys
from typing import Any

import faust

from benchmarks.peers.moves import buy, new

BROKER, NAME, FOLDER, TOPIC_IN, TOPIC_OUT, *REST = sys.argv[1:]
PARTITIONS = 8

app = faust.App(
    NAME,
    broker=f"kafka://{BROKER}",
    store="rocksdb://",
    datadir=FOLDER,
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    web_enabled=False,
)
purchases = app.topic(TOPIC_IN, key_type=str, key_serializer="raw", value_serializer="json")
changes = app.topic(TOPIC_OUT, key_type=str, key_serializer="raw", value_serializer="json")
customers = app.Table("customers", default=new, partitions=PARTITIONS)


@app.agent(purchases)  # type: ignore[untyped-decorator]  # Faust has no types
async def climb(events: Any) -> None:
    async for event in events:
        subject = event["subject"]
        customer = customers[subject]
        change = buy(customer, event)
        customers[subject] = customer
        if change is not None:
            await changes.send(key=subject, value=change)


if __name__ == "__main__":
    sys.argv[1:] = REST
    app.main()
