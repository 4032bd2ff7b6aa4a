"""`ladder customers` prints everybody whom the API's pages name, and says who is missing."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.cli import customers as module
from app.cli.main import run
from app.settings import Settings

PAGES: list[dict[str, Any]] = [
    {"customers": [{"customer_id": "c-1", "since": "2026-03-01T00:00:00Z", "sequence": 3}],
     "missing": [], "next": "a"},
    {"customers": [], "missing": [], "next": "b"},
    {"customers": [{"customer_id": 'é, "x"\nb', "since": "2026-03-02T00:00:00Z", "sequence": 1}],
     "missing": [], "next": None},
]  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the API was asked; it answers with one page after the other."""
    paths: list[str] = []

    def ask(settings: Settings, path: str) -> Any:
        paths.append(path)
        return PAGES[len(paths) - 1]

    monkeypatch.setattr(module, "ask", ask)
    return paths


CALL = ["customers", "--ladder", "raving-fan", "--rung", "a b"]


def test_all_pages_are_asked_for_one_after_the_other(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*CALL, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["sequence"] for each in told["customers"]] == [3, 1]
    assert (told["complete"], told["missing"]) == (True, [])
    split = [urlsplit(path) for path in asked]
    assert {each.path for each in split} == {"/v1/ladders/raving-fan/customers"}
    queries = [parse_qs(each.query) for each in split]
    assert [query["rung"] for query in queries] == [["a b"]] * 3
    assert [query.get("cursor") for query in queries] == [None, ["a"], ["b"]]


def test_csv_can_be_read_by_others(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CALL, "--csv"]) == 0
    lines = io.StringIO(capsys.readouterr().out)
    rows = [dict(row) for row in csv.DictReader(lines)]
    assert [row["customer_id"] for row in rows] == ["c-1", 'é, "x"\nb']


def test_a_table_has_a_line_for_each(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(CALL) == 0
    assert "c-1" in capsys.readouterr().out


def test_partitions_that_did_not_answer_make_it_fail_after_the_rest_is_printed(
    asked: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PAGES[1], "missing", [2])
    assert run([*CALL, "--csv"]) == 1
    told = capsys.readouterr()
    assert "c-1" in told.out
    assert "partitions 2" in told.err


def test_two_forms_at_once_are_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CALL, "--csv", "--json"]) == 2
    assert "exclude" in capsys.readouterr().err
