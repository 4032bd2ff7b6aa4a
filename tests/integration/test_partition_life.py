"""How a partition is taken over, handed on, stopped, and what it does when something is wrong."""

import asyncio
import shutil
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import TopicPartition
from structlog.testing import capture_logs

from app.errors import OffsetsLost, PartitionFailed, RememberedSettingsDiffer
from app.stream.items import APP
from app.stream.keys import partition_of
from app.stream.shared import Shared
from app.stream.store import Store
from app.wire.definition import read_ladder
from tests.integration.one_partition import (
    Message,
    Shop,
    applied,
    event,
    expected,
    history,
    in_order,
    outcome,
    purchase,
    until,
)
from tests.kafka.broker import Kafka

RECENT = read_ladder(
    b"""
id: recent
version: 1
title: {en: Recent}
kind: ladder
climb: cumulative
down: now
rungs:
  - {id: fresh, title: {en: Fresh}, when: "purchases_in(7) >= 1"}
""",
    "recent.yaml",
)


PATIENT = read_ladder(
    b"""
id: patient
version: 1
title: {en: Patient}
kind: ladder
climb: cumulative
down: {grace_days: 10, step: all}
rungs:
  - {id: fresh, title: {en: Fresh}, when: "purchases_in(7) >= 1"}
""",
    "patient.yaml",
)


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> Shop:
    return await Shop(kafka.bootstrap, unique, tmp_path).create()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 1_000_000


async def test_a_partition_that_was_taken_over_stops_and_the_new_owner_goes_on(
    shop: Shop, tmp_path: Path
) -> None:
    topics = history(20)
    for number, messages in enumerate(topics):
        await shop.send(messages, number)
    async with shop.running(batch=20) as old:
        elsewhere = Shop(shop.client["bootstrap_servers"], shop.name, tmp_path / "elsewhere")
        async with elsewhere.running(batch=20) as new:
            await applied(elsewhere, new)
            await shop.send([purchase("c-1", "2026-06-01T00:00:00Z", "last")])
            await applied(elsewhere, new)

            async def stopped() -> bool:
                assert old.partition is not None
                return old.partition.state == "closed"

            await until(stopped, old)
            assert not old.failure.done()
    topics[0].append(purchase("c-1", "2026-06-01T00:00:00Z", "last"))
    assert await outcome(shop) == expected(shop, *topics)


async def test_a_partition_that_was_quiesced_goes_on_from_its_positions(shop: Shop) -> None:
    await shop.send([purchase("c-1", "2026-03-01T00:00:00Z", 1)])
    async with shop.running() as host:
        partition = host.partition
        assert partition is not None
        await applied(shop, host)
        await partition.quiesce()
        await partition.quiesce()
        await shop.send([purchase("c-1", "2026-03-02T00:00:00Z", 2)])
        await host.seek(partition.positions())
        partition.start()
        for tp in partition.positions():
            host.resume(tp)
        await applied(shop, host)
    assert [c["data"]["to"] for c in await shop.stage_changes("raving-fan")] == [
        "shopper",
        "customer",
    ]


async def test_what_is_offered_to_a_partition_that_was_not_started_is_ignored(shop: Shop) -> None:
    await shop.send([purchase("c-1", "2026-03-01T00:00:00Z", 1)])
    async with shop.running() as host:
        partition = host.partition
        assert partition is not None
        await applied(shop, host)
        await partition.quiesce()
        before = partition.positions()
        await shop.send([purchase("c-1", "2026-03-02T00:00:00Z", 2)])

        async def fetched() -> bool:
            return any((host.position_of(tp) or 0) > before[tp] for tp in before)

        await until(fetched)
        assert partition.positions() == before


