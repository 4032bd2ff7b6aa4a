"""Text files as other programs leave them: packed with gzip or not, with a byte order mark or
without. Whatever is read as text comes through here first.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from itertools import chain

PIECE = 2 * 1024 * 1024
"""The most bytes that are unpacked at a time: of little that is packed much may come."""

_GZIP = b"\x1f\x8b"
_GZIP_ONLY = 16 + zlib.MAX_WBITS
_KNOWN_BY = 4
"""Bytes at the begin of a text that say how it is encoded."""


def is_packed(begin: bytes) -> bool:
    """Tell a packed file by its first bytes, two or more."""
    return begin.startswith(_GZIP)


class NotText(Exception):
    """A file that is no text in UTF-8, as a whole. The message says what it is, and what to do."""


class PlainText:
    """Takes the bytes of one file as they come, and gives those of its text: `take` until there are
    no more, then `end`. Both raise NotText.
    """

    def __init__(self) -> None:
        # What was held back because what it begins is not known yet; None once it is known.
        self._file: bytes | None = b""
        self._text: bytes | None = b""
        self._unpack: zlib._Decompress | None = None

    def take(self, block: bytes) -> Iterator[bytes]:
        """Yield what is text of the next bytes; it may be nothing, or long after what was taken."""
        for piece in self._unpacked(block):
            if text := self._unmarked(piece):
                yield text

    def end(self) -> Iterator[bytes]:
        """Yield what was held back."""
        rest = self._file or b""
        if self._unpack is not None:
            rest = self._unpack.flush()
            if not self._unpack.eof:
                raise NotText("this is gzip, but its end is missing; get the file again")
        if text := self._unmarked(rest, whole=True):
            yield text

    def _unpacked(self, block: bytes) -> Iterator[bytes]:
        if self._file is not None:
            block = self._file + block
            if len(block) < len(_GZIP) and _GZIP.startswith(block):
                self._file = block
                return
            self._file = None
            if is_packed(block):
                self._unpack = zlib.decompressobj(_GZIP_ONLY)
        if self._unpack is None:
            yield block
            return
        while block:
            if self._unpack.eof:
                # Packed files may follow each other in one, and zeros the last.
                block = block.lstrip(b"\0")
                self._unpack = zlib.decompressobj(_GZIP_ONLY) if block else self._unpack
                continue
            try:
                piece = self._unpack.decompress(block, PIECE)
            except zlib.error as error:
                raise NotText("this is gzip, but damaged; get the file again") from error
            block = self._unpack.unconsumed_tail or self._unpack.unused_data
            yield piece

    def _unmarked(self, piece: bytes, *, whole: bool = False) -> bytes:
        if self._text is None:
            return piece
        begin = self._text + piece
        if not whole and len(begin) < _KNOWN_BY and _may_be_other(begin):
            self._text = begin
            return b""
        self._text = None
        if encoding := _other_encoding(begin[:_KNOWN_BY]):
            raise NotText(f"this is {encoding}; save the file as UTF-8")
        return begin.removeprefix(codecs.BOM_UTF8)


def plain(data: bytes, most: int | None = None) -> bytes:
    """Return the text of a whole file, of a long one a little over `most` bytes. Raises NotText."""
    text = PlainText()
    found = bytearray()
    for piece in chain(text.take(data), text.end()):
        found += piece
        if most is not None and len(found) > most:
            break
    return bytes(found)


def _may_be_other(begin: bytes) -> bool:
    """Whether what follows may still say that a text begins with a mark, or is not UTF-8."""
    return len(begin) < 2 or 0 in begin or begin[0] in b"\xfe\xff" or begin in codecs.BOM_UTF8


def _other_encoding(begin: bytes) -> str | None:
    """Name the encoding that a text begins in, where it is none that bytes are read in here."""
    if begin in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return "UTF-32"
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    zeros = [byte == 0 for byte in begin]
    return "UTF-16" if zeros in ([False, True] * 2, [True, False] * 2) else None
