"""The trace of an event goes on in what it causes (W3C Trace Context, in Kafka headers).

Without the extra `traces` the producer's `traceparent` and `tracestate` are handed on as they came;
with it, and with LADDER_TRACES set, `app.ops.spans` puts a span of ours between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol

Headers = list[tuple[str, bytes | None]]

PARENT = "traceparent"
STATE = "tracestate"
_FORM = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]{0,200})?")
_STATE_BYTES = 512
"""What everybody has to hand on; more may be left out."""


class Source(Protocol):
    """A consumed record: the part of it that tells where it is from."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def headers(self) -> Iterable[tuple[str, bytes | None]]: ...


class Trail(Protocol):
    """The traces that pass through one partition.

    `continued` is asked for an event that changed something, before its batch is committed;
    `committed` is called when it was. What is not committed is given up, and never told of.
    """

    def continued(self, record: Source) -> Headers:
        """Return the headers that what it caused shall carry; none for one without a trace."""

    def committed(self) -> None: ...


class HandedOn:
    """Hands traces on as they came."""

    def continued(self, record: Source) -> Headers:
        return handed_on(record.headers)

    def committed(self) -> None:
        """There is nothing to tell."""


NewTrail = Callable[[], Trail]


def handed_on(received: Iterable[tuple[str, bytes | None]]) -> Headers:
    """Return the headers of the trace that a record belongs to; none that is malformed."""
    parent = state = None
    for name, value in received:
        if name == PARENT:
            parent = value
        elif name == STATE:
            state = value
    if not parent or not _FORM.fullmatch(parent):
        return []
    if not state or len(state) > _STATE_BYTES:
        return [(PARENT, parent)]
    return [(PARENT, parent), (STATE, state)]