async def test_a_loop_that_is_busy_for_longer_than_the_merge_wait_breaks_no_order(
    shop: Shop,
) -> None:
    later = [purchase("c-1", f"2026-03-0{day}T00:00:00Z", day) for day in (2, 3)]
    first = [event("signup.registered", "c-1", "2026-03-01T00:00:00Z", 1)]
    await shop.send(later)
    await shop.send(first, 1)
    slow = TopicPartition(shop.topics[1], 0)
    async with shop.running(held=[slow], merge_wait=1.0) as host:

        async def fetched() -> bool:
            return host.position_of(TopicPartition(shop.topics[0], 0)) == 2

        await until(fetched, host)
        time.sleep(1.5)  # noqa: ASYNC251  the loop has to be blocked
        await asyncio.sleep(0.1)
        assert await shop.stage_changes("raving-fan") == []
        host.held.clear()
        host.resume(slow)
        await applied(shop, host)
    assert await outcome(shop) == expected(shop, later, first)


async def test_an_output_that_the_broker_never_takes_stops_the_worker_and_is_named(
    shop: Shop,
) -> None:
    """Not even a letter that is without all that it can be without."""
    await shop.allow(shop.dead_letters, 100)
    good = [purchase(f"c-{n}", "2026-03-01T00:00:00Z", n) for n in range(20)]
    await shop.send([*good[:13], (b"c-1", b"x" * 2000), *good[13:]])
    async with shop.running() as host:
        async with asyncio.timeout(60):
            failure = await host.failure
        assert host.partition is not None
        assert host.partition.state == "failed"
    assert isinstance(failure, PartitionFailed)
    assert f"{shop.topics[0]}[0] offset 13 could not be taken in" in str(failure)
    customers = {change["subject"] for change in await shop.stage_changes("raving-fan")}
    assert customers == {f"c-{n}" for n in range(13)}


