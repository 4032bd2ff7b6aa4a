"""How clients bear a broker that is away."""

from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NodeNotReadyError

from app.stream import clients


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Which nodes are asked, in aiokafka's own way; the first is away."""
    asked: list[int | None] = []

    async def ask(_: AIOKafkaAdminClient, request: Any, node_id: int | None = None) -> str:
        asked.append(node_id)
        if len(asked) == 1:
            raise NodeNotReadyError(f"asked {node_id}")
        return f"answer to {request}"

    monkeypatch.setattr(AIOKafkaAdminClient, "_send_request", ask)
    monkeypatch.setattr(clients, "AGAIN_SECONDS", 0.0)
    return asked


async def test_another_broker_is_asked_when_the_one_that_was_drawn_is_away(
    asked: list[int | None],
) -> None:
    admin = clients._Admin(bootstrap_servers="127.0.0.1:1")
    assert await admin._send_request("which topics?") == "answer to which topics?"
    assert asked == [None, None]


async def test_who_alone_can_answer_is_not_replaced(asked: list[int | None]) -> None:
    admin = clients._Admin(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(NodeNotReadyError, match="asked 7"):
        await admin._send_request("whose group?", 7)
