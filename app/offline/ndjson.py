"""Events from NDJSON files: one structured CloudEvent a line, empty lines skipped."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.core.events import TYPES, Event, Refused
from app.errors import DataFileError
from app.offline.backtest import DeadLetter, Line
from app.wire.cloudevents import decode

STDIN = Path("-")
BLOCK = 1024 * 1024
"""Bytes read at a time; also what is kept of a longer line, which is too large for an event."""
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


def name_of(file: Path | str) -> str:
    """Return how a file is named in what is written, whatever bytes its name is made of."""
    return str(file).encode("utf-8", "replace").decode()


def lines_of(name: str, stream: BinaryIO) -> Iterator[tuple[Line, bytes]]:
    """Yield the lines that say something, and where they stand."""
    number = 0
    rest = b""
    while block := stream.read(BLOCK):
        *whole, rest = (rest + block).split(b"\n")
        for text in whole:
            number += 1
            if text and not text.isspace():
                yield Line(name, number), text.rstrip(b"\r")
        rest = rest[:BLOCK]
    if rest and not rest.isspace():
        yield Line(name, number + 1), rest.rstrip(b"\r")


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
    """Yield the lines of files in turn; `-` is standard input. Raises DataFileError."""
    for file in files:
        if file == STDIN:
            yield from lines_of("-", stdin)
            continue
        try:
            with file.open("rb") as stream:
                yield from lines_of(name_of(file), stream)
        except OSError as error:
            raise DataFileError(name_of(file), 0, f"cannot be read: {error.strerror}") from error
