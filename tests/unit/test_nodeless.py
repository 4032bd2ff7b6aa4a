"""A client that knows no broker asks again: a broker that has just come back names none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import NodeNotReadyError

from app.stream import nodeless


@pytest.fixture
async def client() -> AIOKafkaClient:
    return AIOKafkaClient()


async def test_that_no_broker_is_known_may_pass(
    client: AIOKafkaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AIOKafkaClient, "coordinator_lookup", AIOKafkaClient.coordinator_lookup)
    nodeless.install()
    with pytest.raises(NodeNotReadyError) as raised:
        await client.coordinator_lookup(CoordinationType.GROUP, "shop")
    assert raised.value.retriable


async def test_where_one_is_known_it_is_asked(
    client: AIOKafkaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(node: int, request: object) -> object:
        return SimpleNamespace(error_code=0, coordinator_id=node)

    monkeypatch.setattr(client, "get_random_node", lambda: 7)
    monkeypatch.setattr(client, "send", send)
    assert await nodeless.coordinator_lookup(client, CoordinationType.GROUP, "shop") == 7
