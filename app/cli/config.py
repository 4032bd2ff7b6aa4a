"""`ladder config`: every setting, and where its value comes from."""

from __future__ import annotations

import os

import click

from app import settings as declarations
from app.cli import output
from app.cli.options import with_settings
from app.settings import DECLARED, Declared, Settings, shown


@click.command()
@click.option("--json", "in_json", is_flag=True, help="One JSON object a setting, one a line.")
@with_settings()
def config(settings: Settings, in_json: bool) -> None:
    """Every setting with its value, default, meaning and environment variable.

    Secrets are masked. Values come from the environment, else from a .env file here, else they are
    the defaults.

    \b
    Example:
      LADDER_PARTITIONS=4 ladder config
    """
    if in_json:
        for declared in DECLARED:
            output.as_json(_row(declared, settings))
        return
    rows = [_row(declared, settings) for declared in DECLARED]
    headings = ("variable", "value", "default", "from", "meaning")
    output.table(headings, [[row[name] for name in headings] for row in rows], fold=headings[1:])


def _row(declared: Declared, settings: Settings) -> dict[str, str]:
    return {
        "variable": declared.variable,
        "value": shown(declared, settings),
        "default": declared.default,
        "from": _origin(declared),
        "meaning": declared.meaning,
    }


def _origin(declared: Declared) -> str:
    if os.environ.get(declared.variable, "").strip():
        return "environment"
    if declared.variable in declarations.environment({}, declarations.DOTENV):
        return str(declarations.DOTENV)
    return "default"
