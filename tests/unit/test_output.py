"""Data goes to files and pipes as it is; what a terminal would obey, it shows."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli import customers as customers_module
from app.cli import output
from app.cli import show as show_module
from app.cli.main import run
from app.cli.watch import parts
from app.core.change import Because, Change
from app.ops.control_codes import escaped
from app.wire import stage_change

NASTY = [
    "line\nbreak", "carriage\rreturn", "both\r\n", 'quo"te', "com,ma", "tab\tbed",
    "\x1b]0;mine\x07", "\x1b[31mred", "\x9b31m", "\x7f\x00\x08", " both ends ", "[red]", "=1+1",
    "é, Ngọc", "\u202eabc",
]  # fmt: skip
OBEYED = [*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u202a\u202e\u2066"]


def terminal(patch: pytest.MonkeyPatch) -> None:
    """Standard output and error as a terminal's."""
    for stream in (sys.stdout, sys.stderr):
        patch.setattr(stream, "isatty", lambda: True)
    patch.setenv("TERM", "dumb")  # no colours, so each control code left is one of the data


def shown(text: str) -> str:
    """The same with its control codes escaped, as JSON escapes them."""
    return "".join(json.dumps(each)[1:-1] if each in OBEYED else each for each in text)


@pytest.fixture
def stand_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but customers with ids like those stands on the rung that is asked for."""
    each = [{"customer_id": name, "since": "2026-03-01T00:00:00Z", "sequence": 1} for name in NASTY]
    page: dict[str, Any] = {"customers": each, "missing": [], "next": None}
    monkeypatch.setattr(customers_module, "ask", lambda settings, path: page)


CUSTOMERS = ["customers", "--ladder", "raving-fan", "--rung", "member"]


@pytest.mark.usefixtures("stand_there")
def test_csv_gives_every_id_back_as_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run([*CUSTOMERS, "--csv"]) == 0
    text = capfdbinary.readouterr().out.decode()
    rows = [*csv.reader(io.StringIO(text, newline=""), strict=True)]
    assert rows[0] == ["customer_id", "since", "sequence"]
    assert [row[0] for row in rows[1:]] == NASTY


@pytest.mark.usefixtures("stand_there")
def test_a_field_with_a_line_break_is_quoted_as_rfc_4180_says(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """Not every reader is as lenient as Python's."""
    assert run([*CUSTOMERS, "--csv"]) == 0
    out = capfdbinary.readouterr().out
    for raw in (b'\n"line\nbreak",', b'\n"carriage\rreturn",', b'\n"both\r\n",', b'\n"quo""te",'):
        assert raw in out


@pytest.mark.usefixtures("stand_there")
def test_a_table_that_goes_to_a_file_has_every_id_as_it_is(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(CUSTOMERS) == 0
    out = capfdbinary.readouterr().out.decode()
    assert [name for name in NASTY if f"\n{name} " not in out] == []


@pytest.mark.usefixtures("stand_there")
@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_a_terminal_is_shown_the_codes_in_an_id_and_obeys_none(
    form: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(monkeypatch)
    assert run([*CUSTOMERS, *form]) == 0
    out = capsys.readouterr().out
    assert [code for code in OBEYED if code in out and code != "\n"] == []
    plain = [name for name in NASTY if '"' not in name or not form]
    assert [name for name in plain if shown(name) not in out] == []
    assert len(out.splitlines()) < 2 * len(NASTY), "a line break in an id breaks no line"


def test_json_on_a_terminal_is_still_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(monkeypatch)
    output.as_json(NASTY)
    assert json.loads(capsys.readouterr().out) == NASTY


def test_show_obeys_nothing_that_a_profile_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(monkeypatch)
    name = "\x1b[2Jc\n1"
    told = {
        "rung": "a", "since": None, "placed": None, "due": None, "next": None,
        "because": {"rule": "profile.x != none", "facts": {"profile.x": "\x9b2J"}},
    }  # fmt: skip
    view = {"customer_id": name, "as_of": "t", "ladders": {"x": told}}
    monkeypatch.setattr(show_module, "ask", lambda settings, path: view)
    assert run(["show", name]) == 0
    out, err = capsys.readouterr()
    assert [code for code in OBEYED if code in out + err and code != "\n"] == []
    assert err.splitlines() == ["\\u001b[2Jc\\n1, as of t"]


def changed(customer: str) -> bytes:
    return stage_change.encode(
        Change(
            customer=customer, life=1, ladder="raving-fan", version=1, sequence=1,
            time=1_772_357_400_000_000, from_=None, to="customer", direction="up",
            passed=["customer"], cause="event", trigger=None,
            because=Because("profile.x != none", {"profile.x": customer}),
            since=None, held=None, next=None, suggest=None, quiet=False,
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_a_line_of_watch_has_the_id_as_it_is(
    name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    output.styled(*parts(changed(name)))
    assert f"  {name}  raving-fan  " in capfdbinary.readouterr().out.decode()


@pytest.mark.parametrize("name", NASTY)
def test_a_line_of_watch_on_a_terminal_is_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(monkeypatch)
    output.styled(*parts(changed(name)))
    out = " ".join(capsys.readouterr().out.split("\n"))
    assert [code for code in OBEYED if code in out] == []
    assert shown(name).strip() in out


def test_what_was_refused_is_told_to_a_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("\x1b[2J.ndjson").write_text("{\n" + json.dumps(
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "signup.registered",
         "subject": "c", "time": "2026-03-01T00:00:00Z"}))  # fmt: skip
    assert run(["backtest", "\x1b[2J.ndjson"]) == 0
    assert b"    \x1b[2J.ndjson:1: " in capfdbinary.readouterr().out


def test_a_real_terminal_is_told_the_same(tmp_path: Path) -> None:
    name = "\x1b]0;mine\x07.yaml"
    (tmp_path / name).write_text("id: a\n")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "app", "check", name],
        stdout=theirs, stderr=theirs, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as checking:  # fmt: skip
        os.close(theirs)
        seen = b""
        while block := _read(ours):
            seen += block
    os.close(ours)
    assert checking.returncode == 1
    assert b"\\u001b]0;mine\\u0007.yaml" in seen
    assert b"\x1b" not in seen


def _read(terminal: int) -> bytes:
    """b"" at its end, which Linux tells as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_an_error_shows_codes_to_a_terminal_and_keeps_its_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(monkeypatch)
    monkeypatch.setenv("LADDER_CLOCK", "\x1b[2Jsundial")
    monkeypatch.setenv("LADDER_PARTITIONS", "many")
    assert run(["config"]) == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert len(err.splitlines()) == 3
    assert run(["\x1b[2Jnonsense"]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("code", OBEYED)
def test_every_code_is_shown_as_json_shows_it(code: str) -> None:
    told = escaped(code)
    assert code not in told
    assert json.loads(f'"{told}"') == code


@pytest.mark.parametrize("text", ["", "a b", "Ngọc Ánh", "🎉👩‍👩‍👧", "می‌خواهم", "a\u00a0b", "日本"])
def test_what_people_write_is_left_alone(text: str) -> None:
    assert escaped(text) == text
