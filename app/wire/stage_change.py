"""Stage changes to bytes and back: contract section 7, to the letter and in its order."""

from __future__ import annotations

from typing import Literal

import msgspec

from app.core.change import Because, Cause, Change, Direction, Next, Trigger
from app.core.instants import format_instant, parse_instant

SOURCE = "/loyalty-ladder"
TYPE: Literal["loyalty.stage.changed"] = "loyalty.stage.changed"
HEADERS: tuple[tuple[str, bytes], ...] = (
    ("content-type", b"application/cloudevents+json; charset=UTF-8"),
)
"""The headers of every stage change; its key is the customer id in UTF-8."""


class NotAStageChange(ValueError):
    """The bytes are no stage change as this version writes them."""


class _Data(msgspec.Struct, frozen=True, gc=False, rename={"from_": "from"}):
    ladder: str
    version: int
    sequence: int
    from_: str | None
    to: str | None
    direction: Direction
    passed: list[str]
    cause: Cause
    trigger: Trigger | None
    because: Because | None
    since: str | None
    held_seconds: int | None
    next: Next | None
    suggest: str | None
    quiet: bool


class _Event(msgspec.Struct, frozen=True, gc=False):
    specversion: Literal["1.0"]
    id: str
    source: str
    type: Literal["loyalty.stage.changed"]
    subject: str
    time: str
    datacontenttype: str
    data: _Data


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Event).decode


def change_id(change: Change) -> str:
    """Return the CloudEvents id: `<ladder>/<customer id>/<sequence>`, with `/r2` in a second life.

    It names the change for good: a reader that has seen it has seen this change.
    """
    ending = f"/r{change.life}" if change.life > 1 else ""
    return f"{change.ladder}/{change.customer}/{change.sequence}{ending}"


def encode(change: Change) -> bytes:
    """Write a change as a structured CloudEvent, compact, in UTF-8."""
    since = change.since
    data = _Data(
        change.ladder,
        change.version,
        change.sequence,
        change.from_,
        change.to,
        change.direction,
        change.passed,
        change.cause,
        change.trigger,
        change.because,
        None if since is None else format_instant(since),
        change.held,
        change.next,
        change.suggest,
        change.quiet,
    )
    return _encode(
        _Event(
            "1.0",
            change_id(change),
            SOURCE,
            TYPE,
            change.customer,
            format_instant(change.time),
            "application/json",
            data,
        )
    )


def decode(value: bytes) -> Change:
    """Read what `encode` wrote; fields that are unknown are ignored. Raises NotAStageChange."""
    try:
        event = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAStageChange(f"no stage change: {error}") from error
    data = event.data
    return Change(
        customer=event.subject,
        life=_life(event),
        ladder=data.ladder,
        version=data.version,
        sequence=data.sequence,
        time=_instant(event.time),
        from_=data.from_,
        to=data.to,
        direction=data.direction,
        passed=data.passed,
        cause=data.cause,
        trigger=data.trigger,
        because=data.because,
        since=None if data.since is None else _instant(data.since),
        held=data.held_seconds,
        next=data.next,
        suggest=data.suggest,
        quiet=data.quiet,
    )


def _life(event: _Event) -> int:
    first = f"{event.data.ladder}/{event.subject}/{event.data.sequence}"
    if event.id == first:
        return 1
    ending = event.id.removeprefix(first + "/r")
    if ending == event.id or not (ending.isascii() and ending.isdigit() and int(ending) > 1):
        raise NotAStageChange("no stage change: its id is not that of its ladder and sequence")
    return int(ending)


def _instant(text: str) -> int:
    found = parse_instant(text)
    if found is None:
        raise NotAStageChange("no stage change: a time in it is no RFC 3339 time")
    return found
