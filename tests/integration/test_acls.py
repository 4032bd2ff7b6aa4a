"""What `ladder topics acls` prints is enough for each role, on a broker that refuses all else."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import run
from app.embedded.ports import free_ports
from app.settings import load
from app.stream import acls, topics
from tests.faults.fleet import Fleet
from tests.kafka.broker import Kafka
from tests.kafka.install import libraries

LADDER = """\
id: buyers
version: 1
title: {en: Buyers, vi: Người mua}
kind: ladder
climb: cumulative
down: now
rungs:
  - {id: buyer, title: {en: Buyer, vi: Người mua}, when: purchases >= 1}
"""
MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def test_every_topic_is_told_to_whom_it_belongs() -> None:
    settings = load({}, None)
    declared = topics.declared(settings, ["raving-fan"])
    kinds = {topic.kind for topic in declared}
    for role in ("worker", "operator"):
        assert set(acls._OF_TOPICS[role]) == kinds
    for topic in declared:
        read = {role for role in acls.ROLES for each in acls.needed(role, settings, declared, "g")
                if topic.name in each.names and "Read" in each.operations}  # fmt: skip
        if topic.kind == "changelog":
            assert read == {"worker"}, "records of customers are for nobody else"


@pytest.fixture
def guarded(new_kafka: Kafka) -> Kafka:
    """It knows who speaks on a second listener; on the first everybody may do everything."""
    (port,) = free_ports(1)
    users = " ".join(f'user_{role}="{role}-secret"' for role in acls.ROLES)
    plain, controller = new_kafka.ports[1], new_kafka.controllers[1]
    listeners = f"PLAINTEXT://127.0.0.1:{plain},KNOWN://127.0.0.1:{port}"
    new_kafka.settings |= {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,KNOWN:SASL_PLAINTEXT"
        ),
        "listener.name.known.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.known.plain.sasl.jaas.config": f"{MODULE} {users};",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    new_kafka.known = f"127.0.0.1:{port}"  # type: ignore[attr-defined]
    return new_kafka.start()


def as_role(kafka: Kafka, role: str) -> dict[str, str]:
    return {
        "LADDER_BROKERS": kafka.known,  # type: ignore[attr-defined]
        "LADDER_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "LADDER_SASL_USERNAME": role,
        "LADDER_SASL_PASSWORD": f"{role}-secret",
    }


def ladder(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments], env={**os.environ, **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def allow(kafka: Kafka, role: str, env: dict[str, str]) -> None:
    """Run what the command prints for a role, with Kafka's own tool."""
    printed = ladder({**env, "LADDER_BROKERS": kafka.bootstrap}, "topics", "acls", "--role", role)
    assert printed.returncode == 0, printed.stderr
    for line in printed.stdout.splitlines():
        program, *words = shlex.split(line)
        assert program == "kafka-acls.sh"
        subprocess.run(
            ["java", "-cp", f"{libraries()}/*", "org.apache.kafka.tools.AclCommand", *words],
            check=True, capture_output=True,
        )  # fmt: skip


@pytest.mark.slow
async def test_each_role_can_do_its_work_and_no_other_can(guarded: Kafka, tmp_path: Path) -> None:
    (tmp_path / "ladders").mkdir()
    (tmp_path / "ladders" / "buyers.yaml").write_text(LADDER, "utf-8")
    fleet = Fleet(
        guarded.bootstrap, "guarded", tmp_path, partitions=2,
        LADDER_LADDERS=str(tmp_path / "ladders"),
    )  # fmt: skip
    common = fleet.env
    roles = {role: {**common, **as_role(guarded, role)} for role in acls.ROLES}
    assert ladder(roles["operator"], "topics", "create").returncode == 1
    for role in acls.ROLES:
        allow(guarded, role, common)
    made = ladder(roles["operator"], "topics", "create")
    assert made.returncode == 0, made.stderr
    assert ladder(roles["operator"], "topics", "check").returncode == 0
    assert ladder(roles["backend"], "topics", "create").returncode == 1

    fleet.env = roles["worker"]
    worker = fleet.start(LADDER_INSTANCE_ID="guarded-0")
    await fleet.ready(worker)
    events = [
        {"specversion": "1.0", "id": str(number), "source": "/s", "type": "purchase.completed",
         "subject": f"c-{number}", "time": "2026-03-01T09:30:00Z",
         "data": {"order_id": str(number), "amount": 1, "currency": "VND"}}
        for number in range(20)
    ]  # fmt: skip
    lines = "\n".join([*map(json.dumps, events), "no event"])
    (tmp_path / "events.ndjson").write_text(lines, "utf-8")
    for role in ("backend", "operator"):
        sent = ladder(roles[role], "emit", str(tmp_path / "events.ndjson"))
        assert sent.returncode == 0, sent.stderr
    assert ladder(roles["reader"], "emit", str(tmp_path / "events.ndjson")).returncode == 1
    await fleet.applied()

    for role in ("reader", "operator"):
        seen = ladder(roles[role], "watch", "--from-start", "--once", "--json")
        assert len(seen.stdout.splitlines()) == len(events), seen.stderr
    assert ladder(roles["backend"], "watch", "--from-start", "--once").stdout == ""
    letters = ladder(roles["operator"], "dead-letters", "list", "--json")
    assert len(letters.stdout.splitlines()) == 2, letters.stderr
    assert ladder(roles["reader"], "dead-letters", "list").returncode == 1
    await worker.stop()


def test_the_commands_are_for_whom_they_are_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "acls", "--role", "reader", "--principal", "User:crm"]) == 0
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert {line[line.index("--allow-principal") + 1] for line in lines} == {"User:crm"}
    assert any("--group" in line for line in lines)
