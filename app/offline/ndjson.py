"""Events from NDJSON files, in blocks of whole lines; packed with gzip or not."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.errors import DataFileError
from app.wire.plain_text import NotText, PlainText, is_packed

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
        try:
            with nullcontext(stdin) if file == STDIN else file.open("rb") as stream:
                yield from _blocks(number, _text(stream))
        except OSError as error:
            raise DataFileError(name_of(file), 0, f"cannot be read: {error.strerror}") from error
        except NotText as error:
            raise DataFileError(name_of(file), 0, str(error)) from error


def size_of(files: Sequence[Path]) -> int | None:
    """Return how many bytes of text the files have together; None where reading alone would tell.

    Raises DataFileError.
    """
    size = 0
    for file in files:
        if file == STDIN or not file.is_file():  # a pipe can be read but once
            return None
        try:
            with file.open("rb") as stream:
                if is_packed(stream.read(2)):
                    return None
            size += file.stat().st_size
        except OSError as error:
            raise DataFileError(name_of(file), 0, f"cannot be read: {error.strerror}") from error
    return size


def _text(stream: BinaryIO) -> Iterator[bytes]:
    text = PlainText()
    while block := stream.read(BLOCK):
        yield from text.take(block)
    yield from text.end()


def _blocks(file: int, pieces: Iterable[bytes]) -> Iterator[Block]:
    first, rest = 1, b""
    for block in pieces:
        end = block.rfind(b"\n") + 1
        if end:
            text = rest + block[:end]
            yield Block(file, first, text)
            first += text.count(b"\n")
            rest = b""
        rest = (rest + block[end:])[:BLOCK]
    if rest:
        yield Block(file, first, rest)
