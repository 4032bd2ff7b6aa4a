"""What stops a worker from starting, as a person sees it: one clear message, and the exit code."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from app.stream import clients
from tests.faults.setting_up import trial
from tests.faults.verdict import Trial
from tests.kafka.broker import Kafka

LADDER = """\
id: small
version: 1
kind: ladder
climb: free
down: now
rungs:
  - id: buyer
    when: "{rule}"
"""


def refused(folder: Path, **env: str) -> tuple[int, str]:
    """Start a worker that cannot start; gives exit code and what it said."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LADDER_")}
    done = subprocess.run(
        [sys.executable, "-m", "app", "worker"],
        env=clean | {"LADDER_DATA_DIR": str(folder / "data"), **env},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == "", "standard output is for data"
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_wrong_settings_are_told_all_at_once(tmp_path: Path) -> None:
    code, said = refused(tmp_path, LADDER_CLOCK="sundial", LADDER_PARTITIONS="none")
    assert code == 2
    assert "LADDER_CLOCK" in said
    assert "LADDER_PARTITIONS" in said


def test_an_open_api_without_a_token_is_wrong(tmp_path: Path) -> None:
    code, said = refused(tmp_path, LADDER_API_HOST="0.0.0.0")
    assert code == 2
    assert "LADDER_API_TOKEN" in said


def test_a_wrong_ladder_is_told_with_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "ladders").mkdir()
    (tmp_path / "ladders" / "small.yaml").write_text(LADDER.format(rule="purchase > 1"))
    code, said = refused(tmp_path, LADDER_LADDERS=str(tmp_path / "ladders"))
    assert code == 2
    assert "small.yaml:8:12" in said
    assert "purchase" in said


def test_a_wrong_line_of_the_rates_is_told(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("date,currency,rate\n2026-01-01,USD,25000\n2026-02-30,USD,1\n")
    code, said = refused(tmp_path, LADDER_RATES=str(rates))
    assert code == 2
    assert f"{rates}:3" in said


def test_a_taken_port_is_told_with_a_command_that_works(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(tmp_path, LADDER_API_PORT=str(port))
    assert code == 1
    assert f"127.0.0.1:{port}" in said or str(port) in said
    assert "LADDER_API_PORT=" in said
    assert "ladder worker" in said


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Trial]:
    made = await trial(kafka.bootstrap, unique, tmp_path, seed=5, partitions=2)
    yield made
    made.fleet.kill()


async def test_a_topic_with_another_number_of_partitions_is_named(
    shop: Trial, tmp_path: Path
) -> None:
    fleet = shop.fleet
    async with clients.admin(fleet.settings) as admin:
        await admin.create_topics([NewTopic(f"{fleet.settings.app_id}.other", 3, 1)])
    worker = fleet.start(LADDER_DEAD_LETTERS=f"{fleet.settings.app_id}.other")
    assert await worker.ended() == 1
    assert f"{fleet.settings.app_id}.other" in worker.tail()
    assert "Traceback" not in worker.tail()


async def test_a_ladder_that_means_something_else_under_the_same_version_is_refused(
    shop: Trial,
) -> None:
    fleet = shop.fleet
    await shop.tell(shop.tale.chapter(40, 5, bad=False))
    worker = fleet.start()
    await shop.at_rest()
    await worker.stop()
    assert fleet.settings.ladders is not None
    ladder = fleet.settings.ladders / "steps.yaml"
    ladder.write_text(ladder.read_text().replace("units_in(5) >= 3", "units_in(5) >= 4"))
    worker = fleet.start()
    assert await worker.ended() == 1
    assert "steps" in worker.tail()
    assert "LADDER_APP_ID" in worker.tail()
    assert "Traceback" not in worker.tail()
    await shop.check_stores()
