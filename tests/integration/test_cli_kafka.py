"""The commands that speak to a broker, on a real one."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from app.cli.main import run
from app.core.change import Because, Change
from app.settings import Settings, load
from app.stream import clients
from app.stream.keys import partition_of
from app.stream.reading import read
from app.stream.topics import LARGEST_OUTPUT
from app.wire import dead_letter, stage_change
from tests.kafka.broker import Kafka

PARTITIONS = 3


@pytest.fixture
def settings(kafka: Kafka, unique: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Topics of this test's own, made by the command itself."""
    env = {
        "LADDER_BROKERS": kafka.bootstrap,
        "LADDER_PARTITIONS": str(PARTITIONS),
        "LADDER_REPLICATION_FACTOR": "1",
        "LADDER_APP_ID": unique,
        "LADDER_TOPICS": f"{unique}.purchases,{unique}.signups",
        "LADDER_CHANGES_PREFIX": f"{unique}.changes",
        "LADDER_DEAD_LETTERS": f"{unique}.dead",
        "LADDER_HANDOVERS": f"{unique}.handovers",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert run(["topics", "create"]) == 0
    return load(env, dotenv=None)


@pytest.fixture
def ladder(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(arguments)
        return (code, *capsys.readouterr())

    return call


def event(subject: str, type_: str = "purchase.completed", **data: object) -> bytes:
    return json.dumps({"type": type_, "subject": subject, "data": data}).encode()


def fetched(settings: Settings, topic: str) -> list[Any]:
    async def collect() -> list[Any]:
        return [record async for record in read(settings, [topic])]

    return asyncio.run(collect())


async def _produce(settings: Settings, records: Iterable[dict[str, Any]], commit: bool) -> None:
    producer = AIOKafkaProducer(
        **clients.arguments(settings),
        transactional_id=f"{settings.app_id}-test",
        max_request_size=LARGEST_OUTPUT,
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for record in records:
            await producer.send_and_wait(**record)
        await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()


def produce(settings: Settings, *records: dict[str, Any], commit: bool = True) -> None:
    asyncio.run(_produce(settings, records, commit))


def change(customer: str, sequence: int, ladder: str = "raving-fan") -> Change:
    return Change(
        customer=customer, life=1, ladder=ladder, version=1, sequence=sequence,
        time=1_772_357_400_000_000, from_="shopper", to="customer", direction="up",
        passed=["customer"], cause="event", trigger=None,
        because=Because("purchases >= 2", {"purchases": 2}),
        since=None, held=None, next=None, suggest=None, quiet=False,
    )  # fmt: skip


def changed(settings: Settings, of: Change) -> dict[str, Any]:
    return {
        "topic": settings.changes_topic(of.ladder),
        "key": of.customer.encode(),
        "value": stage_change.encode(of),
        "headers": list(stage_change.HEADERS),
    }


def refused(
    settings: Settings, reason: str, value: bytes = b"{}", key: bytes | None = b"c-1",
    partition: int = 0, topic: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "topic": settings.dead_letters,
        "key": key,
        "value": value,
        "partition": partition,
        "headers": dead_letter.headers(
            reason, f"it is {reason}", topic or settings.topics[0], partition, 7,
            [("traceparent", b"00-1")],
        ),
    }  # fmt: skip


Call = Callable[..., tuple[int, str, str]]


def test_topics_that_are_made_are_then_found_right(ladder: Call) -> None:
    code, out, err = ladder("topics", "check")
    assert (code, out) == (0, "")
    assert "are as they must be" in err
    code, out, err = ladder("topics", "create")
    assert (code, out) == (0, "")
    assert err.startswith("0 topics made")


def test_a_missing_topic_fails_the_check_by_its_name(
    ladder: Call, monkeypatch: pytest.MonkeyPatch, unique: str
) -> None:
    monkeypatch.setenv("LADDER_HANDOVERS", f"{unique}.gone")
    code, _, err = ladder("topics", "check")
    assert code == 1
    assert f"{unique}.gone is missing" in err


def test_events_go_out_as_they_stand_to_the_partition_of_their_customer(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    lines = [event(f"c-{number}") for number in range(20)]
    (tmp_path / "events.ndjson").write_bytes(b"\n".join(lines))
    code, out, err = ladder("emit", str(tmp_path / "events.ndjson"))
    assert (code, out) == (0, "")
    assert err.startswith("20 events sent")
    records = fetched(settings, settings.topics[0])
    assert sorted(record.value for record in records) == sorted(lines)
    assert all(record.partition == partition_of(record.key, PARTITIONS) for record in records)
    assert {record.key for record in records} == {f"c-{number}".encode() for number in range(20)}
    assert dict(records[0].headers)["content-type"].startswith(b"application/cloudevents+json")


def test_each_event_goes_to_the_topic_of_its_type(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "events.ndjson").write_bytes(event("c-1", "signup.registered"))
    assert ladder("emit", str(tmp_path / "events.ndjson"))[0] == 0
    assert fetched(settings, settings.topics[0]) == []
    assert len(fetched(settings, settings.topics[1])) == 1


def test_bad_lines_are_sent_too_and_counted(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "bad.ndjson").write_bytes(b"not json\n{}\n\xff\n")
    code, _, err = ladder("emit", str(tmp_path / "bad.ndjson"))
    assert code == 0
    assert "3 events sent" in err
    assert "3 of the lines have no type or subject" in err
    assert "3 of the lines look like no event at all, and will be dead letters" in err
    records = fetched(settings, settings.topics[0])
    assert sorted(record.value for record in records) == [b"not json", b"{}", b"\xff"]
    assert {record.key for record in records} == {None}


def test_a_line_that_kafka_does_not_take_is_left_out_and_fails_the_command(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "big.ndjson").write_bytes(b"x" * 2_000_000 + b"\n" + event("c-1"))
    code, _, err = ladder("emit", str(tmp_path / "big.ndjson"))
    assert code == 1
    assert "1 events sent" in err
    assert "larger than Kafka takes" in err
    assert len(fetched(settings, settings.topics[0])) == 1


def test_a_packed_file_with_a_byte_order_mark_goes_out_as_its_events(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    sent = [event("c-1"), event("c-2")]
    (tmp_path / "in.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + b"\n".join(sent)))
    assert ladder("emit", str(tmp_path / "in.gz"))[0] == 0
    found = fetched(settings, settings.topics[0])
    assert sorted((record.key, record.value) for record in found) == [
        (b"c-1", sent[0]),
        (b"c-2", sent[1]),
    ]


def test_a_file_in_utf_16_is_not_sent_and_told_as_such(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(event("c-1").decode().encode("utf-16"))
    code, _, err = ladder("emit", str(tmp_path / "in"))
    assert code == 2
    assert "/in: this is UTF-16; save the file as UTF-8" in err
    assert fetched(settings, settings.topics[0]) == []


def test_until_moves_the_clock_of_every_partition_after_the_events(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "events.ndjson").write_bytes(event("c-1"))
    code, _, _ = ladder(
        "emit", str(tmp_path / "events.ndjson"), "--until", "2026-04-01T00:00:00+07:00"
    )
    assert code == 0
    records = fetched(settings, settings.topics[0])
    clocks = [record for record in records if b"clock.advanced" in record.value]
    assert sorted(record.partition for record in clocks) == [*range(PARTITIONS)]
    assert {json.loads(record.value)["time"] for record in clocks} == {"2026-03-31T17:00:00Z"}
    (sale,) = (record for record in records if record not in clocks)
    assert sale.offset == 0


def test_standard_input_is_a_file_too(settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "emit", "-"],
        input=event("c-1") + b"\n" + event("c-2"),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b""
    assert done.stderr.startswith(b"2 events sent")
    assert len(fetched(settings, settings.topics[0])) == 2


def test_nothing_is_sent_where_a_topic_is_missing(
    ladder: Call, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "events.ndjson").write_bytes(event("c-1"))
    code, _, err = ladder("emit", str(tmp_path / "events.ndjson"), "--topic", "not-there")
    assert code == 1
    assert "not-there is missing" in err


def test_ctrl_c_ends_an_emit_that_waits_for_input_and_says_how_far_it_came(
    settings: Settings,
) -> None:
    emitting = subprocess.Popen(
        [sys.executable, "-m", "app", "emit", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert emitting.stdin is not None
    emitting.stdin.write(event("c-1") + b"\n")
    emitting.stdin.flush()
    while not fetched(settings, settings.topics[0]):
        assert emitting.poll() is None
    emitting.send_signal(signal.SIGINT)
    # No communicate(): it would close the input, and that ends the command, too.
    assert emitting.stderr is not None
    assert emitting.wait() == 130
    err = emitting.stderr.read().decode()
    emitting.communicate()
    assert "1 events sent" in err
    assert "Traceback" not in err


def test_watch_shows_what_was_committed_and_nothing_else(ladder: Call, settings: Settings) -> None:
    first, second = change("c-1", 1), change("c-2", 1, "need")
    produce(settings, changed(settings, change("c-9", 1)), commit=False)
    produce(settings, changed(settings, first), changed(settings, second))
    produce(settings, changed(settings, change("c-9", 2)), commit=False)
    code, out, _ = ladder("watch", "--from-start", "--once", "--json")
    assert code == 0
    shown = {stage_change.decode(line.encode()).customer for line in out.splitlines()}
    assert shown == {"c-1", "c-2"}
    code, out, _ = ladder("watch", "need", "--from-start", "--once")
    assert (code, len(out.splitlines())) == (0, 1)
    assert "c-2" in out
    assert "shopper ↑ customer" in out
    assert "purchases >= 2" in out


def test_watch_names_the_ladders_there_are_when_asked_for_another(ladder: Call) -> None:
    code, _, err = ladder("watch", "raving-fun")
    assert code == 2
    assert "raving-fan" in err


def test_watch_follows_from_now_on(settings: Settings) -> None:
    produce(settings, changed(settings, change("c-old", 1)))
    watching = subprocess.Popen(
        [sys.executable, "-m", "app", "watch", "raving-fan", "--json", "--limit", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert watching.stderr is not None
    assert watching.stderr.readline().startswith(b"watching ")
    produce(settings, changed(settings, change("c-new", 1)))
    out, err = watching.communicate()
    assert (watching.returncode, err) == (0, b"")
    assert stage_change.decode(out).customer == "c-new"


def test_ctrl_c_ends_watch(settings: Settings) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "app", "watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert watching.stderr is not None
    watching.stderr.readline()
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate()
    assert (watching.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def test_dead_letters_are_listed_with_why_and_where_from(ladder: Call, settings: Settings) -> None:
    produce(
        settings,
        refused(settings, "no-rate"),
        refused(settings, "bad-data", b"\xff", None, partition=2),
        {"topic": settings.dead_letters, "value": b"nobody's"},
    )
    code, out, err = ladder("dead-letters", "list", "--json")
    assert code == 0
    found = {row["reason"]: row for row in map(json.loads, out.splitlines())}
    assert set(found) == {"no-rate", "bad-data"}
    assert found["no-rate"]["from"] == {
        "topic": settings.topics[0], "partition": 0, "offset": 7
    }  # fmt: skip
    assert (found["no-rate"]["key"], found["no-rate"]["value"]) == ("c-1", "{}")
    assert (found["bad-data"]["key"], found["bad-data"]["value_base64"]) == (None, "/w==")
    assert found["no-rate"]["message"] == "it is no-rate"
    assert "1 no-rate" in err
    code, out, _ = ladder("dead-letters", "list")
    assert code == 0
    assert "it is bad-data" in out


def test_a_key_with_control_codes_is_listed_as_it_is_where_no_terminal_obeys_it(
    ladder: Call, settings: Settings
) -> None:
    key = "c\x1b[2J\r\x9b\u202e 1"
    produce(settings, refused(settings, "bad-data", key.encode(), key.encode()))
    code, out, _ = ladder("dead-letters", "list", "--json")
    row = json.loads(out)
    assert (code, row["key"], row["value"]) == (0, key, key)
    code, out, _ = ladder("dead-letters", "list")
    assert code == 0
    assert f"  {key}  " in out


def test_dead_letters_are_chosen_by_reason_time_topic_and_place(
    ladder: Call, settings: Settings
) -> None:
    produce(settings, *(refused(settings, "no-rate") for _ in range(3)))
    produce(settings, refused(settings, "bad-data", topic="other"))

    def count(*arguments: str) -> int:
        return len(ladder("dead-letters", "list", "--json", *arguments)[1].splitlines())

    assert count() == 4
    assert count("--reason", "no-rate") == 3
    assert count("--reason", "no-rate", "--reason", "bad-data") == 4
    assert count("--reason", "future") == 0
    assert count("--topic", "other") == 1
    assert count("--at", "0:1", "--at", "0:2") == 2
    assert count("--limit", "2") == 2
    assert count("--since", "2001-01-01T00:00:00Z") == 4
    assert count("--since", "2199-01-01T00:00:00Z") == 0


def test_a_replay_sends_key_value_and_headers_as_they_were(
    ladder: Call, settings: Settings
) -> None:
    produce(
        settings,
        refused(settings, "no-rate", b"one"),
        refused(settings, "bad-data", b"two", topic=settings.topics[1]),
    )
    code, out, err = ladder("dead-letters", "replay", "--reason", "no-rate", "--yes")
    assert (code, out) == (0, "")
    assert "1 sent again" in err
    (record,) = fetched(settings, settings.topics[0])
    assert (record.key, record.value) == (b"c-1", b"one")
    assert list(record.headers) == [("traceparent", b"00-1")]
    assert fetched(settings, settings.topics[1]) == []


def without_value(settings: Settings, value: bytes) -> dict[str, Any]:
    """A letter whose value did not fit."""
    letter = refused(settings, "too-large", value)
    lighter = dead_letter.lighter(letter["key"], value, letter["headers"])
    assert lighter is not None
    return letter | dict(zip(("key", "value", "headers"), lighter, strict=True))


def test_a_letter_without_its_value_is_listed_with_what_is_known_of_it(
    ladder: Call, settings: Settings
) -> None:
    produce(settings, without_value(settings, b"x" * 5_000_000))
    (row,) = map(json.loads, ladder("dead-letters", "list", "--json")[1].splitlines())
    assert (row["value"], row["left_out"], row["value_bytes"]) == (None, ["value"], 5_000_000)
    assert row["value_sha256"] == hashlib.sha256(b"x" * 5_000_000).hexdigest()
    assert "left out: value, value of 5,000,000 bytes" in ladder("dead-letters", "list")[1]


def test_a_replay_says_which_letters_it_cannot_send_and_sends_the_others(
    ladder: Call, settings: Settings
) -> None:
    produce(
        settings,
        without_value(settings, b"one"),
        refused(settings, "no-rate", b"two"),
        refused(settings, "too-large", b"x" * 1_900_000),
    )
    code, _, err = ladder("dead-letters", "replay", "--yes")
    assert code == 0
    topic = settings.topics[0]
    assert f"1 too-large from {topic} cannot be sent again: value left out" in err
    assert f"1 too-large from {topic} cannot be sent again: larger than an input topic" in err
    assert "1 sent again" in err
    assert [record.value for record in fetched(settings, topic)] == [b"two"]
    code, _, err = ladder("dead-letters", "replay", "--reason", "too-large", "--yes")
    assert code == 1
    assert "nothing was sent" in err


def test_a_dry_run_of_a_replay_sends_nothing(ladder: Call, settings: Settings) -> None:
    produce(settings, refused(settings, "no-rate"))
    code, _, err = ladder("dead-letters", "replay", "--dry-run")
    assert code == 0
    assert f"1 no-rate back to {settings.topics[0]}" in err
    assert fetched(settings, settings.topics[0]) == []


@pytest.mark.parametrize(
    ("answer", "code", "sent"),
    [(b"n\n", 0, 0), (b"\n", 0, 0), (b"", 2, 0), (b"y\n", 0, 1), (b"Yes\n", 0, 1)],
)
def test_a_replay_asks_and_only_yes_is_yes(
    settings: Settings, answer: bytes, code: int, sent: int
) -> None:
    produce(settings, refused(settings, "no-rate"))
    done = subprocess.run(
        [sys.executable, "-m", "app", "dead-letters", "replay"],
        input=answer, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, b"")
    assert b"again? [y/N]" in done.stderr
    assert len(fetched(settings, settings.topics[0])) == sent


def test_a_replay_to_a_topic_that_is_gone_sends_nothing(ladder: Call, settings: Settings) -> None:
    produce(settings, refused(settings, "no-rate"), refused(settings, "bad-data", topic="gone"))
    code, _, err = ladder("dead-letters", "replay", "--yes")
    assert code == 1
    assert "gone is not there any more" in err
    assert fetched(settings, settings.topics[0]) == []


def test_more_letters_than_a_batch_are_all_sent_again_in_order(
    ladder: Call, settings: Settings
) -> None:
    produce(settings, *(refused(settings, "no-rate", b"%d" % number) for number in range(600)))
    assert ladder("dead-letters", "replay", "--limit", "550", "--yes")[0] == 0
    records = fetched(settings, settings.topics[0])
    assert [int(record.value) for record in records] == [*range(550)]


async def test_reading_ends_where_it_began_even_behind_an_aborted_tail(
    settings: Settings,
) -> None:
    await _produce(settings, [changed(settings, change("c-1", 1))], commit=True)
    await _produce(settings, [changed(settings, change("c-2", 1))], commit=False)
    topic = settings.changes_topic("raving-fan")
    assert len([record async for record in read(settings, [topic])]) == 1
    early = {TopicPartition(topic, partition): 0 for partition in range(PARTITIONS)}
    assert [record async for record in read(settings, [topic], ends=early)] == []
