"""The OpenAPI document, held against a running worker on Kafka by schemathesis."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.fleet import Fleet
from tests.integration.test_api_workers import bought, event
from tests.kafka.broker import Kafka

TOKEN = "s3cret"
EXAMPLES = 12
SEED = 20


@pytest.fixture
async def fleet(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet(
        kafka.bootstrap, unique, tmp_path,
        partitions=2, lanes=1,
        LADDER_CLOCK="event", LADDER_API_TOKEN=TOKEN, LADDER_METRICS_OPEN="1",
    )  # fmt: skip
    await fleet.create()
    yield fleet
    fleet.kill()


async def test_every_path_keeps_to_the_document_for_good_and_bad_input(
    fleet: Fleet, tmp_path: Path
) -> None:
    """No 5xx, no undeclared status, no answer of another shape, nothing without the token."""
    member = fleet.start(0)
    await fleet.ready(member)
    await fleet.send(
        [
            bought(1, "c-42", 1),
            bought(2, "c-42", 2),
            event(3, "signup.card_issued", "c-42", 3, tier="gold"),
            event(4, "profile.merged", "c-41", 4, into="c-42"),
        ]
    )
    await fleet.applied()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run",
        f"http://127.0.0.1:{member.port}/v1/openapi.json",
        "--header", f"Authorization: Bearer {TOKEN}",
        "--exclude-path", "/v1/changes",  # it has no end
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--seed", str(SEED),
        "--checks", "all",
        "--exclude-checks", "positive_data_acceptance",  # any text may be a cursor, few are
        "--no-shrink", "--no-color",
        "--suppress-health-check", "all", "--warnings", "off",
        cwd=tmp_path, env={**os.environ, "SCHEMATHESIS_HOOKS": ""},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "c-42" not in member.log.read_text()
    await member.stop()
