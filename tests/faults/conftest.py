"""The shop under ordeal as a fixture, and the table of what each went through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ordeal import HEADER, Ordeal, ordeal
from tests.faults.schedule import seed_of_run
from tests.kafka.broker import Kafka

REPORTS = pytest.StashKey[list[Ordeal]]()
Begin = Callable[..., Awaitable[Ordeal]]


@pytest.fixture
async def begin(
    three_brokers: Kafka, unique: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Begin]:
    """Call it for a shop on three brokers; it lives until the test ends."""
    reports = request.config.stash.setdefault(REPORTS, [])
    async with AsyncExitStack() as stack:

        async def new(name: str, *, seed: int = 1, topics: str = unique, **more: Any) -> Ordeal:
            made = await stack.enter_async_context(
                ordeal(three_brokers, name, topics, tmp_path, seed=seed_of_run(seed), **more)
            )
            reports.append(made)
            return made

        yield new


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reports = config.stash.get(REPORTS, [])
    if reports:
        terminalreporter.section("faults")
        for line in (HEADER, *(made.report() for made in reports)):
            terminalreporter.write_line(line)
