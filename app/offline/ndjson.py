"""Events from NDJSON files, in blocks of whole lines."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.errors import DataFileError

STDIN = Path("-")
BLOCK = 2 * 1024 * 1024
"""Bytes read at a time; also what is kept of a longer line, which is too large for an event."""


class Block(NamedTuple):
    """Whole lines. `file` is the file's place among those that are read, `first` the number of the
    first line, from 1.
    """

    file: int
    first: int
    text: bytes


def name_of(file: Path | str) -> str:
    """Return how a file is named in what is written, whatever bytes its name is made of."""
    return str(file).encode("utf-8", "replace").decode()


def blocks_of(files: Iterable[Path], stdin: BinaryIO) -> Iterator[Block]:
    """Yield the lines of files in turn; `-` is standard input. Raises DataFileError."""
    for number, file in enumerate(files):
        if file == STDIN:
            yield from _blocks(number, stdin)
            continue
        try:
            with file.open("rb") as stream:
                yield from _blocks(number, stream)
        except OSError as error:
            raise DataFileError(name_of(file), 0, f"cannot be read: {error.strerror}") from error


def _blocks(file: int, stream: BinaryIO) -> Iterator[Block]:
    first, rest = 1, b""
    while block := stream.read(BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            text = rest + block[:end]
            yield Block(file, first, text)
            first += text.count(b"\n")
            rest = b""
        rest = (rest + block[end:])[:BLOCK]
    if rest:
        yield Block(file, first, rest)
