"""Input records as a batch takes them: where from, as they came, and what they say."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from app.core.events import Event, Refused
from app.core.handover import Handover
from app.errors import StartupRefused
from app.stream.fetched import Kept, Record
from app.stream.merge import TIMELESS
from app.wire import cloudevents
from app.wire import handover as handover_wire
from app.wire.handover import Origin
from app.wire.record import RecordCodec, Unreadable

APP = "loyalty.app"
"""The header of a handover that says which app id wrote it."""


class Delivered(NamedTuple):
    """A handover, and the record in which a forwarded event, or a merge, was received."""

    handover: Handover
    origin: Origin | None


class Foreign(NamedTuple):
    """A handover of another app id on the same topic: none of ours."""


What = Event | Refused | Delivered | Foreign


class Item(msgspec.Struct, gc=False):
    """One input record: from which topic, by number, as it came and as it was read."""

    lane: int
    record: Record
    what: What


def read_event(record: Record) -> What:
    """Read a record of an input topic."""
    if isinstance(record, Kept):
        return record.refused
    return cloudevents.decode(record.value, record.key, record.headers)


def read_handover(record: Record, codec: RecordCodec, group: str) -> What:
    """Read a record of the handover topic; what somebody else wrote there is refused.

    Raises StartupRefused for one of our own that cannot be read: it may be a whole customer. What
    was withheld is none: ours are small.
    """
    if isinstance(record, Kept):
        return record.refused
    writers = [writer for name, writer in record.headers if name == APP]
    if any(writer != group.encode() for writer in writers):
        return Foreign()
    found = handover_wire.decode(record.value, codec)
    if isinstance(found, Unreadable):
        if writers:
            raise StartupRefused(
                f"a handover cannot be read ({record.topic}[{record.partition}] offset "
                f"{record.offset}): {found.why}; a newer version wrote it: start that one again"
            )
        return Refused("not-an-event", f"a handover was expected: {found.why}")
    return Delivered(*found)


_SORT = {Refused: "refused", Delivered: "handover", Foreign: "foreign"}
_data_class = attrgetter("data.__class__")


def kinds_of(found: Sequence[What]) -> Counter[str]:
    """Count by the type of the event, and what is no event by what it is instead."""
    try:
        # In C: it goes through everything that is ever read.
        classes = Counter(map(_data_class, found))
        return Counter({data.type: number for data, number in classes.items()})
    except AttributeError:
        return Counter(
            what.type if isinstance(what, Event) else _SORT[what.__class__] for what in found
        )


def time_of(what: What) -> int:
    """Return the time by which a record is merged."""
    if isinstance(what, Event):
        return what.time
    return what.handover.time if isinstance(what, Delivered) else TIMELESS


def customer_of(what: What) -> str | None:
    """Return whose slot a record needs, None for nobody's or where that is to be found yet."""
    if isinstance(what, Event):
        return what.subject or None
    return (what.handover.to or None) if isinstance(what, Delivered) else None
