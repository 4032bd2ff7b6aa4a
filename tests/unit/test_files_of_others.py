"""Files as other programs leave them: with a byte order mark, packed, or in another encoding."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.lines import lines
from app.cli.main import run
from app.errors import DataFileError
from app.settings import load
from app.wire.definition import read_folder, sources
from app.wire.rates import read_rates

LADDER = """\
id: some
version: 1
title: {en: Some, vi: Vài lần}
kind: ladder
climb: cumulative
down: now
rungs:
  - {id: some, title: {en: Some}, when: "purchases >= 1"}
"""
RATES = "date,currency,rate\n2026-01-01,USD,25000\n"
MARK = "\ufeff"
Wrap = Callable[[str], bytes]

READ: dict[str, Wrap] = {
    "as it should be": lambda text: text.encode(),
    "marked": lambda text: (MARK + text).encode(),
    "packed": lambda text: gzip.compress(text.encode()),
    "marked and packed": lambda text: gzip.compress((MARK + text).encode()),
    "in two packed parts": lambda text: b"".join(
        gzip.compress(part.encode()) for part in (text[:9], text[9:])
    ),
    "with the line ends of Windows": lambda text: (MARK + text.replace("\n", "\r\n")).encode(),
}
REFUSED: dict[str, tuple[Wrap, str]] = {
    "UTF-16": (lambda text: text.encode("utf-16"), "this is UTF-16; save the file as UTF-8"),
    "UTF-16 LE": (lambda text: text.encode("utf-16-le"), "this is UTF-16; save"),
    "UTF-16 BE": (lambda text: text.encode("utf-16-be"), "this is UTF-16; save"),
    "UTF-16 packed": (lambda text: gzip.compress(text.encode("utf-16")), "this is UTF-16; save"),
    "cut off": (lambda text: gzip.compress(text.encode())[:-9], "its end is missing"),
    "damaged": (lambda text: gzip.compress(text.encode())[:-8] + b"\1" * 8, "damaged"),
}
read = pytest.mark.parametrize("wrap", READ.values(), ids=READ)
refused = pytest.mark.parametrize(("wrap", "words"), REFUSED.values(), ids=REFUSED)


def purchase(number: int) -> str:
    return json.dumps({
        "specversion": "1.0", "id": f"e-{number}", "source": "/shop", "subject": f"ngọc-{number}",
        "type": "purchase.completed", "time": "2026-03-01T09:30:00Z",
        "data": {"order_id": f"o-{number}", "amount": 100, "currency": "USD"},
    }, ensure_ascii=False)  # fmt: skip


EVENTS = "".join(purchase(number) + "\n" for number in range(3))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ladders").mkdir()
    Path("ladders/some.yaml").write_text(LADDER)
    Path("rates.csv").write_text(RATES)
    monkeypatch.setenv("LADDER_LADDERS", "ladders")
    monkeypatch.setenv("LADDER_RATES", "rates.csv")


def piped(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def emitted(file: str, progress: Callable[[int], object] = lambda _: None) -> list[bytes]:
    """The lines that would be sent."""

    async def collect() -> list[bytes]:
        return [line async for line in lines([Path(file)], progress)]

    return asyncio.run(collect())


def summary(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run(["backtest", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@read
def test_a_backtest_loses_no_event_of_any_such_file(
    wrap: Wrap, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("events").write_bytes(wrap(EVENTS))
    found = summary(capsys, "events", "--customers", "out")
    assert (found["lines"], found["refused"], found["customers"]) == (3, {}, 3)
    first = json.loads(Path("out").read_text().splitlines()[0])
    assert (first["customer_id"], first["facts"]["spend"]) == ("ngọc-0", 25_000)


@read
def test_standard_input_and_pipes_are_read_like_files(
    wrap: Wrap, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(wrap(EVENTS), monkeypatch)
    assert summary(capsys, "-")["customers"] == 3
    reading, writing = os.pipe()
    os.write(writing, wrap(EVENTS))
    os.close(writing)
    assert summary(capsys, f"/dev/fd/{reading}")["customers"] == 3
    os.close(reading)
    piped(wrap(EVENTS), monkeypatch)
    assert run(["check", "-"]) == 0


@read
@pytest.mark.parametrize("name", ["events.ndjson", "events.ndjson.gz", "EVENTS.JSONL.GZ"])
def test_events_are_checked_in_any_such_file(
    wrap: Wrap, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).write_bytes(wrap(EVENTS + "no json\n"))
    assert run(["check", name]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{name}:4: not-json: ")
    assert "4 events: 1 refused" in err


@read
def test_emit_takes_the_lines_of_any_such_file(wrap: Wrap) -> None:
    Path("events").write_bytes(wrap(EVENTS))
    heard: list[int] = []
    assert emitted("events", heard.append) == EVENTS.encode().splitlines()
    assert sum(heard) == Path("events").stat().st_size


@read
@pytest.mark.parametrize("name", ["some.yaml", "some.yml.gz"])
def test_ladders_are_read_from_any_such_file_and_shown_as_text(wrap: Wrap, name: str) -> None:
    Path("ladders/some.yaml").unlink()
    Path("ladders", name).write_bytes(wrap(LADDER))
    (ladder,) = read_folder(Path("ladders"))
    assert ladder.title == {"en": "Some", "vi": "Vài lần"}
    assert sources(Path("ladders"))["some"].decode().splitlines() == LADDER.splitlines()
    assert run(["check", f"ladders/{name}"]) == 0


@read
def test_rates_are_read_from_any_such_file(wrap: Wrap) -> None:
    Path("rates.csv").write_bytes(wrap(RATES))
    assert read_rates(Path("rates.csv"), "VND").factor("USD", 30_000) is not None


@read
def test_settings_are_read_from_any_such_file(wrap: Wrap) -> None:
    Path(".env").write_bytes(wrap("LADDER_APP_ID=shop\n"))
    assert load({}).app_id == "shop"


@refused
def test_events_in_a_file_that_is_no_text_are_refused_as_a_whole(
    wrap: Wrap, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("events.ndjson").write_bytes(wrap(EVENTS))
    for command in ("backtest", "check"):
        assert run([command, "events.ndjson"]) == 2
        told = capsys.readouterr().err
        assert "events.ndjson: this is " in told
        assert words in told
        piped(wrap(EVENTS), monkeypatch)
        assert run([command, "-"]) == 2
        assert words in capsys.readouterr().err
    with pytest.raises(DataFileError, match=words):
        emitted("events.ndjson")


@refused
def test_ladders_rates_and_settings_that_are_no_text_are_refused(
    wrap: Wrap, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("wrong.yaml").write_bytes(wrap(LADDER))
    assert run(["check", "wrong.yaml"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("wrong.yaml: this is ")
    assert words in out
    Path("rates.csv").write_bytes(wrap(RATES))
    with pytest.raises(DataFileError, match=words) as error:
        read_rates(Path("rates.csv"), "VND")
    assert str(error.value).startswith("rates.csv: this is ")
    Path(".env").write_bytes(wrap("LADDER_APP_ID=shop\n"))
    assert run(["config"]) == 2
    assert words in capsys.readouterr().err


def test_a_packed_ladder_is_as_short_as_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    Path("long.yaml").write_bytes(gzip.compress(LADDER.encode() + b"#" * 300_000))
    assert run(["check", "long.yaml"]) == 1
    assert capsys.readouterr().out == "long.yaml: unpacked, the file has more than 262144 bytes\n"
