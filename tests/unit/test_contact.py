"""Kafka is away when nobody answers in any way, and back when what is asked for is answered."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiokafka.structs import TopicPartition

from app.ops import logs
from app.stream.contact import Absence, Contact

ONE, OTHER = TopicPartition("purchases", 0), TopicPartition("purchases", 1)
NOBODY = "no Kafka answers at kafka:9092"


class Rig:
    """A contact over a Kafka that answers fetches, and questions, as it is told to."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        logs.configure(self.out, form="json", level="info")
        self.now = 1_000.0
        self.answers = True
        self.fetched: dict[TopicPartition, float] = {ONE: self.now, OTHER: self.now}
        self.asked = 0
        self.question = asyncio.Event()
        self.contact = Contact(
            Absence("kafka:9092", logs.outage(), lambda: self.now),
            logs.outage(),
            silences=lambda: {tp: self.now - at for tp, at in self.fetched.items()},
            heard=lambda: max(self.fetched.values(), default=None),
            ask=self._ask,
            clock=lambda: self.now,
            now=lambda: self.now,
        )

    async def _ask(self) -> str | None:
        self.asked += 1
        self.question.set()
        return None if self.answers else NOBODY

    def answer_fetches(self, *tps: TopicPartition) -> None:
        self.fetched |= dict.fromkeys(tps, self.now)

    async def after(self, seconds: int, *fetched: TopicPartition, complained: bool = False) -> None:
        """Look once a second; these are fetched meanwhile."""
        for _ in range(seconds):
            self.now += 1
            self.answer_fetches(*fetched)
            await self.contact.look(complained)

    def away(self) -> float | None:
        return self.contact.away

    def said(self) -> list[str]:
        lines = [json.loads(line) for line in self.out.getvalue().splitlines()]
        return [line.get("action", line["event"]) for line in lines]


@pytest.fixture
def rig() -> Iterator[Rig]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Rig()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("app").setLevel(logging.NOTSET)
    logging.captureWarnings(False)
    structlog.reset_defaults()


async def test_nobody_is_asked_while_fetches_are_answered(rig: Rig) -> None:
    await rig.after(60, ONE)
    assert (rig.away(), rig.asked, rig.said()) == (None, 0, [])


async def test_where_nothing_is_fetched_nobody_is_asked(rig: Rig) -> None:
    rig.fetched.clear()
    await rig.after(60)
    assert (rig.away(), rig.asked) == (None, 0)


async def test_an_outage_has_a_line_at_its_begin_and_one_at_its_end_however_long(
    rig: Rig,
) -> None:
    rig.answers = False
    await rig.after(75)
    assert rig.away() == 75
    assert rig.said() == ["kafka-awaited"]
    rig.answers = True
    await rig.after(1, ONE)
    assert rig.away() is None
    assert rig.said() == ["kafka-awaited", "kafka-back"]
    assert json.loads(rig.out.getvalue().splitlines()[-1])["seconds"] == 76


async def test_each_outage_has_its_lines(rig: Rig) -> None:
    for _ in range(2):
        rig.answers = False
        await rig.after(10)
        rig.answers = True
        await rig.after(2, ONE, OTHER)
    assert rig.said() == ["kafka-awaited", "kafka-back"] * 2


async def test_silence_of_the_brokers_that_lead_is_no_outage_while_others_answer(rig: Rig) -> None:
    await rig.after(60)
    assert (rig.away(), rig.said()) == (None, [])
    assert rig.contact.silent() == {ONE: 60, OTHER: 60}


async def test_partitions_are_named_whose_broker_alone_is_silent(rig: Rig) -> None:
    await rig.after(20, ONE)
    assert rig.contact.silent() == {OTHER: 20}


async def test_a_complaint_is_looked_into_at_once_and_is_then_part_of_the_outage(rig: Rig) -> None:
    rig.answers = False
    running = asyncio.create_task(rig.contact.run())
    await asyncio.sleep(0)
    logging.getLogger("aiokafka").error("no connection")
    await rig.question.wait()
    assert rig.said() == ["kafka-awaited"]
    running.cancel()
    await asyncio.wait([running])
    assert rig.said() == ["kafka-awaited"]


async def test_a_complaint_about_something_else_is_told(rig: Rig) -> None:
    running = asyncio.create_task(rig.contact.run())
    await asyncio.sleep(0)
    logging.getLogger("aiokafka").error("one broker of three")
    await rig.question.wait()
    assert rig.said() == ["one broker of three"]
    running.cancel()
    await asyncio.wait([running])


async def test_who_answers_a_fetch_is_not_away_because_a_question_took_too_long(rig: Rig) -> None:
    async def slow() -> str | None:
        rig.now += 5
        rig.answer_fetches(ONE)
        return NOBODY

    rig.contact._ask = slow
    await rig.after(3, complained=True)
    assert (rig.away(), rig.said()) == (None, [])


async def test_where_nothing_is_fetched_it_is_back_once_it_answers_and_clients_had_time(
    rig: Rig,
) -> None:
    rig.fetched.clear()
    rig.answers = False
    await rig.after(3, complained=True)
    rig.answers = True
    await rig.after(5)
    assert rig.said() == ["kafka-awaited"]
    await rig.after(1)
    assert rig.said() == ["kafka-awaited", "kafka-back"]
