"""Who follows the stage changes sees the newest first, then what is committed, and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.api.ports import TooMany
from app.stream import live as module
from app.stream import recent
from app.stream.live import Live
from tests.kafka.broker import Kafka

PATIENCE = 60.0


class Topic:
    """A topic of stage changes with two partitions, written in transactions."""

    def __init__(self, producer: AIOKafkaProducer, name: str) -> None:
        self.producer, self.name = producer, name

    async def say(self, *names: str, commit: bool = True, ladder: str = "climb") -> None:
        await self.producer.begin_transaction()
        for name in names:
            moved = {"ladder": ladder, "to": None if name.endswith("leaves") else "member"}
            change = {"id": name, "subject": name.removesuffix("-leaves"), "data": moved}
            value = json.dumps(change).encode()
            await self.producer.send_and_wait(self.name, value, partition=name[:2] == name[0] * 2)
        if commit:
            await self.producer.commit_transaction()
        else:
            await self.producer.abort_transaction()


@pytest.fixture
async def topic(kafka: Kafka, unique: str) -> AsyncIterator[Topic]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(unique, 2, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=unique)
    await producer.start()
    yield Topic(producer, unique)
    await producer.stop()


@pytest.fixture
async def live(kafka: Kafka, topic: Topic) -> AsyncIterator[Live]:
    live = Live({"bootstrap_servers": kafka.bootstrap}, {"climb": topic.name}, 2)
    yield live
    await live.close()


async def hear(stream: Any, until: str) -> list[str]:
    """The ids that are told, up to a certain one; what was left out as `+n`."""
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for said in stream:
            if isinstance(said, int):
                heard.append(f"+{said}")
                continue
            heard += [value.split(b'"')[3].decode() for value in said]
            if until in heard:
                break
    return heard


async def test_the_newest_come_first_then_what_is_committed(topic: Topic, live: Live) -> None:
    await topic.say("a", "bb", "c")
    async with aclosing(live.follow(None)) as stream:
        assert sorted(await hear(stream, "c")) == ["a", "bb", "c"]
        await topic.say("never", commit=False)
        await topic.say("d", "ee")
        assert sorted(await hear(stream, "ee")) == ["d", "ee"]
        async with aclosing(live.follow(None)) as second, aclosing(live.follow("no")) as other:
            assert await anext(other) == ()
            assert sorted(await hear(second, "ee")) == ["a", "bb", "c", "d", "ee"]


async def test_the_newest_of_a_ladder_are_told_however_much_others_have_moved_since(
    topic: Topic, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "RECENT", 2)
    await topic.say("a", "b")
    await topic.say("cc", "dd", ladder="other")
    async with aclosing(live.follow("climb")) as first:
        assert sorted(await hear(first, "b")) == ["a", "b"]
        async with aclosing(live.follow("climb")) as second:
            assert sorted(await hear(second, "b")) == ["a", "b"]
        async with aclosing(live.follow(None)) as third:
            assert sorted(await hear(third, "dd")) == ["cc", "dd"]


async def test_nobody_is_told_later_of_who_has_left_a_ladder(topic: Topic, live: Live) -> None:
    await topic.say("before", "before-leaves", "stays")
    async with aclosing(live.follow(None)) as first:
        assert await hear(first, "stays") == ["stays"]
        await topic.say("since", "since-leaves", "aa")
        assert "since-leaves" in await hear(first, "aa")
        async with aclosing(live.follow(None)) as later, aclosing(live.follow("climb")) as another:
            assert sorted(await hear(later, "aa")) == ["aa", "stays"]
            assert sorted(await hear(another, "aa")) == ["aa", "stays"]


async def test_where_there_is_more_than_a_sample_it_says_how_much_was_left_out(
    topic: Topic, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FAR", 20)
    monkeypatch.setattr(module, "AT_A_TIME", 5)
    async with aclosing(live.follow("climb")) as stream:
        await topic.say("a")
        await hear(stream, "a")
        await topic.say(*(f"x{number:03}" for number in range(100)), "z")
        await topic.say("last")
        heard = await hear(stream, "last")
    assert [each for each in heard if each.startswith("+")]
    assert len(heard) < 100


async def test_only_so_many_may_follow(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FOLLOWERS", 1)
    async with aclosing(live.follow(None)) as first:
        assert await anext(first) == ()
        with pytest.raises(TooMany):
            await anext(live.follow(None))
    async with aclosing(live.follow(None)) as again:
        assert await anext(again) == ()


async def test_closing_lets_everybody_go(live: Live) -> None:
    async with aclosing(live.follow(None)) as stream:
        assert await anext(stream) == ()
        await live.close()
        async with asyncio.timeout(PATIENCE):
            assert [each async for each in stream if each] == []
