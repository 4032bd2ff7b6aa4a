"""`ladder check`: what it tells of definitions and of events, and with which exit code."""

import json
from pathlib import Path

import pytest

from app.cli.main import run

GOOD = "id: good\nversion: 3\nrungs:\n  - {id: a, when: purchases >= 1}\n"
BAD = "id: bad\nversion: 1\nrungs:\n  - id: a\n    when: purchase >= 1\n    overide: true\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def event(**fields: object) -> str:
    data = {"order_id": "o1", "amount": 5, "currency": "VND"}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": "e1",
            "source": "/shop",
            "type": "purchase.completed",
            "subject": "c1",
            "time": "2026-03-01T09:30:00Z",
            "data": data,
            **fields,
        }
    )


def test_a_good_definition_says_what_it_is_and_leaves_standard_output_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("good.yaml").write_text(GOOD)
    assert run(["check", "good.yaml"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "ladder good, version 3: 1 rung, nothing wrong" in err


def test_faults_are_data_one_a_line_with_their_place(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(BAD)
    assert run(["check", "bad.yaml"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad.yaml:5:11: unknown fact 'purchase'; did you mean 'purchases'?",
        "bad.yaml:6:5: unknown key 'overide'; did you mean 'override'?",
    ]


def test_faults_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(BAD)
    assert run(["check", "--json", "bad.yaml"]) == 1
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert first == {
        "file": "bad.yaml",
        "line": 5,
        "column": 11,
        "reason": None,
        "message": "unknown fact 'purchase'; did you mean 'purchases'?",
    }


def test_a_folder_stands_for_its_definitions(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ladders").mkdir()
    Path("ladders/a.yaml").write_text(GOOD)
    Path("ladders/b.yaml").write_text(GOOD)
    assert run(["check", "ladders"]) == 1
    assert "ladders/b.yaml:1:5: the id 'good' is taken" in capsys.readouterr().out


def test_a_name_in_capitals_is_a_name_and_what_is_passed_over_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("ladders/old").mkdir(parents=True)
    Path("ladders/Good.YAML").write_text(GOOD)
    Path("ladders/club.yaml.txt").write_text(GOOD)
    Path("ladders/.hidden.yaml").write_text(BAD)
    assert run(["check", "ladders"]) == 0
    said = capsys.readouterr().err
    assert "ladder good, version 3" in said
    assert "ladders/club.yaml.txt: passed over; a definition's name ends in .yaml or .yml" in said
    assert "ladders/old: passed over" in said
    assert "hidden" not in said
    Path("EVENTS.NDJSON").write_text(event())
    assert run(["check", "ladders/Good.YAML", "EVENTS.NDJSON"]) == 0


def test_the_built_in_ladders_have_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    built_in = Path(__file__).parents[2] / "app" / "ladders"
    assert run(["check", str(built_in)]) == 0
    assert capsys.readouterr().err.count("nothing wrong") == 10


def test_a_file_that_is_neither_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.txt").write_text("hello")
    assert run(["check", "notes.txt"]) == 2
    assert "neither a definition nor events" in capsys.readouterr().err


def test_a_missing_file_is_wrong_use() -> None:
    assert run(["check", "none.yaml"]) == 2


def test_events_that_would_be_taken_are_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    Path("events.ndjson").write_text(event() + "\n" + event() + "\n")
    assert run(["check", "events.ndjson"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "2 events: 0 refused, 1 repeated" in err


def test_events_that_would_be_refused_are_told_with_line_and_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refund = {"order_id": "o2", "amount": 5, "currency": "VND"}
    lines = [
        "{",
        event(),
        event(id="e2", type="purchase.refunded", data=refund),
        event(id="e3", time="2199-01-01T00:00:00Z"),
        event(id="e4", type="purchase.made"),
    ]
    Path("events.ndjson").write_text("\n".join(lines))
    assert run(["check", "events.ndjson"]) == 1
    out, err = capsys.readouterr()
    assert [": ".join(line.split(": ")[:2]) for line in out.splitlines()] == [
        "events.ndjson:1: not-json",
        "events.ndjson:3: unknown-order",
        "events.ndjson:4: future",
        "events.ndjson:5: unknown-type",
    ]
    assert "5 events: 4 refused" in err


def test_under_the_event_clock_no_event_is_from_the_future() -> None:
    Path("events.ndjson").write_text(event(time="2199-01-01T00:00:00Z"))
    assert run(["check", "--clock", "event", "events.ndjson"]) == 0


def test_events_are_judged_by_the_definitions_beside_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("good.yaml").write_text(GOOD)
    placed = event(type="profile.placed", data={"ladder": "good", "rung": "a"})
    Path("events.ndjson").write_text(placed)
    assert run(["check", "good.yaml", "events.ndjson"]) == 0
    assert run(["check", "events.ndjson"]) == 1
    assert "unknown-ladder" in capsys.readouterr().out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_file_whose_name_is_no_utf_8_is_checked_as_any_other(
    form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("e\udcff.ndjson", "d\udcff.yaml"):
        Path(name).write_text("{\n")
        assert run(["check", *form, name]) == 1
        assert f"{name[0]}?." in capsys.readouterr().out
