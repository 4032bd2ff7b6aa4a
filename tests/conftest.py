"""Fixtures that any test may ask for: real brokers, names of its own, a clean environment."""

from __future__ import annotations

import os
import re
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded.broker import EmbeddedBroker, why_not_here
from app.embedded.ports import free_ports
from tests.fetched import NotInstallable
from tests.kafka.broker import Kafka


def pytest_configure() -> None:
    """Hear signals as people's terminals do.

    A run that was started in the background, or under nohup, has them ignored, and so would every
    child whose end by a signal is tested here.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for a broker carries that broker's mark."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if {"kafka", "new_kafka", "three_brokers"} & {*fixtures}:
            item.add_marker(pytest.mark.kafka)
        if "embedded_broker" in fixtures:
            item.add_marker(pytest.mark.embedded)


def _cannot(reason: str) -> None:
    """Skip by name on a developer's machine; where CI is set nothing may go untested."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must run this: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One Apache Kafka broker for the whole run. Use `unique` for names of your own on it."""
    try:
        broker = Kafka(tmp_path_factory.mktemp("kafka"), quick=True)
    except NotInstallable as missing:
        _cannot(str(missing))
        raise
    try:
        yield broker.start()
    finally:
        broker.kill()


@pytest.fixture
def new_kafka(tmp_path: Path) -> Iterator[Kafka]:
    """A broker of this test's own, not yet started: to be stopped, killed and paused."""
    try:
        broker = Kafka(tmp_path / "kafka", quick=True)
    except NotInstallable as missing:
        _cannot(str(missing))
        raise
    try:
        yield broker
    finally:
        broker.kill()


@pytest.fixture(scope="session")
def three_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Three brokers, three copies, two needed, for the whole run: faults leave all of them up."""
    try:
        cluster = Kafka(
            tmp_path_factory.mktemp("three"),
            brokers=3,
            heap="256m",
            quick=True,
            detours=True,
            settings={"transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000"},
        )
    except NotInstallable as missing:
        _cannot(str(missing))
        raise
    try:
        yield cluster.start()
    finally:
        cluster.kill()


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """One embedded broker for the whole run."""
    reason = why_not_here()
    if reason is not None:
        _cannot(reason)
    (port,) = free_ports(1)
    with EmbeddedBroker(tmp_path_factory.mktemp("embedded"), port=port) as broker:
        yield broker


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """A prefix for the topics and groups of one test, readable in a broker's log."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    return f"{name}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set for the product must not reach its tests."""
    for name in [name for name in os.environ if name.startswith("LADDER_")]:
        monkeypatch.delenv(name)
