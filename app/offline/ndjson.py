"""Events from NDJSON files: one structured CloudEvent a line, empty lines skipped."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.core.events import TYPES, Event, Refused
from app.offline.backtest import DeadLetter, Line
from app.wire.cloudevents import decode

_ORDER = {
    name: index
    for index, name in enumerate(
        ("purchase", "signup", "review", "referral", "interaction", "profile", "clock")
    )
}
_TOPIC_ORDER = {type_: _ORDER[type_.split(".", 1)[0]] for type_ in TYPES}


def topic_order(event: Event) -> int:
    """Return the place of the event's default topic among the input topics (contract section 1)."""
    return _TOPIC_ORDER[event.type]


def lines_of(name: str, stream: BinaryIO) -> Iterator[tuple[Line, bytes]]:
    """Yield the lines that say something, and where they stand."""
    for number, text in enumerate(stream, 1):
        text = text.rstrip(b"\r\n")
        if text.strip():
            yield Line(name, number), text


def read_events(
    lines: Iterable[tuple[Line, bytes]], progress: Callable[[int], None] = lambda done: None
) -> tuple[list[tuple[Event, Line]], list[DeadLetter]]:
    """Decode lines and put them in order: by time, then topic, then as they stand.

    `progress` hears the bytes read so far, now and then. Lines that are no events come back as
    dead letters.
    """
    events: list[tuple[Event, Line]] = []
    refused: list[DeadLetter] = []
    size = 0
    for count, (line, text) in enumerate(lines):
        size += len(text) + 1
        event = decode(text, keyed=False)
        if isinstance(event, Refused):
            refused.append(DeadLetter(event.reason, event.message, line.file, line.number))
        else:
            events.append((event, line))
        if not count & 4095:
            progress(size)
    events.sort(key=lambda item: (item[0].time, topic_order(item[0])))
    progress(size)
    return events, refused


def open_lines(files: Iterable[Path], stdin: BinaryIO) -> Iterator[tuple[Line, bytes]]:
    """Yield the lines of files in turn; `-` is standard input."""
    for file in files:
        if str(file) == "-":
            yield from lines_of("-", stdin)
        else:
            with file.open("rb") as stream:
                yield from lines_of(str(file), stream)
