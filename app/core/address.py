"""How somebody is reached of whom no more than hashes is kept.

Who was brought by another keeps only this of that other, whose id is then in that one's own slot
alone, and gone with it when it is erased.
"""

from functools import lru_cache
from hashlib import sha256

import msgspec

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_WORD = 0xFFFFFFFF


class Address(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """`digest` is the SHA-256 of a customer id; `spread` modulo the partitions is its partition."""

    digest: bytes
    spread: int


@lru_cache(maxsize=1024)
def address_of(customer: str) -> Address:
    """Return the address of a customer id."""
    encoded = customer.encode()
    return Address(sha256(encoded).digest(), _murmur2(encoded) & 0x7FFFFFFF)


def _murmur2(data: bytes) -> int:
    """Hash a key as Kafka's default partitioner does, in 32 bits without a sign."""
    whole = len(data) & ~3
    hashed = _SEED ^ len(data)
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> 24) * _MULTIPLIER & _WORD
        hashed = hashed * _MULTIPLIER & _WORD ^ word
    if rest := data[whole:]:
        hashed = (hashed ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _WORD
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _WORD
    return hashed ^ hashed >> 15
