"""`ladder show`: one customer, as the API of a worker gives it."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

import click
import msgspec

from app.cli import output
from app.cli.asking import ask
from app.cli.options import with_settings
from app.settings import Settings


@click.command()
@click.argument("customer")
@click.option("--json", "in_json", is_flag=True, help="The API's answer as it is.")
@with_settings("api_url")
def show(settings: Settings, customer: str, in_json: bool) -> None:
    """Where a customer stands on each ladder, why, since when, and what the next rung needs.

    Asks the worker at LADDER_API_URL.

    \b
    Example:
      ladder show c-42
    """
    view = ask(settings, f"/v1/customers?id={urllib.parse.quote(customer, safe='')}")
    if in_json:
        output.as_json(view)
        return
    _print(view)


def _print(view: Mapping[str, Any]) -> None:
    merged = f", merged into {view['merged_into']}" if "merged_into" in view else ""
    output.say(f"{view['customer_id']}{merged}, as of {view['as_of']}")
    headings = ("ladder", "rung", "since", "why", "next", "needs", "due")
    rows = [_row(ladder, told) for ladder, told in view["ladders"].items()]
    output.table(headings, rows, fold=("why", "needs"))


def _row(ladder: str, told: Mapping[str, Any]) -> tuple[str, ...]:
    next_rung, due, placed = told["next"], told["due"], told["placed"]
    why = _rule(told["because"])
    if placed:
        why = f"placed by hand{' until ' + placed['until'] if placed.get('until') else ''}"
    return (
        ladder,
        told["rung"] or "-",
        told["since"] or "",
        why,
        next_rung["rung"] if next_rung else "",
        _rule(next_rung),
        f"{due['to'] or 'none'} at {due['at']}" if due else "",
    )


def _rule(told: Mapping[str, Any] | None) -> str:
    if not told:
        return ""
    facts = ", ".join(
        f"{name} = {msgspec.json.encode(value).decode() if value is not None else 'none'}"
        for name, value in told["facts"].items()
    )
    return f"{told['rule']} ({facts})" if facts else str(told["rule"])
