"""Of an outage of Kafka the log says when it began and when it ended, and nothing in between."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.ops import logs
from app.ops.outage import CLIENTS, RETRIES, Outage
from docs.log_lines import lines as all_lines


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("app").setLevel(logging.NOTSET)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def outage(out: io.StringIO) -> Outage:
    logs.configure(out, form="json", level="info")
    return logs.outage()


@pytest.fixture
def wordy(out: io.StringIO) -> Outage:
    logs.configure(out, form="json", level="debug")
    return logs.outage()


def told(out: io.StringIO) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return [(line["level"], line["event"]) for line in lines]


def complain(client: str = "aiokafka.conn", what: str = "no connection") -> None:
    logging.getLogger(client).error(what)


def test_while_nobody_watches_a_client_may_say_what_it_wants(
    outage: Outage, out: io.StringIO
) -> None:
    complain()
    assert told(out) == [("error", "no connection")]


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_what_clients_say_of_an_outage_is_told_only_at_debug(
    outage: Outage, out: io.StringIO, client: str
) -> None:
    outage.settle(away=True)
    complain(f"{client}.some.part")
    assert told(out) == []


def test_at_debug_it_is_told_and_says_that_it_is_of_that_level(
    wordy: Outage, out: io.StringIO
) -> None:
    wordy.settle(away=True)
    complain()
    structlog.get_logger("app.stream").warning("not open yet", action="partition-open-retried")
    assert told(out) == [("debug", "no connection"), ("debug", "not open yet")]


def test_the_first_complaint_is_held_until_it_is_known_what_it_is_about(
    outage: Outage, out: io.StringIO
) -> None:
    doubts: list[str] = []
    outage.watch(lambda: doubts.append("!"))
    complain()
    assert (told(out), doubts) == ([], ["!"])
    outage.settle(away=True)
    assert told(out) == []


def test_what_is_about_something_else_is_told_as_it_was_said(
    outage: Outage, out: io.StringIO
) -> None:
    outage.watch(lambda: None)
    complain(what="one broker of three")
    logging.getLogger("aiokafka").warning("lost %s", "a leader")
    outage.settle(away=False)
    assert told(out) == [("error", "one broker of three"), ("warning", "lost a leader")]


def test_when_nobody_watches_any_more_nothing_is_held_back(
    outage: Outage, out: io.StringIO
) -> None:
    outage.watch(lambda: None)
    complain(what="first")
    outage.watch(None)
    complain(what="second")
    assert told(out) == [("error", "first"), ("error", "second")]


def test_after_an_outage_clients_are_heard_again(outage: Outage, out: io.StringIO) -> None:
    outage.settle(away=True)
    complain(what="during it")
    outage.settle(away=False)
    complain(what="after it")
    assert told(out) == [("error", "after it")]


def test_lines_of_ours_that_only_say_that_something_is_tried_again_are_part_of_it(
    outage: Outage, out: io.StringIO
) -> None:
    log = structlog.get_logger("app.stream")
    outage.settle(away=True)
    for action in sorted(RETRIES):
        log.warning("in vain", action=action)
    log.warning("waiting for Kafka", action="kafka-awaited")
    log.error("partition gave up", action="partition-failed")
    assert told(out) == [("warning", "waiting for Kafka"), ("error", "partition gave up")]


def test_the_lines_that_are_named_exist() -> None:
    assert {line.action for line in all_lines()} >= RETRIES


def test_a_traceback_is_never_taken_for_a_complaint_about_a_broker(
    outage: Outage, out: io.StringIO
) -> None:
    outage.settle(away=True)
    try:
        raise RuntimeError("a fault of theirs")
    except RuntimeError:
        logging.getLogger("aiokafka").exception("unexpected")
    assert told(out) == [("error", "unexpected")]


def test_nothing_is_held_for_ever_by_one_who_hangs(outage: Outage, out: io.StringIO) -> None:
    outage.watch(lambda: None)
    logger = logging.getLogger("aiokafka")
    for second in (0.0, 10.0, 16.0):
        record = logger.makeRecord("aiokafka", logging.ERROR, "", 0, f"at {second}", (), None)
        record.created = 1_000.0 + second
        logger.handle(record)
    assert told(out) == [("error", "at 0.0"), ("error", "at 10.0"), ("error", "at 16.0")]


def test_no_more_is_held_than_anybody_would_read(outage: Outage, out: io.StringIO) -> None:
    outage.watch(lambda: None)
    for number in range(5_000):
        complain(what=f"line {number}")
    outage.settle(away=False)
    assert len(told(out)) == 1_000
