"""Every line of the log has a name that stays, and says nothing about a person."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from docs.log_lines import LEVELS, LOGGER, Line, lines
from docs.made import ROOT

LINES = list(lines())
PERSONAL = frozenset(
    {"customer", "customers", "customer_id", "subject", "id", "ids", "key", "value", "data",
     "event", "name", "mail", "token", "password", "text", "headers", "body", "path", "query", "**"}
)  # fmt: skip
COUNTS = frozenset({"customers"})
"""What may be a number here and not a list of people; the reader of the line has to look."""


def test_lines_are_found_at_all() -> None:
    actions = {line.action for line in LINES}
    assert {"worker-started", "partition-opened", "dead-letters-written"} <= actions


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.place)
def test_a_line_has_an_action_and_a_sentence_that_are_written_out(line: Line) -> None:
    """A machine asks for the action; one that is put together at run time cannot be asked for."""
    assert line.event, "the sentence has to be a literal"
    assert line.action, 'give it a name: action="..."'
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", line.action), "two words or more, with dashes"


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.place)
def test_a_line_has_no_field_that_could_be_about_a_person(line: Line) -> None:
    assert set(line.fields) & (PERSONAL - COUNTS) == set()


def test_an_action_means_one_thing() -> None:
    told: defaultdict[str | None, set[str | None]] = defaultdict(set)
    for line in LINES:
        told[line.action].add(line.event)
    assert {action: events for action, events in told.items() if len(events) > 1} == {}


def test_nothing_logs_past_the_lines_that_are_looked_at() -> None:
    """A logger under another name, or kept in an attribute, would not be found by the source."""
    for file in sorted((ROOT / "app").rglob("*.py")):
        text = file.read_text("utf-8")
        made = re.findall(r"(\S+) = structlog\.get_logger", text)
        assert set(made) <= {LOGGER}, file
        spoken = re.findall(rf"(\w+)\.(?:{'|'.join(LEVELS)})\(", text)
        assert set(spoken) - {LOGGER} <= {"future", "done", "task", "living"}, file


@pytest.mark.parametrize(
    "moment",
    [
        "worker-starting", "worker-started", "stop-asked", "worker-ended",
        "kafka-awaited", "partitions-revoked", "partitions-assigned", "partitions-ready",
        "partition-opened", "partition-started", "partition-closed", "partition-fenced",
        "partition-reopening", "partition-failed",
    ],
)  # fmt: skip
def test_each_change_of_state_has_a_line(moment: str) -> None:
    assert moment in {line.action for line in LINES}
