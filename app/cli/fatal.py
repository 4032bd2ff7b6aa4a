"""What a command cannot go on from, told once on standard error; each gives the exit code.

Where logs are JSON it is a line of log, so that a reader of the log sees it.
"""

from __future__ import annotations

import io
import os
import sys
from types import ModuleType

import click

from app.errors import LadderError
from app.ops.control_codes import escaped

INTERRUPTED = 130


def failed(error: LadderError) -> int:
    """Tell what is not as it must be."""
    if words := _as_log():
        words.failed(str(error), type(error).__name__, error.exit_code)
    else:
        _tell(f"ladder: {error}\n")
    return error.exit_code


def wrong_use(error: click.ClickException) -> int:
    """Tell how the command is to be called."""
    if words := _as_log():
        words.failed(error.format_message(), "UsageError", error.exit_code)
    else:
        told = io.StringIO()
        error.show(told)
        _tell(told.getvalue())
    return error.exit_code


def interrupted() -> int:
    """Tell that somebody ended it."""
    if words := _as_log():
        words.interrupted(INTERRUPTED)
    else:
        _tell("interrupted\n")
    return INTERRUPTED


def broken(bug: Exception) -> int:
    """Tell of a bug. Raises it where logs are for people: Python's traceback says it best."""
    words = _as_log()
    if words is None:
        raise bug
    words.broken(bug, LadderError.exit_code)
    return LadderError.exit_code


def _as_log() -> ModuleType | None:
    """How it is told as a line of log; None where logs are for people."""
    from app import settings

    if settings.log_format(os.environ) == "console":
        return None
    from app.ops import last_words

    last_words.form = "json"
    return last_words


def _tell(text: str) -> None:
    shown = escaped(text, lines=True) if sys.stderr.isatty() else text
    click.echo(shown, nl=False, err=True)
