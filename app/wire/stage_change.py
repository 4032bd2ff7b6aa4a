"""Stage changes to bytes and back: contract section 7, to the letter and in its order."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import msgspec
from msgspec.structs import replace

from app.core.change import Because, Cause, Change, Direction, Next, Trigger, Value
from app.core.credit import life_ending
from app.core.instants import format_instant, parse_instant

SOURCE = "/loyalty-ladder"
TYPE: Literal["loyalty.stage.changed"] = "loyalty.stage.changed"
HEADERS: tuple[tuple[str, bytes], ...] = (
    ("content-type", b"application/cloudevents+json; charset=UTF-8"),
)
"""The headers of every stage change; its key is the customer id in UTF-8."""


LARGEST = 512 * 1024
"""Bytes of a stage change: half of what a broker takes by default."""
LONGEST_FACT = 1024
"""Bytes of a fact in a change that would be larger; of it those that are longer are left out."""


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
    return f"{change.ladder}/{change.customer}/{change.sequence}{life_ending(change.life)}"


def encode(change: Change) -> bytes:
    """Write a change as a structured CloudEvent, compact, in UTF-8.

    Most of its text is the same for every such step: that is made once (`_frame`). Whole, every
    change would be made of two structs and written field by field, at twice the price. Attributes
    may be lists of long texts, and a rule may name many of them: where a change would be larger
    than `LARGEST`, it goes without its longest facts.
    """
    written = _written(change)
    if len(written) <= LARGEST:
        return written
    because, following = change.because, change.next
    return _written(
        replace(
            change,
            because=because and replace(because, facts=_short(because.facts)),
            next=following and replace(following, facts=_short(following.facts)),
        )
    )


def _short(facts: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in facts.items() if len(_encode(value)) <= LONGEST_FACT}


def _written(change: Change) -> bytes:
    because, following, since = change.because, change.next, change.since
    begin, data, moved, why, ahead, end = _frame(
        change.ladder,
        change.version,
        change.from_,
        change.to,
        change.direction,
        tuple(change.passed),
        change.cause,
        because and because.rule,
        following and following.rung,
        following and following.rule,
        change.suggest,
        change.quiet,
    )
    customer, sequence = _json(change.customer), change.sequence
    return (
        f"{begin}{customer[1:-1]}/{sequence}{life_ending(change.life)}{_SUBJECT}{customer}"
        f',"time":{_quoted_time(change.time)}{data}{sequence}{moved}{_trigger(change.trigger)}'
        f"{why}{_facts(because) if because else ''}"
        f',"since":{_NULL if since is None else _quoted_time(since)}'
        f',"held_seconds":{_NULL if change.held is None else change.held}'
        f"{ahead}{_facts(following) if following else ''}{end}"
    ).encode()


_SUBJECT = f'","source":"{SOURCE}","type":"{TYPE}","subject":'
_NULL = "null"


@lru_cache(maxsize=4096)
def _quoted_time(instant: int) -> str:
    return f'"{format_instant(instant)}"'


@lru_cache(maxsize=4096)
def _json(value: str | None) -> str:
    return _encode(value).decode()


@lru_cache(maxsize=64)
def _trigger(trigger: Trigger | None) -> str:
    return _encode(trigger).decode()


def _facts(told: Because | Next) -> str:
    return _encode(told.facts).decode() + "}"


@lru_cache(maxsize=4096)
def _frame(
    ladder: str,
    version: int,
    from_: str | None,
    to: str | None,
    direction: Direction,
    passed: tuple[str, ...],
    cause: Cause,
    rule: str | None,
    next_rung: str | None,
    next_rule: str | None,
    suggest: str | None,
    quiet: bool,
) -> tuple[str, str, str, str, str, str]:
    """Return the text before the customer, the sequence, the trigger, the facts, and the end."""
    data = (
        ',"datacontenttype":"application/json",'
        f'"data":{{"ladder":{_json(ladder)},"version":{version},"sequence":'
    )
    moved = (
        f',"from":{_json(from_)},"to":{_json(to)},"direction":{_json(direction)},'
        f'"passed":{_encode(passed).decode()},"cause":{_json(cause)},"trigger":'
    )
    why = "null" if rule is None else f'{{"rule":{_json(rule)},"facts":'
    ahead = "null"
    if next_rung is not None:
        ahead = f'{{"rung":{_json(next_rung)},"rule":{_json(next_rule)},"facts":'
    end = f',"suggest":{_json(suggest)},"quiet":{"true" if quiet else "false"}}}}}'
    begin = f'{{"specversion":"1.0","id":"{_json(ladder)[1:-1]}/'
    return begin, data, moved, f',"because":{why}', f',"next":{ahead}', end


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
