"""What a command cannot go on from, told once on standard error."""

from __future__ import annotations

import io
import sys

import click

from app.errors import LadderError
from app.ops.control_codes import escaped


def failed(error: LadderError) -> int:
    """Tell what is not as it must be; gives the exit code."""
    _tell(f"ladder: {error}\n")
    return error.exit_code


def wrong_use(error: click.ClickException) -> int:
    """Tell how the command is to be called; gives the exit code."""
    told = io.StringIO()
    error.show(told)
    _tell(told.getvalue())
    return error.exit_code


def _tell(text: str) -> None:
    shown = escaped(text, lines=True) if sys.stderr.isatty() else text
    click.echo(shown, nl=False, err=True)
