"""Lines of log that are written at once: nothing after them may be written at all.

They pass by the handlers of logging, whose locks may be what hangs, and by its limits; and no file
is read for them, since a disk may hang as well.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import FrameType
from typing import Literal

import orjson

Form = Literal["console", "json"]
form: Form = "console"
"""That of the other lines; `logs.configure` says which."""


class _Direct:
    """Speaks as the loggers do."""

    def error(self, event: str, *, action: str, **fields: object) -> None:
        if form == "json":
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            head = {"time": now, "level": "error", "logger": __name__}
            told = orjson.dumps({**head, "action": action, "event": event, **fields}).decode()
        else:
            parts = (f"{name}: {_for_people(value)}" for name, value in fields.items())
            told = "\n".join([event, *parts])
        sys.stderr.write(f"{told}\n")
        sys.stderr.flush()


log = _Direct()


def overdue(seconds: float) -> None:
    """The worker does not end."""
    log.error(
        "the worker did not end within its time; it ends now, and what was not committed is done "
        "again by whoever takes over",
        action="end-overdue",
        seconds=seconds,
    )


def hung(seconds: float) -> None:
    """The main loop does not turn; tells what each thread is at, the latest call first."""
    frames = sys._current_frames()
    log.error(
        "the main loop did not turn, so the worker ends",
        action="loop-hung",
        seconds=seconds,
        threads=[
            " < ".join([thread.name, *_calls(frames.get(thread.ident or 0))])
            for thread in threading.enumerate()
        ],
    )


def failed(error: str, kind: str, exit_code: int) -> None:
    """Something is not as it must be, or the command was called wrongly."""
    log.error(
        "the command cannot go on",
        action="fatal-error",
        kind=kind,
        exit_code=exit_code,
        error=error,
    )


def broken(bug: BaseException, exit_code: int) -> None:
    """Something went wrong that nobody thought of."""
    log.error(
        "a bug ended the command",
        action="fatal-bug",
        kind=type(bug).__name__,
        exit_code=exit_code,
        exception="".join(traceback.format_exception(bug)),
    )


def interrupted(exit_code: int) -> None:
    log.error("the command was interrupted", action="command-interrupted", exit_code=exit_code)


def _calls(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
        frame = frame.f_back


def _for_people(value: object) -> str:
    return "".join(f"\n  {each}" for each in value) if isinstance(value, list) else str(value)
