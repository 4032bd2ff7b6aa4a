"""What is written before a process ends at once is a line like the others, in both forms."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from app.ops import last_words
from app.ops.last_words import Form


@pytest.fixture(params=get_args(Form))
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(last_words, "form", request.param)
    return str(request.param)


def test_a_loop_that_hangs_is_told_with_what_each_thread_is_at(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    last_words.hung(60.0)
    err = capsys.readouterr().err
    this = "test_a_loop_that_hangs_is_told_with_what_each_thread_is_at"
    if form == "json":
        told = json.loads(err)
        assert (told["level"], told["action"], told["seconds"]) == ("error", "loop-hung", 60.0)
        (main,) = (thread for thread in told["threads"] if thread.startswith("MainThread < "))
        assert f" in {this} < " in main
    else:
        assert f" in {this} < " in err
        assert err.startswith("the main loop did not turn")


def test_an_end_that_takes_too_long_is_told(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    last_words.overdue(10.0)
    err = capsys.readouterr().err
    assert "the worker did not end within its time" in err
    assert form == "console" or json.loads(err)["action"] == "end-overdue"
