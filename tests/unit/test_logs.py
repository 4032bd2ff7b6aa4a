"""What is logged reaches the operator once, readable, and does not drown the rest."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.ops import logs


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


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
def clock() -> Clock:
    return Clock()


@pytest.fixture
def out(clock: Clock) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(stream, form="json", level="info", clock=clock)
    return stream


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_json_line_says_when_how_bad_who_what_and_about_what(out: io.StringIO) -> None:
    structlog.get_logger("app.stream").warning("dead letter", reason="no-rate", offset=7)
    (line,) = lines(out)
    assert list(line)[:4] == ["time", "level", "logger", "event"]
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "app.stream",
        "event": "dead letter",
        "reason": "no-rate",
        "offset": 7,
    }


def test_what_libraries_log_comes_out_in_the_same_form(out: io.StringIO) -> None:
    logging.getLogger("aiokafka").error("lost %s", "broker 1")
    (line,) = lines(out)
    assert (line["logger"], line["event"], line["level"]) == ("aiokafka", "lost broker 1", "error")


def test_a_traceback_is_text_in_the_line(out: io.StringIO) -> None:
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger("app").exception("failed")
    (line,) = lines(out)
    assert "RuntimeError: broken" in str(line["exception"])


def test_a_value_that_json_lacks_is_written_as_text(out: io.StringIO) -> None:
    structlog.get_logger("app").info("seen", what={1: object}, raw=b"\xff")
    (line,) = lines(out)
    assert "object" in str(line["what"])


def test_warnings_are_logged_too(out: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", UserWarning, stacklevel=1)
    assert "old ways" in str(lines(out)[0]["event"])


def test_a_flood_of_one_line_is_held_and_counted(out: io.StringIO, clock: Clock) -> None:
    log = structlog.get_logger("app.stream")
    for offset in range(100):
        log.warning("dead letter", reason="no-rate", offset=offset)
    clock.now += logs.WINDOW
    log.warning("dead letter", reason="no-rate", offset=100)
    found = lines(out)
    assert [line["offset"] for line in found] == [*range(logs.BURST), 100]
    assert found[-1]["left_out"] == 100 - logs.BURST


def test_a_flood_of_a_library_is_held_and_counted(out: io.StringIO, clock: Clock) -> None:
    log = logging.getLogger("aiokafka")
    for number in range(50):
        log.error("retry %d", number)
    clock.now += logs.WINDOW
    log.error("retry %d", 50)
    found = [line["event"] for line in lines(out)]
    assert len(found) == logs.BURST + 1
    assert found[-1] == "retry 50 (45 more like this were left out)"


def test_a_flood_for_one_reason_does_not_hide_another(out: io.StringIO) -> None:
    log = structlog.get_logger("app.stream")
    for _ in range(100):
        log.warning("dead letter", reason="no-rate")
    log.warning("dead letter", reason="not-json")
    assert lines(out)[-1]["reason"] == "not-json"


def test_the_kinds_that_are_counted_are_bounded(out: io.StringIO) -> None:
    log = structlog.get_logger("app.stream")
    for number in range(logs.KINDS * 2):
        log.warning("dead letter", reason=number)
    found = [each for handler in logging.getLogger().handlers for each in handler.filters]
    (limit,) = (each for each in found if isinstance(each, logs.RepeatLimit))
    assert len(limit._seen) == logs.KINDS


def test_lines_below_the_level_are_not_written(out: io.StringIO) -> None:
    structlog.get_logger("app").debug("detail")
    assert out.getvalue() == ""


def test_the_libraries_may_be_quieter_than_we_are() -> None:
    stream = io.StringIO()
    logs.configure(stream, form="json", level="info", others="critical")
    logging.getLogger("aiokafka").error("noise")
    structlog.get_logger("app.cli").info("ours")
    assert [line["event"] for line in lines(stream)] == ["ours"]


def test_a_console_line_has_no_colour_unless_asked() -> None:
    stream = io.StringIO()
    logs.configure(stream, form="console", level="info")
    structlog.get_logger("app").info("started", port=6066)
    assert "\x1b[" not in stream.getvalue()
    assert "started" in stream.getvalue()
    assert "port=6066" in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "env", "colour"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_is_for_a_person_at_a_terminal(
    stream: io.StringIO, env: dict[str, str], colour: bool
) -> None:
    assert logs.wants_colour(stream, env) is colour


def test_partitions_that_change_state_together_are_all_told_of(out: io.StringIO) -> None:
    log = structlog.get_logger("app.stream")
    for partition in range(20):
        log.info("partition consumes", action="partition-started", partition=partition)
    assert [line["partition"] for line in lines(out)] == list(range(20))


def test_the_action_stands_before_the_sentence(out: io.StringIO) -> None:
    structlog.get_logger("app").info("worker runs", api="x", action="worker-started")
    (line,) = lines(out)
    assert list(line) == ["time", "level", "logger", "action", "event", "api"]


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_came_from_outside_forges_no_line_and_rules_no_terminal(form: Any) -> None:
    stream = io.StringIO()
    logs.configure(stream, form=form, level="info")
    forged = "nobody\n2026-03-01 [error] forged \x1b[2J\x9b2J"
    structlog.get_logger("app").warning("seen", message=forged, names=[forged])
    (line,) = stream.getvalue().splitlines()
    assert "\x1b" not in line
    assert form == "json" or "\x9b" not in line


def test_a_traceback_for_people_keeps_its_lines() -> None:
    stream = io.StringIO()
    logs.configure(stream, form="console", level="info")
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger("app").exception("failed")
    assert "\nRuntimeError: broken" in stream.getvalue()
