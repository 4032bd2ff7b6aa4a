"""The little that has to be read and put right of Kafka's protocol to mind who is in a group.

A frame is a request or an answer without the four bytes of its size. A request begins with its key,
its version, a number that its answer begins with, and the client's name.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from app.embedded.sessions import Member

JOIN, HEARTBEAT, LEAVE, SYNC = 11, 12, 13, 14
METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER = 3, 10, 60
ADDRESSED = frozenset({METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER})
"""Requests whose answers say where the broker is."""
UNKNOWN_MEMBER, REBALANCING = 25, 27
SESSIONS_MS = range(6_000, 1_800_001)
"""How long brokers allow a session to be."""
_COMPACT_SINCE = {JOIN: 6, SYNC: 4, HEARTBEAT: 4}
"""Requests that name a member, and the version since which texts are written in another way."""


class Asked(NamedTuple):
    """A request of a member. Only one to join tells its `session`, in ms; `at` is where."""

    member: Member
    session: int | None = None
    at: int = 0


def key_of(frame: bytes) -> int:
    return int.from_bytes(frame[:2])


def version_of(frame: bytes) -> int:
    return int.from_bytes(frame[2:4])


def number_of(frame: bytes) -> bytes:
    """Return the bytes that the answer to this request begins with."""
    return frame[4:8]


def asked(frame: bytes) -> Asked | None:
    """Return who asks, if it is somebody in a group. A broken frame is the broker's to judge."""
    key, version = key_of(frame), version_of(frame)
    if key not in _COMPACT_SINCE:
        return None
    try:
        return _asked(_Reader(frame, 8, compact=False), key, version)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None


def _asked(reader: _Reader, key: int, version: int) -> Asked:
    reader.text()  # the client's name, which is never compact
    reader.compact = version >= _COMPACT_SINCE[key]
    if reader.compact:
        reader.skip_tags()
    group, at = reader.text(), reader.at
    number = reader.number()  # how long the session may last, or the generation
    if key != JOIN:
        return Asked(Member(group, reader.text()))
    if version >= 1:
        reader.number()  # how long a rebalance may last
    return Asked(Member(group, reader.text()), number, at)


def with_longest_session(frame: bytes, asked: Asked) -> bytes:
    """Return a request to join with the longest session there is; one that is not allowed stays."""
    if asked.session not in SESSIONS_MS:
        return frame
    return frame[: asked.at] + struct.pack(">i", SESSIONS_MS[-1]) + frame[asked.at + 4 :]


def assigned(answer: bytes, version: int) -> bytes:
    """Return the answer to a request for the assignment; if it has none, that there is a rebalance.

    An assignment is never empty: who gets no partitions is told so, in some bytes.
    """
    error = 4 if version == 0 else 8 if version < _COMPACT_SINCE[SYNC] else 9
    if any(answer[error : error + 2]) or not _is_empty(answer, error + 2, version):
        return answer
    return answer[:error] + struct.pack(">h", REBALANCING) + answer[error + 2 :]


def _is_empty(answer: bytes, at: int, version: int) -> bool:
    reader = _Reader(answer, at, compact=version >= _COMPACT_SINCE[SYNC])
    if not reader.compact:
        return reader.number() <= 0
    if version >= 5:
        reader.text()  # the kind of group
        reader.text()  # how its members agreed to share out
    return reader.varint() <= 1


class _Reader:
    """Reads on through a frame."""

    def __init__(self, frame: bytes, at: int, *, compact: bool) -> None:
        self.frame = frame
        self.at = at
        self.compact = compact

    def number(self) -> int:
        (number,) = struct.unpack_from(">i", self.frame, self.at)
        self.at += 4
        return int(number)

    def text(self) -> str:
        if self.compact:
            length = self.varint() - 1
        else:
            (length,) = struct.unpack_from(">h", self.frame, self.at)
            self.at += 2
        begin, self.at = self.at, self.at + max(0, length)
        return self.frame[begin : self.at].decode()

    def skip_tags(self) -> None:
        for _ in range(self.varint()):
            self.varint()
            size = self.varint()
            self.at += size

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.frame[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7


def heartbeat(member: Member) -> bytes:
    """Return a request that a member would send, of a generation that never was.

    So the broker says whether it knows the member, and changes nothing.
    """
    return _request(HEARTBEAT, _text(member.group) + struct.pack(">i", -1) + _text(member.id))


def leave(member: Member) -> bytes:
    """Return a request to take a member out of its group."""
    return _request(LEAVE, _text(member.group) + _text(member.id))


def error_of(answer: bytes) -> int:
    """Return the error in an answer to one of the two requests above."""
    return int.from_bytes(answer[4:6], signed=True)


def _request(key: int, body: bytes) -> bytes:
    """Return a request of version 0 without a client's name."""
    return struct.pack(">hhih", key, 0, 0, -1) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">h", len(encoded)) + encoded
