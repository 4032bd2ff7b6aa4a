"""Of Kafka's requests that is read who asks in which group, whatever the version."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka.protocol import group as protocol
from aiokafka.protocol.api import RequestHeader_v1
from aiokafka.protocol.metadata import MetadataRequest_v1

from app.embedded import frames
from app.embedded.frames import Asked
from app.embedded.sessions import Member

ME = Member("shop-é", "member-1")


def frame(request: Any, client: str | None = "a client") -> bytes:
    return bytes(RequestHeader_v1(request, 77, client).encode() + request.encode())


def compact(key: int, version: int, *body: bytes) -> bytes:
    """A request of the newer kind: tags end its head, and texts have their length as a varint."""
    client = struct.pack(">h", 2) + b"me"
    tag = b"\x01\x05\x03abc"
    return struct.pack(">hhi", key, version, 77) + client + tag + b"".join(body)


def text(value: str) -> bytes:
    encoded = value.encode()
    size = len(encoded) + 1
    head = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
    return head + encoded


def number(value: int) -> bytes:
    return struct.pack(">i", value)


@pytest.mark.parametrize("version", [0, 1, 2, 5])
def test_a_request_to_join_tells_who_and_how_long_its_session_is(version: int) -> None:
    made = protocol.JoinGroupRequest(*ME[:1], 6_000, 30_000, ME.id, "static", "consumer", [])
    request = made.build(getattr(protocol, f"JoinGroupRequest_v{version}"))
    asked = frames.asked(frame(request))
    assert asked is not None
    assert asked[:2] == (ME, 6_000)


@pytest.mark.parametrize("version", [6, 7, 9])
@pytest.mark.parametrize("member", [ME, Member("g" * 200, "m")])
def test_a_newer_request_to_join_is_read_too(version: int, member: Member) -> None:
    body = text(member.group), number(6_000), number(30_000), text(member.id), b"\x00"
    asked = frames.asked(compact(11, version, *body))
    assert asked is not None
    assert asked[:2] == (member, 6_000)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_a_request_for_the_assignment_tells_who(version: int) -> None:
    made = protocol.SyncGroupRequest(ME.group, 4, ME.id, "static", [])
    request = made.build(getattr(protocol, f"SyncGroupRequest_v{version}"))
    assert frames.asked(frame(request)) == Asked(ME)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("client", ["a client", "", None])
def test_a_heartbeat_tells_who_whatever_the_client_is_called(
    version: int, client: str | None
) -> None:
    made = protocol.HeartbeatRequest(ME.group, 4, ME.id)
    request = made.build(getattr(protocol, f"HeartbeatRequest_v{version}"))
    assert frames.asked(frame(request, client)) == Asked(ME)


@pytest.mark.parametrize("key", [12, 14])
def test_newer_ones_of_these_are_read_too(key: int) -> None:
    assert frames.asked(compact(key, 4, text(ME.group), number(4), text(ME.id))) == Asked(ME)


def test_other_requests_are_nobodys() -> None:
    assert frames.asked(frame(MetadataRequest_v1(["shop"]))) is None


def test_a_request_that_breaks_off_anywhere_is_nobodys_or_as_much_as_was_read() -> None:
    whole = compact(11, 6, text(ME.group), number(6_000), number(30_000), text(ME.id))
    for size in range(4, len(whole)):
        frames.asked(whole[:size])


def test_what_is_asked_of_the_broker_is_what_kafka_understands() -> None:
    leave = protocol.LeaveGroupRequest(*ME).build(protocol.LeaveGroupRequest_v0)
    assert frames.leave(ME)[10:] == leave.encode()
    heartbeat = protocol.HeartbeatRequest(ME.group, -1, ME.id).build(protocol.HeartbeatRequest_v0)
    assert frames.heartbeat(ME)[10:] == heartbeat.encode()
    assert frames.asked(frames.heartbeat(ME)) == Asked(ME)


def join(session: int) -> tuple[Any, ...]:
    return ME.group, session, 30_000, ME.id, "static", "consumer", [("range", b"topics")]


@pytest.mark.parametrize(
    ("session", "told"), [(6_000, 1_800_000), (1_800_000, 1_800_000), (5_999, 5_999), (-1, -1)]
)
def test_the_broker_is_told_of_the_longest_session_in_place_of_one_that_is_allowed(
    session: int, told: int
) -> None:
    given = frame(protocol.JoinGroupRequest_v5(*join(session)))
    asked = frames.asked(given)
    assert asked is not None
    assert frames.with_longest_session(given, asked) == frame(
        protocol.JoinGroupRequest_v5(*join(told))
    )


def sync_answer(version: int, error: int, assignment: bytes) -> bytes:
    """As the protocol has it: number, tags, throttle, error, kind, strategy, assignment, tags."""
    begin = number(77)
    if version >= 4:
        kind = text("consumer") + text("range") if version >= 5 else b""
        end = bytes([len(assignment) + 1]) + assignment + b"\0"
        return begin + b"\0" + number(0) + struct.pack(">h", error) + kind + end
    throttle = number(0) if version >= 1 else b""
    return begin + throttle + struct.pack(">h", error) + number(len(assignment)) + assignment


@pytest.mark.parametrize("version", [0, 1, 3, 4, 5])
def test_an_assignment_without_a_byte_becomes_a_rebalance(version: int) -> None:
    given = sync_answer(version, 0, b"")
    assert frames.assigned(given, version) == sync_answer(version, 27, b"")


@pytest.mark.parametrize("version", [0, 1, 3, 4, 5])
@pytest.mark.parametrize(
    ("error", "assignment"), [(0, b"\0\0"), (0, b"\1\0"), (25, b""), (22, b"")]
)
def test_any_other_answer_stays_as_it_is(version: int, error: int, assignment: bytes) -> None:
    given = sync_answer(version, error, assignment)
    assert frames.assigned(given, version) == given
