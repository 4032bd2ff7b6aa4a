"""What waits for a partition is bounded, and comes out in order."""

import json
from collections.abc import Mapping
from dataclasses import replace

from aiokafka.structs import ConsumerRecord, TopicPartition

from app.stream.inbox import HIGH, LOW, USUAL, Inbox
from app.stream.items import APP, Foreign
from app.wire.record import RecordCodec

PURCHASES = TopicPartition("purchases", 0)
HANDOVERS = TopicPartition("handovers", 0)


class FakeHost:
    """Remembers what it was asked; every topic ends where it was fetched to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.ends: dict[TopicPartition, int] = {PURCHASES: 0, HANDOVERS: 0}
        self.at: dict[TopicPartition, int] = {PURCHASES: 0, HANDOVERS: 0}

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        self.at.update(positions)

    def pause(self, tp: TopicPartition) -> None:
        self.asked.append(("pause", tp.topic))

    def resume(self, tp: TopicPartition) -> None:
        self.asked.append(("resume", tp.topic))

    def end_of(self, tp: TopicPartition) -> int | None:
        return self.ends[tp]

    def position_of(self, tp: TopicPartition) -> int | None:
        return self.at[tp]

    def failed(self, number: int, error: BaseException) -> None:
        raise error


def inbox(host: FakeHost) -> Inbox:
    return Inbox(host, [PURCHASES, HANDOVERS], RecordCodec([]), 1.0, "loyalty")


def record(offset: int, time: str = "2026-03-01T00:00:00Z", size: int = 0) -> ConsumerRecord:
    body = {
        "specversion": "1.0", "id": str(offset), "source": "/s", "type": "signup.inquired",
        "subject": "c-1", "time": time, "data": {}, "padding": "x" * size,
    }  # fmt: skip
    value = json.dumps(body).encode()
    return ConsumerRecord("purchases", 0, offset, 0, 0, b"c-1", value, None, 3, len(value), ())


def test_what_was_offered_comes_out_and_its_bytes_are_forgotten() -> None:
    waiting = inbox(FakeHost())
    waiting.offer(PURCHASES, [record(0), record(1)])
    assert waiting.bytes > 0
    waiting.fill(10)
    assert [item.record.offset for item in waiting.take(10)] == [0, 1]
    assert waiting.bytes == 0
    assert waiting.empty(PURCHASES)


def test_a_topic_with_much_waiting_is_paused_once_and_resumed_when_little_is_left() -> None:
    host = FakeHost()
    waiting = inbox(host)
    size = 60_000
    count = HIGH // size + 2
    waiting.offer(PURCHASES, [record(n, size=size) for n in range(count)])
    waiting.offer(PURCHASES, [record(count)])
    assert host.asked == [("pause", "purchases")]
    waiting.fill(count)
    while waiting.bytes > LOW:
        assert host.asked == [("pause", "purchases")]
        waiting.take(1)
    waiting.take(1)
    assert host.asked == [("pause", "purchases"), ("resume", "purchases")]


def test_a_topic_is_known_to_have_more_until_its_end_was_fetched() -> None:
    host = FakeHost()
    host.ends[PURCHASES] = 5
    waiting = inbox(host)
    waiting.fill(10)
    assert not waiting.quiet()
    assert waiting.oldest() == 0
    host.at[PURCHASES] = 5
    waiting.fill(10)
    assert waiting.quiet()
    assert waiting.oldest() is None


def test_positions_pass_the_markers_behind_the_last_record_but_no_record() -> None:
    host = FakeHost()
    waiting = inbox(host)
    host.at[PURCHASES] = host.ends[PURCHASES] = 4
    assert waiting.positions({0: 2}) == {PURCHASES: 4}
    waiting.offer(PURCHASES, [record(3)])
    assert waiting.positions({0: 2}) == {PURCHASES: 2}


def test_a_handover_that_is_none_of_ours_is_refused_not_raised() -> None:
    waiting = inbox(FakeHost())
    waiting.offer(HANDOVERS, [record(0)])
    waiting.fill(10)
    (item,) = waiting.take(10)
    assert getattr(item.what, "reason", None) == "not-an-event"


def test_a_handover_of_another_app_is_none_of_ours() -> None:
    waiting = inbox(FakeHost())
    foreign = replace(record(0), headers=((APP, b"another"),))
    waiting.offer(HANDOVERS, [foreign])
    waiting.fill(10)
    (item,) = waiting.take(10)
    assert isinstance(item.what, Foreign)


def test_cleared_it_is_as_new() -> None:
    waiting = inbox(FakeHost())
    waiting.offer(PURCHASES, [record(0)])
    waiting.fill(10)
    waiting.clear()
    assert waiting.bytes == 0
    assert waiting.take(10) == []


def test_what_waits_beyond_the_usual_is_counted_until_it_is_taken() -> None:
    """By it the fetching of all partitions stops, before large batches add up."""
    waiting = inbox(FakeHost())
    waiting.offer(PURCHASES, [record(0)])
    assert waiting.unusual == 0
    giant = replace(record(1), value=b"x" * (USUAL + 5_000))
    waiting.offer(PURCHASES, [giant])
    assert 5_000 < waiting.unusual < 6_000
    waiting.fill(10)
    waiting.take(10)
    assert waiting.unusual == 0


def test_headers_take_room_too() -> None:
    waiting = inbox(FakeHost())
    waiting.offer(PURCHASES, [replace(record(0), headers=(("h", b"x" * 5_000),) * 2)])
    assert waiting.bytes > 10_000
