"""The bytes of text files: packed or not, with a mark or without, however they come."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wire.plain_text import PIECE, NotText, PlainText, plain

MARK = b"\xef\xbb\xbf"


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """What comes of the data, given in blocks of a size."""
    text = PlainText()
    for start in range(0, len(data), size):
        yield from text.take(data[start : start + size])
    yield from text.end()


CONTENTS = st.binary(max_size=40) | st.sampled_from([b"{}", b"\n", b"x", MARK, MARK[:2], b"\x1f"])


def is_other(content: bytes) -> bool:
    """Whether it begins as a text in another encoding, or as a packed file."""
    return content[:2] in (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b") or 0 in content[:4]


@given(content=CONTENTS, marked=st.booleans(), packed=st.booleans(), size=st.integers(1, 50))
def test_the_text_comes_whole_however_it_is_wrapped_and_cut(
    content: bytes, marked: bool, packed: bool, size: int
) -> None:
    if is_other(content) or (not marked and content.startswith(MARK)):
        return
    data = MARK * marked + content
    data = gzip.compress(data) if packed else data
    assert b"".join(pieces(data, size)) == content
    assert plain(data) == content


def test_only_the_first_mark_is_left_out() -> None:
    assert plain(MARK + MARK + b"{}") == MARK + b"{}"
    assert plain(b"{}\n" + MARK + b"{}") == b"{}\n" + MARK + b"{}"


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_packed_files_that_follow_each_other_are_one(size: int) -> None:
    data = gzip.compress(b"one\n") + gzip.compress(b"") + gzip.compress(b"two") + b"\0" * 20
    assert b"".join(pieces(data, size)) == b"one\ntwo"


def test_a_line_is_given_as_soon_as_it_is_there() -> None:
    text = PlainText()
    assert [*text.take(b"{}\n")] == [b"{}\n"]
    packed = PlainText()
    writer = zlib.compressobj(wbits=31)
    block = writer.compress(b"{}\n") + writer.flush(zlib.Z_SYNC_FLUSH)
    assert b"".join(packed.take(block)) == b"{}\n"


def test_little_that_is_packed_does_not_become_much_at_once() -> None:
    sizes = [len(piece) for piece in pieces(gzip.compress(b" " * 50_000_000), 64 * 1024)]
    assert (sum(sizes), max(sizes) <= PIECE) == (50_000_000, True)
    assert len(plain(gzip.compress(b" " * 50_000_000), 1_000)) <= PIECE


@pytest.mark.parametrize("cut", [2, 5, 12, -1, -8])
def test_a_packed_file_without_its_end_is_told(cut: int) -> None:
    with pytest.raises(NotText, match="its end is missing"):
        plain(gzip.compress(b"some text\n" * 9)[:cut])


@pytest.mark.parametrize("place", [2, 14, -6, -2])
def test_a_packed_file_that_was_damaged_is_told(place: int) -> None:
    data = bytearray(gzip.compress(b"some text\n" * 9))
    data[place] ^= 0xFF
    with pytest.raises(NotText, match="damaged"):
        plain(bytes(data))


def test_what_follows_a_packed_file_and_is_none_is_told() -> None:
    with pytest.raises(NotText, match="damaged"):
        plain(gzip.compress(b"{}\n") + b"{}\n")


ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_encoding_is_named_with_the_way_out(encoding: str, packed: bool, size: int) -> None:
    data = '{"id": "é"}'.encode(encoding)
    data = gzip.compress(data) if packed else data
    words = f"this is {encoding[:6].upper()}; save the file as UTF-8"
    with pytest.raises(NotText, match=words):
        list(pieces(data, size))


def test_an_empty_text_in_another_encoding_is_told_too() -> None:
    for mark in (b"\xff\xfe", b"\xfe\xff"):
        with pytest.raises(NotText, match="UTF-16"):
            plain(mark)


@pytest.mark.parametrize("content", [b"\0", b"\0\0\0\0", b"x\0", b"x\0y", b"a\0bc", b"\0a\0\0"])
def test_zeros_alone_are_no_other_encoding(content: bytes) -> None:
    assert plain(content) == content
