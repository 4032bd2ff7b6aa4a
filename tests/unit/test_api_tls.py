"""The API over TLS: for those who trust it, workers among them, and for nobody else."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from app.api import tls
from app.api.access import Access
from app.api.early import EarlyServer, Starting
from app.cli.asking import ask
from app.errors import ApiError, SettingsError
from app.settings import load
from tests.api_workers import Worker

FOLDER = Path(__file__).parents[1] / "certificates"
CERTIFICATE, KEY = FOLDER / "certificate.pem", FOLDER / "key.pem"


async def started(client: aiohttp.ClientSession, *numbers: int, trusts: bool = True) -> Worker:
    worker = Worker(Access(None), *numbers)
    worker.tls = tls.serving(CERTIFICATE, KEY)
    worker.trusted = tls.asking(CERTIFICATE if trusts else None)
    await worker.start(client)
    return worker


async def test_workers_ask_each_other_over_tls_if_they_trust_each_other() -> None:
    connector = aiohttp.TCPConnector(ssl=tls.asking(CERTIFICATE))  # type: ignore[arg-type]
    async with aiohttp.ClientSession(connector=connector) as client:
        one = await started(client, 0, 1)
        other = await started(client, 2, 3, trusts=False)
        for worker in (one, other):
            worker.group.urls = {0: one.url, 1: one.url, 2: other.url, 3: other.url}
        assert (await one.get("/v1/customers/2a"))[0] == 200
        assert (await one.get("/v1/ladders"))[1]["complete"] is True
        assert (await other.get("/v1/customers/0a"))[0] == 503
        await one.stop()
        await other.stop()


async def test_commands_ask_over_tls_if_the_certificate_is_trusted() -> None:
    async with aiohttp.ClientSession() as client:
        worker = await started(client, 0, 1, 2, 3)
        env = {"LADDER_API_URL": worker.url}
        trusting = load(env | {"LADDER_API_CAFILE": str(CERTIFICATE)}, None)
        told = await asyncio.to_thread(ask, trusting, "/v1/customers/a")
        assert told["customer_id"] == "a"
        with pytest.raises(ApiError, match="certificate"):
            await asyncio.to_thread(ask, load(env, None), "/v1/customers/a")
        await worker.stop()


async def test_health_is_told_over_tls_before_kafka_answers() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listener.getsockname()[1]}/health/live"
    trusted = tls.asking(CERTIFICATE)
    async with (
        aiohttp.ClientSession() as client,
        EarlyServer(listener, Starting(), Access(None), tls.serving(CERTIFICATE, KEY)),
        client.get(url, ssl=trusted) as answer,  # type: ignore[arg-type]
    ):
        assert answer.status == 200
    listener.close()


def test_its_own_address_follows_from_the_settings() -> None:
    files = {"LADDER_API_CERTFILE": str(CERTIFICATE), "LADDER_API_KEYFILE": str(KEY)}
    assert load(files, None).api_url == "https://127.0.0.1:6066"
    assert load({}, None).api_url == "http://127.0.0.1:6066"
    with pytest.raises(SettingsError, match="LADDER_API_CERTFILE must be set"):
        load({"LADDER_API_KEYFILE": str(KEY)}, None)


def test_files_that_are_no_certificates_are_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    with pytest.raises(SettingsError, match="LADDER_API_CERTFILE"):
        tls.serving(wrong, None)
    with pytest.raises(SettingsError, match="LADDER_API_CAFILE"):
        tls.asking(wrong)
