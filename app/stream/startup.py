"""What must be right in the cluster before Faust starts, each failure one clear message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import faust.streams
import structlog
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.admin import ApiVersionRequest

from app.api.access import names_loopback
from app.api.addresses import is_origin
from app.errors import BrokerError, BrokerUnfit, SettingsError, StartupRefused
from app.ops.traces import HandedOn, NewTrail
from app.settings import Settings
from app.stream import clients, topic_admin, topics
from app.stream.contact import Absence
from app.stream.remembered import Remembered, decode, refuse_if_changed
from app.stream.topics import Found

log = structlog.get_logger(__name__)

TRANSACTIONS = {22: "InitProducerId", 24: "AddPartitionsToTxn", 25: "AddOffsetsToTxn",
                26: "EndTxn", 28: "TxnOffsetCommit"}  # fmt: skip
"""Requests that a broker must answer, by their numbers in the protocol."""
WAIT_SECONDS = 1.0
COORDINATOR_ATTEMPTS = 60


@dataclass(frozen=True)
class Cluster:
    """What was found: for how many seconds the changelog keeps deletions, and how many bytes a
    batch may have, of each topic that says so.
    """

    tombstones: int
    largest: dict[str, int]


def refuse_without_extension() -> None:
    """Faust's iterator in Python acknowledges what it skips; only the compiled one will do."""
    if faust.streams._CStreamIterator is None:
        raise StartupRefused(
            "Faust's compiled extension is not there (faust._cython.streams): install "
            "faust-streaming from a wheel, or with a C compiler at hand"
        )


def refuse_address(settings: Settings) -> None:
    """Others ask at the address that a worker names. Raises SettingsError where they could not."""
    if not is_origin(settings.api_url):
        raise SettingsError(
            [
                "LADDER_API_URL must be scheme, host and port alone for a worker, such as "
                "http://10.0.0.5:6066: other workers ask there for paths of their own"
            ]
        )
    if settings.api_token is None and not names_loopback(urlsplit(settings.api_url).netloc):
        raise SettingsError(
            [
                "LADDER_API_URL must name this machine, such as http://127.0.0.1:6066, unless "
                "LADDER_API_TOKEN is set: without it the API answers under no other name"
            ]
        )


def traces(settings: Settings) -> AbstractContextManager[NewTrail]:
    """What becomes of the traces that events belong to. Raises StartupRefused."""
    if settings.traces is None:
        return nullcontext(HandedOn)
    try:
        from app.ops.spans import spans
    except ImportError as error:
        raise StartupRefused(
            f"LADDER_TRACES is set, but OpenTelemetry is not installed ({error}): "
            "pip install 'loyalty-ladder[traces]'"
        ) from error
    return spans(settings.traces, settings.app_id)


async def wait_for_broker(settings: Settings, absence: Absence, say: Callable[[str], None]) -> None:
    """Return when a broker answers. `say` is told what is waited for and why."""
    while True:
        try:
            async with clients.admin(settings):
                return absence.ends()
        except BrokerError as error:
            say(str(error))
            absence.begins(str(error))
        await asyncio.sleep(WAIT_SECONDS)


async def check_cluster(
    settings: Settings, ladders: Iterable[str], remembered: Remembered, absence: Absence
) -> Cluster:
    """Return what a worker has to know of the cluster, once all is as it must be.

    A broker that goes away meanwhile is waited for. Raises BrokerError for what does not pass,
    BrokerUnfit, TopicsError, RememberedSettingsDiffer or LadderChanged.
    """
    names = list(ladders)
    while True:
        try:
            found = await _checked(settings, names, remembered)
        except BrokerError as error:
            if not getattr(error.__cause__, "retriable", False):
                raise
            absence.begins(str(error))
        else:
            absence.ends()
            return found
        await asyncio.sleep(WAIT_SECONDS)


async def _checked(settings: Settings, ladders: Iterable[str], remembered: Remembered) -> Cluster:
    async with clients.admin(settings) as admin:
        await _refuse_without_transactions(admin)
        found = await topic_admin.check(admin, topics.declared(settings, ladders))
        for text in await _committed_notes(admin, settings):
            noted = decode(text)
            if noted is not None:
                refuse_if_changed(noted, remembered)
    return _told(found, found[settings.changelog])


def _told(found: Mapping[str, Found], changelog: Found) -> Cluster:
    kept = changelog.config.get("delete.retention.ms")
    return Cluster(
        int(kept) // 1000 if kept else topics.TOMBSTONE_RETENTION_DAYS * 86_400,
        {
            name: int(there.config["max.message.bytes"])
            for name, there in found.items()
            if there.config.get("max.message.bytes")
        },
    )


async def _refuse_without_transactions(admin: Any) -> None:
    answer = await admin._send_request(ApiVersionRequest())
    offered = {number for number, _, _ in answer.api_versions}
    missing = [name for number, name in TRANSACTIONS.items() if number not in offered]
    if missing:
        raise BrokerUnfit(
            f"the broker has no transactions (it does not answer {', '.join(missing)}): "
            "use Apache Kafka 2.5 or newer, or the embedded broker"
        )


async def _committed_notes(admin: Any, settings: Settings) -> Sequence[str]:
    """The different notes that lie beside the group's committed offsets."""
    attempts = 0
    while True:
        try:
            committed = await admin.list_consumer_group_offsets(settings.app_id)
            return sorted({told.metadata for told in committed.values()})
        except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError) as error:
            # A fresh cluster makes the topic of group offsets when it is first asked for one.
            attempts += 1
            if attempts == COORDINATOR_ATTEMPTS:
                raise BrokerError(f"Kafka has no coordinator for groups: {error}") from error
            await asyncio.sleep(0.5)
        except KafkaError as error:
            raise BrokerError(
                f"Kafka does not give the offsets of the group {settings.app_id}: {error}"
            ) from error
