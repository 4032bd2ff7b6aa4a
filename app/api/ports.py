"""What the API asks of a worker: what its own partitions know, and who has the others.

Everything here is as of the last commit. Instants are µs since 1970, days count from 1970.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from app.core.ladder import Ladder


class Elsewhere(Exception):
    """This worker does not have the partition. `customer`: whose it is (the survivor, if the one
    who was asked for was absorbed).
    """

    def __init__(self, partition: int, customer: str = "") -> None:
        super().__init__(partition)
        self.partition = partition
        self.customer = customer


class NotReady(Exception):
    """The partition is this worker's, and is still being restored."""

    def __init__(self, partition: int) -> None:
        super().__init__(partition)
        self.partition = partition


class Unreadable(Exception):
    """A stored row is no record of this program; the message names no customer."""


class Told(msgspec.Struct):
    """Stage changes of a customer, oldest first, as they were published.

    `survivor` is whose they are; `sequences` by ladder are those of the record.
    """

    survivor: str
    complete: bool
    changes: list[bytes]
    ladders: tuple[str, ...]


class Day(msgspec.Struct, array_like=True):
    """What happened on a ladder on one day: moves by (from, to), '' for none; and how long those
    who left a rung had held it, by rung and bucket (`app.api.dwell`).
    """

    moves: dict[str, dict[str, int]] = {}
    held: dict[str, dict[int, int]] = {}


class Standing(msgspec.Struct, array_like=True):
    """Who stands on a rung now: how many, what they spent, since how long (buckets)."""

    customers: int = 0
    spend: int = 0
    held: dict[int, int] = {}


class Census(msgspec.Struct):
    """The customers of a partition counted one by one, by rung, as of an instant."""

    as_of: int
    rungs: dict[str, Standing]


class Figures(msgspec.Struct):
    """What a partition adds up to. `days` and `census` are those of one ladder, if asked for."""

    partition: int
    clock: int
    customers: dict[str, dict[str, int]]
    days: dict[int, Day] = {}
    days_complete: bool = True
    census: Census | None = None


class Stands(NamedTuple):
    """A customer on a rung."""

    customer: str
    since: int
    sequence: int


class Stood(NamedTuple):
    """Some who stand on a rung, and the key after which to go on; None at the end."""

    found: list[Stands]
    after: bytes | None


class Local(Protocol):
    """The partitions of this worker. Raises Elsewhere, NotReady and Unreadable."""

    def view(self, customer: str) -> dict[str, object] | None:
        """As the API gives it; None if unknown or erased."""

    def history(self, customer: str) -> Told | None:
        """What is kept of their stage changes; None if unknown or erased."""

    def figures(self, ladder: str | None, days: int) -> list[Figures]:
        """Of every partition that is ready."""

    async def stood(
        self, partition: int, ladder: str, rung: str, after: bytes, limit: int
    ) -> Stood:
        """Look through some of the partition's customers for those on a rung."""


class Group(Protocol):
    """The workers of the group."""

    @property
    def partitions(self) -> int: ...
    def owners(self) -> Mapping[int, str]:
        """The address of the worker that has each partition, as far as known."""

    @property
    def own_url(self) -> str: ...


class Changes(Protocol):
    """Stage changes of all workers as they are committed."""

    def follow(self, ladder: str | None) -> AsyncGenerator[tuple[bytes, ...] | int, None]:
        """The newest few, then live; a number: so many were left out; (): nothing now.

        The first comes at once. Raises TooMany.
        """

    async def close(self) -> None:
        """Let everybody go who follows."""


class TooMany(Exception):
    """As many follow the changes already as one worker serves."""


class Shop(NamedTuple):
    """What is the same for the whole shop. `sources` are the definitions' files, by ladder."""

    ladders: tuple[Ladder, ...]
    sources: Mapping[str, bytes]
    currency: str
    timezone: str
