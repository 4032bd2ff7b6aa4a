"""Dashboards show something and runbooks can be followed, on a worker that runs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from docs.make_dashboards import BOARDS
from tests.collector import Collector
from tests.contract.pages import ROOT, blocks
from tests.contract.promql import filled
from tests.fetched import NotInstallable
from tests.kafka.broker import Kafka
from tests.system.watched import PATIENCE, Watched

pytestmark = [pytest.mark.slow, pytest.mark.kafka]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
RUNBOOKS = sorted((ROOT / "deploy" / "runbooks").glob("Ladder*.md"))
QUERIES = [
    (f"{name}: {panel.title}", ask.expression)
    for name, board in BOARDS.items()
    for row in board.rows
    for panel in row.panels
    for ask in panel.asks
]


def cannot(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI must run this: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    if shutil.which("prometheus") is None:
        cannot("prometheus (Debian package) is not on this machine")
    folder = tmp_path_factory.mktemp("watched")
    try:
        kafka = Kafka(folder / "kafka", quick=True)
    except NotInstallable as missing:
        cannot(str(missing))
        raise
    with Collector() as collector:
        system = Watched(folder, kafka, collector)
        try:
            system.start()
            yield system
        finally:
            system.end()
            kafka.kill()


def test_every_panel_shows_something(watched: Watched) -> None:
    """At some moment after the shop was busy: a rate is none while nothing happens."""
    silent = set(QUERIES)

    def all_spoke() -> bool:
        for title, asked in list(silent):
            if watched.values(filled(asked, range_="10m")):
                silent.discard((title, asked))
        return not silent

    try:
        watched.until(all_spoke)
    except AssertionError:
        pytest.fail(f"no data for {silent}")


def test_prometheus_evaluates_every_alert(watched: Watched) -> None:
    (group,) = watched.get("/api/v1/rules")["groups"]
    watched.until(
        lambda: all(
            rule["health"] == "ok" for rule in watched.get("/api/v1/rules")["groups"][0]["rules"]
        )
    )
    assert len(group["rules"]) == len(RUNBOOKS)


def test_a_worker_that_does_its_work_sets_off_no_alert_but_for_what_it_refused(
    watched: Watched,
) -> None:
    """The demo's shop sends a few events that cannot be right. A full disk is this machine's."""

    def firing() -> set[str]:
        return {
            alert["labels"]["alertname"]
            for alert in watched.get("/api/v1/alerts")["alerts"]
            if alert["state"] == "firing"
        }

    watched.until(lambda: "LadderDeadLetters" in firing())
    assert firing() <= {"LadderDeadLetters", "LadderDiskFull", "LadderDiskFills"}


async def test_a_trace_goes_through_kafka_and_the_worker_to_the_stage_change_and_the_collector(
    watched: Watched,
) -> None:
    brokers = watched.env["LADDER_BROKERS"]
    body = {
        "specversion": "1.0", "id": "traced", "source": "/shop", "subject": "traced",
        "type": "purchase.completed", "time": "1999-01-01T00:00:00Z",
        "data": {"order_id": "traced", "amount": 5, "currency": "VND"},
    }  # fmt: skip
    async with AIOKafkaProducer(bootstrap_servers=brokers) as producer:
        await producer.send_and_wait(
            "commerce.purchases", json.dumps(body).encode(), key=b"traced",
            headers=[("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())],
        )  # fmt: skip
    async with AIOKafkaConsumer(
        "loyalty.stage-changes.raving-fan", bootstrap_servers=brokers,
        isolation_level="read_committed", auto_offset_reset="earliest",
    ) as consumer:  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            found = [record async for record in _until(consumer, b"traced")]
    parent = dict(found[-1].headers)["traceparent"].decode()
    assert [record for record in found[:-1] if dict(record.headers).get("traceparent")] == []

    def span_ids() -> list[str]:
        spans = watched.collector.spans()
        return [span.span_id.hex() for span in spans if span.trace_id.hex() == TRACE]

    watched.until(span_ids)
    assert [parent] == [f"00-{TRACE}-{span}-01" for span in span_ids()]


async def _until(consumer: AIOKafkaConsumer, key: bytes) -> AsyncIterator[ConsumerRecord]:
    async for record in consumer:
        yield record
        if record.key == key:
            return


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda page: page.stem)
def test_what_a_runbook_says_to_look_at_can_be_looked_at(
    watched: Watched, runbook: Path, tmp_path: Path
) -> None:
    tools = tmp_path / ".tools"
    tools.mkdir()
    program = tools / "ladder"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m app "$@"\n')
    program.chmod(0o755)
    env = {
        **os.environ,
        **watched.env,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "WORKER": watched.worker,
        "PROMETHEUS": watched.prometheus,
    }
    for block in blocks(runbook):
        if block.info == "bash system":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.text], cwd=tmp_path, env=env,
                capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip
            assert done.returncode == 0, f"{block.text}\n{done.stdout}{done.stderr}"
            assert (done.stdout + done.stderr).strip(), f"shows nothing: {block.text}"
