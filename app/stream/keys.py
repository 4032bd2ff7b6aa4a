"""Which partition a customer lies in: Kafka's default partitioner, murmur2 over the key."""

from __future__ import annotations

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """The partition number of a key (a customer id's UTF-8 bytes), 0 to partitions - 1."""
    number: int = (murmur2(key) & _POSITIVE) % partitions
    return number
