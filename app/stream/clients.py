"""How every client of ours reaches Kafka: one place that knows of brokers and security."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError
from aiokafka.structs import TopicPartition

from app.errors import BrokerError, LadderError, SettingsError
from app.settings import Settings
from app.stream.unhurried import unhurried

ANSWER_SECONDS = 10.0
AGAIN_SECONDS = 0.1
ASKING_SECONDS = 5.0


def arguments(settings: Settings) -> dict[str, Any]:
    """What aiokafka's producer, consumer and admin client all take, for these settings."""
    given: dict[str, Any] = {
        "bootstrap_servers": settings.brokers,
        "client_id": settings.app_id,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        given["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol.startswith("SASL"):
        given["sasl_mechanism"] = settings.sasl_mechanism
        given["sasl_plain_username"] = settings.sasl_username
        given["sasl_plain_password"] = settings.sasl_password
    return given


class _Admin(AIOKafkaAdminClient):
    """Asks another broker when the one that was drawn is away; aiokafka draws once."""

    async def _send_request(self, request: Any, node_id: int | None = None) -> Any:
        deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
        while True:
            try:
                return await super()._send_request(request, node_id)
            except (NodeNotReadyError, KafkaConnectionError):
                if node_id is not None or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[Any]:
    """A started admin client. Raises BrokerError when no broker answers."""
    client = _Admin(**arguments(settings))
    try:
        await _start(client, settings)
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def producer(settings: Settings, **more: Any) -> AsyncIterator[Any]:
    """A started producer that waits for all copies and repeats nothing. Raises BrokerError."""
    client = AIOKafkaProducer(
        **arguments(settings), **{"enable_idempotence": True, "acks": "all", **more}
    )
    try:
        await _start(client, settings)
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def consumer(settings: Settings, **more: Any) -> AsyncIterator[Any]:
    """A started consumer without a group that reads what was committed. Raises BrokerError."""
    client = unhurried(
        AIOKafkaConsumer(
            **arguments(settings),
            **{"isolation_level": "read_committed", "auto_offset_reset": "earliest", **more},
        )
    )
    try:
        await _start(client, settings)
        yield client
    finally:
        await client.stop()


async def refusal(settings: Settings) -> str | None:
    """Ask for an answer, whichever broker gives it; return why there is none, None if there is."""
    try:
        async with asyncio.timeout(ASKING_SECONDS), admin(settings):
            return None
    except LadderError as error:
        return str(error)
    except TimeoutError:
        return f"no Kafka answered at {settings.brokers} within {ASKING_SECONDS:g} s"


async def answers(settings: Settings, places: Iterable[TopicPartition]) -> bool:
    """Ask the brokers that have these partitions where they end; tell whether they say so soon."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), consumer(settings) as asking:
            asking.assign(list(places))
            await asking.end_offsets(list(places))
    except (BrokerError, KafkaError, OSError, TimeoutError):
        return False
    return True


async def _start(client: Any, settings: Settings) -> None:
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        raise BrokerError(
            f"no Kafka answers at {settings.brokers} ({settings.security_protocol}): "
            f"{str(error) or type(error).__name__}; "
            "see LADDER_BROKERS or --brokers, and the security settings"
        ) from error


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile is not None:
            context.load_cert_chain(
                settings.ssl_certfile, settings.ssl_keyfile, lambda: settings.ssl_password or ""
            )
    except (OSError, ValueError) as error:
        raise SettingsError(
            [f"LADDER_SSL_CAFILE, _CERTFILE, _KEYFILE or _PASSWORD cannot be used: {error}"]
        ) from error
    context.check_hostname = settings.ssl_check_hostname
    return context