@pytest.mark.parametrize(
    ("size", "codec"), [(70_000, None), (1_048_000, None), (9_000_000, "gzip")]
)
async def test_a_record_of_any_size_that_a_broker_takes_becomes_a_dead_letter(
    shop: Shop, size: int, codec: str | None
) -> None:
    await shop.allow(shop.dead_letters, 2 * 1_048_576)
    await shop.allow(shop.topics[0], 1_048_588)
    giant = b"0123456789" * (size // 10)
    async with AIOKafkaProducer(
        **shop.client, compression_type=codec, max_request_size=16 << 20
    ) as producer:
        await producer.send_and_wait(shop.topics[0], giant, b"c-1", partition=0)
    await shop.send([purchase("c-1", "2026-03-01T00:00:00Z", 1)])
    async with shop.running() as host:
        await applied(shop, host)
    assert await shop.letters() == [("too-large", 0, giant)]
    assert len(await shop.stage_changes("raving-fan")) == 1


async def test_a_store_that_breaks_while_it_is_in_use_is_rebuilt(shop: Shop) -> None:
    first = [purchase(f"c-{n}", "2026-03-01T00:00:00Z", n) for n in range(2_000)]
    await shop.send(first)
    async with shop.running() as host:
        await applied(shop, host)
    store = Store(shop.folder / "0", Shared(cache=8 << 20, buffers=8 << 20))
    store.flush()
    store.close()
    for file in (shop.folder / "0").glob("*.sst"):
        data = bytearray(file.read_bytes())
        for place in range(100, len(data) // 2, 1000):
            data[place] ^= 0xFF
        file.write_bytes(data)
    second = [purchase(f"c-{n}", "2026-03-02T00:00:00Z", 10_000 + n) for n in range(2_000)]
    await shop.send(second)
    aside = shop.folder / "0.broken"
    with capture_logs() as said:

        async def rebuilt() -> bool:
            """Whichever read comes upon the damage, before or after all is applied."""
            moved = [line.get("moved_to") for line in said]
            return str(aside) in moved and not aside.exists()

        async with shop.running() as host:
            await until(rebuilt, host)
            await applied(shop, host)
    assert await outcome(shop) == expected(shop, [*first, *second])


async def test_records_that_were_deleted_before_they_were_read_are_not_skipped_silently(
    shop: Shop,
) -> None:
    await shop.send([purchase("c-1", "2026-03-01T00:00:00Z", 1)])
    async with shop.running() as host:
        await applied(shop, host)
    await shop.send([purchase("c-1", f"2026-03-0{n}T00:00:00Z", n) for n in range(2, 6)])
    await shop.delete_before(shop.topics[0], 3)
    with pytest.raises(OffsetsLost, match="offset 1 up to 3 were deleted"):
        async with shop.running():
            pass


async def test_a_topic_that_nothing_came_from_yet_has_its_place_all_the_same(shop: Shop) -> None:
    await shop.send([purchase("c-1", "2026-03-01T00:00:00Z", 1)])
    async with shop.running() as host:
        await applied(shop, host)
    await shop.send([event("signup.registered", "c-1", "2026-03-02T00:00:00Z", 2)], 1)
    await shop.delete_before(shop.topics[1], 1)
    with pytest.raises(OffsetsLost, match="offset 0 up to 1 were deleted"):
        async with shop.running():
            pass


async def test_everybody_who_is_due_is_looked_at_however_many_they_are(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    shop = await Shop(kafka.bootstrap, unique, tmp_path, ladders=[RECENT]).create()
    many = 5_000
    await shop.send([purchase(f"c-{n}", "2026-03-01T09:30:00Z", n) for n in range(many)])
    await shop.send([event("clock.advanced", "who", "2026-03-08T00:00:00Z", "on")])
    async with shop.running() as host:
        await applied(shop, host)

        async def nothing_is_left() -> bool:
            return b'ladder_due_behind_seconds{partition="0"} 0.0' in shop.metrics.text()

        await until(nothing_is_left, host)
    falls = [c for c in await shop.stage_changes("recent") if c["data"]["to"] is None]
    assert len(falls) == many
    text = shop.metrics.text().decode()
    assert 'ladder_customers{ladder="recent",rung="fresh"} 0.0' in text


async def test_a_merged_survivor_in_a_grace_falls_by_the_clock_alone_after_a_cold_restore(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    shop = await Shop(kafka.bootstrap, unique, tmp_path, ladders=[PATIENT]).create()
    messages = [
        purchase("guest", "2026-03-01T00:00:00Z", 1),
        event("profile.merged", "guest", "2026-03-02T00:00:00Z", 2, into="c-1"),
        # The window has dropped the purchase: the grace runs from the 8th to the 18th.
        event("clock.advanced", "who", "2026-03-09T00:00:00Z", 3),
    ]
    await shop.send(messages)
    async with shop.running() as host:
        await applied(shop, host)
    shutil.rmtree(shop.folder / "0")
    messages.append(event("clock.advanced", "who", "2026-03-20T00:00:00Z", 4))
    await shop.send(messages[-1:])
    async with shop.running() as host:
        await applied(shop, host)
    found = await outcome(shop)
    (fall,) = [c["data"] for c in found[0]["patient"] if c["data"]["cause"] == "clock"]
    assert fall["to"] is None
    assert found == expected(shop, messages)


async def test_handovers_of_another_name_are_refused_since_what_waits_would_be_lost(
    shop: Shop,
) -> None:
    await shop.send([purchase("c-1", "2026-03-01T00:00:00Z", 1)])
    async with shop.running() as host:
        await applied(shop, host)
    with pytest.raises(RememberedSettingsDiffer, match=f"{shop.handovers}.*LADDER_HANDOVERS"):
        async with shop.running(handovers=shop.dead_letters):
            pass


async def test_by_the_wall_clock_what_is_due_happens_when_its_time_has_come(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    shop = Shop(kafka.bootstrap, unique, tmp_path, ladders=[RECENT], event_clock=False)
    await shop.create()
    now = at("2026-03-01T10:00:00+00:00")
    await shop.send([purchase("c-1", "2026-03-01T09:30:00Z", 1)])
    async with shop.running(now=lambda: now) as host:
        await applied(shop, host)
        now = at("2026-03-07T23:59:59+00:00")
        await shop.send([purchase("c-2", "2026-03-07T23:59:58Z", 2)])
        await applied(shop, host)
        assert [c["data"]["to"] for c in await shop.stage_changes("recent")] == ["fresh", "fresh"]
        now = at("2026-03-08T00:00:02+00:00")

        async def fell() -> bool:
            return len(await shop.stage_changes("recent")) == 3

        await until(fell, host)
    fall = (await shop.stage_changes("recent"))[-1]
    assert fall["time"] == "2026-03-08T00:00:00Z"
    assert (fall["subject"], fall["data"]["to"], fall["data"]["cause"]) == ("c-1", None, "clock")


async def test_what_fell_due_while_nobody_was_there_happens_at_the_start(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    shop = Shop(kafka.bootstrap, unique, tmp_path, ladders=[RECENT], event_clock=False)
    await shop.create()
    now = at("2026-03-01T10:00:00+00:00")
    await shop.send([purchase("c-1", "2026-03-01T09:30:00Z", 1)])
    async with shop.running(now=lambda: now) as host:
        await applied(shop, host)
    now = at("2026-04-01T10:00:00+00:00")
    async with shop.running(now=lambda: now) as host:

        async def fell() -> bool:
            return len(await shop.stage_changes("recent")) == 2

        await until(fell, host)
    assert (await shop.stage_changes("recent"))[-1]["time"] == "2026-03-08T00:00:00Z"


async def test_an_event_more_than_a_day_ahead_of_the_wall_clock_is_refused(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    shop = Shop(kafka.bootstrap, unique, tmp_path, ladders=[RECENT], event_clock=False)
    await shop.create()
    now = at("2026-03-01T10:00:00+00:00")
    await shop.send(
        [
            purchase("c-1", "2026-03-02T10:00:01Z", 1),
            event("clock.advanced", "any", "2026-03-03T00:00:00Z", 2),
            purchase("c-1", "2026-03-02T10:00:00Z", 3),
        ]
    )
    async with shop.running(now=lambda: now) as host:
        await applied(shop, host)
    assert [reason for reason, _, _ in await shop.letters()] == ["future", "future"]
    assert len(await shop.stage_changes("recent")) == 1


async def test_the_event_clock_moves_with_events_and_with_clock_advanced(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    shop = await Shop(kafka.bootstrap, unique, tmp_path, ladders=[RECENT]).create()
    await shop.send([purchase("c-1", "2026-03-01T09:30:00Z", 1)])
    async with shop.running() as host:
        await applied(shop, host)
        assert host.partition is not None
        assert host.partition.clock() == at("2026-03-01T09:30:00+00:00")
        await shop.send([event("clock.advanced", "who", "2026-03-08T00:00:00Z", 2)])

        async def fell() -> bool:
            return len(await shop.stage_changes("recent")) == 2

        await until(fell, host)
    assert (await shop.stage_changes("recent"))[-1]["time"] == "2026-03-08T00:00:00Z"
    async with shop.running() as host:
        assert host.partition is not None
        assert host.partition.clock() == at("2026-03-08T00:00:00+00:00")


def customer_of(partition: int, taken: set[str]) -> str:
    """A customer id that belongs to one of two partitions."""
    number = next(
        n
        for n in range(1000)
        if partition_of(b"c-%d" % n, 2) == partition and f"c-{n}" not in taken
    )
    taken.add(f"c-{number}")
    return f"c-{number}"


@pytest.fixture
async def two(kafka: Kafka, unique: str, tmp_path: Path) -> Shop:
    return await Shop(kafka.bootstrap, unique, tmp_path, partitions=2).create()


async def run_both(shop: Shop, messages: list[Message], done: int) -> None:
    """Run both partitions until a number of handovers is applied and all is read."""
    await shop.send(messages)
    async with shop.running(0) as left, shop.running(1) as right:

        async def finished() -> bool:
            handed = await shop.read(shop.handovers)
            if len(handed) < done:
                return False
            for host in (left, right):
                assert host.partition is not None
                positions = host.partition.positions()
                if any(positions[tp] < (host.end_of(tp) or 0) for tp in positions):
                    return False
                mine = [r.offset for r in handed if r.partition == host.partition.number]
                tp = next(tp for tp in positions if tp.topic == shop.handovers)
                if mine and positions[tp] <= mine[-1]:
                    return False
            return True

        await until(finished, left)


async def test_a_first_event_in_the_wrong_partition_is_refused(two: Shop) -> None:
    right = customer_of(1, set())
    await two.send_to(0, [purchase(right, "2026-03-01T00:00:00Z", 1)])
    await run_both(two, [purchase(right, "2026-03-02T00:00:00Z", 2)], 0)
    assert [reason for reason, _, _ in await two.letters()] == ["wrong-partition"]
    assert [c["data"]["to"] for c in await two.stage_changes("raving-fan")] == ["shopper"]


async def test_a_credit_crosses_partitions_once(two: Shop) -> None:
    taken: set[str] = set()
    referrer, referred = customer_of(0, taken), customer_of(1, taken)
    messages = [
        purchase(referrer, "2026-03-01T00:00:00Z", 1),
        event("signup.registered", referred, "2026-03-02T00:00:00Z", 2, referred_by=referrer),
        purchase(referred, "2026-03-03T00:00:00Z", 3),
    ]
    await run_both(two, messages, 2)
    named, credit = await two.read(two.handovers)
    assert named.key == referrer.encode()
    assert (credit.key, credit.partition) == (sha256(named.key).hexdigest().encode(), 0)
    assert referrer.encode() not in credit.value
    assert {*named.headers, *credit.headers} == {(APP, two.name.encode())}
    async with two.running(0) as host:
        assert host.partition is not None
        slot = host.partition.slot(referrer)
        assert slot is not None
        record = slot.record
        assert record is not None
        assert getattr(record, "brought").sums[0] == [1]  # noqa: B009  a forwarding has none


async def test_a_refused_event_that_was_forwarded_keeps_the_place_where_it_came_in(
    two: Shop,
) -> None:
    taken: set[str] = set()
    absorbed, survivor = customer_of(0, taken), customer_of(1, taken)
    refund = event(
        "purchase.refunded", absorbed, "2026-03-03T00:00:00Z", 9,
        order_id="nowhere", amount=1, currency="VND",
    )  # fmt: skip
    messages = [
        purchase(absorbed, "2026-03-01T00:00:00Z", 1),
        event("profile.merged", absorbed, "2026-03-02T00:00:00Z", 2, into=survivor),
        refund,
        purchase(absorbed, "2026-03-04T00:00:00Z", 3),
    ]
    await run_both(two, messages, 3)
    (letter,) = await two.read(two.dead_letters)
    headers = dict(letter.headers)
    assert (letter.key, letter.value, letter.partition) == (*refund, 0)
    assert headers["__streams.errors.topic"] == two.topics[0].encode()
    assert headers["__streams.errors.partition"] == b"0"
    assert headers["__streams.errors.offset"] == b"2"
    assert headers["loyalty.reason"] == b"unknown-order"
    moves = in_order(await two.stage_changes("raving-fan"))
    assert [(c["subject"], c["data"]["to"], c["data"]["cause"]) for c in moves] == sorted(
        [
            (absorbed, "shopper", "event"),
            (absorbed, None, "merge"),
            (survivor, "shopper", "merge"),
            (survivor, "customer", "event"),
        ],
        key=lambda move: move[0],
    )
