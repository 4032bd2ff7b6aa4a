"""Lines from files and standard input, without ever holding up the loop."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from app.errors import DataFileError
from app.wire.plain_text import NotText, PlainText

BLOCK = 64 * 1024
AHEAD = 4
"""Blocks that are read before they are asked for."""
LONGEST = 4 * 1024 * 1024
"""Bytes of a line; what is longer comes in pieces, each of which is no event."""

STDIN = Path("-")


async def lines(
    files: Iterable[Path], progress: Callable[[int], object] = lambda _: None
) -> AsyncIterator[bytes]:
    """Each line that says something, without its end; progress hears how many bytes it took.

    Raises DataFileError for a file that cannot be read, or is no text.
    """
    for file in files:
        rest = b""
        try:
            async for piece in _text(file, progress):
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    if line.strip():
                        yield line.rstrip(b"\r")
                if len(rest) > LONGEST:
                    yield rest
                    rest = b""
        except NotText as error:
            raise DataFileError(str(file), 0, str(error)) from error
        if rest.strip():
            yield rest.rstrip(b"\r")


async def _text(file: Path, progress: Callable[[int], object]) -> AsyncIterator[bytes]:
    text = PlainText()
    async for block in _blocks(file):
        for piece in text.take(block):
            yield piece
        progress(len(block))
    for piece in text.end():
        yield piece


def size(files: Iterable[Path]) -> int | None:
    """Bytes of all files together; None where standard input is among them."""
    chosen = list(files)
    return None if STDIN in chosen else sum(file.stat().st_size for file in chosen)


async def _blocks(file: Path) -> AsyncIterator[bytes]:
    """What is there to read, as soon as it is: a pipe may be slow.

    Read by a daemon thread with `os.read`: an executor's thread that waits for a terminal would
    keep Ctrl-C from ending the program, and one inside `sys.stdin` would break its end.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    ahead = threading.Semaphore(AHEAD)
    descriptor = sys.stdin.fileno() if file == STDIN else os.open(file, os.O_RDONLY)

    def read() -> None:
        block: bytes | OSError = b"-"
        while block and isinstance(block, bytes):
            ahead.acquire()
            try:
                block = os.read(descriptor, BLOCK)
            except OSError as error:
                block = error
            try:
                loop.call_soon_threadsafe(found.put_nowait, block)
            except RuntimeError:  # the loop is closed: nobody wants it any more
                return

    threading.Thread(target=read, name=f"reads {file}", daemon=True).start()
    try:
        while block := await found.get():
            if isinstance(block, OSError):
                raise DataFileError(str(file), 0, block.strerror or str(block)) from block
            ahead.release()
            yield block
    finally:
        if file != STDIN:
            os.close(descriptor)
