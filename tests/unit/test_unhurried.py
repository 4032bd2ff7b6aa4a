"""A broker that does not wait with an empty answer is not asked without end."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from app.stream.unhurried import EARLY, PAUSE, unhurried

FETCH = FetchRequest(100, 1, 1 << 20, 1, [])
EMPTY: list[Any] = [("t", [(0, 0, 5, 5, [], b""), (1, 0, 5, 5, [], b"")])]
FULL: list[Any] = [("t", [(0, 0, 5, 5, [], b""), (1, 0, 5, 5, [], b"records")])]


class Answer:
    def __init__(self, topics: list[Any]) -> None:
        self.topics = topics


class Client:
    """Answers after so many seconds of a clock of its own."""

    def __init__(self, topics: list[Any], takes: float) -> None:
        self.now = 0.0
        self._answer = Answer(topics)
        self._takes = takes

    async def send(self, node: int, request: object, *, group: int = 0) -> Answer:
        self.now += self._takes
        return self._answer


class Consumer:
    def __init__(self, client: Client) -> None:
        self._client = client


@pytest.mark.parametrize(
    ("topics", "takes", "request_", "pauses"),
    [
        (EMPTY, 0.0, FETCH, [PAUSE]),
        (FULL, 0.0, FETCH, []),
        (EMPTY, EARLY, FETCH, []),
        (EMPTY, 0.0, MetadataRequest([]), []),
    ],
    ids=["empty and early", "records", "waited", "another request"],
)
async def test_only_after_an_empty_and_early_answer_to_a_fetch_is_there_a_pause(
    topics: list[Any], takes: float, request_: object, pauses: list[float]
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    client = Client(topics, takes)
    consumer = unhurried(Consumer(client), clock=lambda: client.now, sleep=sleep)
    answer = await consumer._client.send(1, request_, group=2)
    assert answer.topics is topics
    assert slept == pauses
