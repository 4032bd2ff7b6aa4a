"""`ladder customers`: who stands on a rung now, as the API of the workers gives it."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from typing import Any

import click

from app.cli import output
from app.cli.asking import ask
from app.cli.options import with_settings
from app.errors import ApiError
from app.settings import Settings

A_PAGE = 1000
COLUMNS = ("customer_id", "since", "sequence")


@click.command()
@click.option("--ladder", required=True, metavar="LADDER", help="Which ladder.")
@click.option("--rung", required=True, metavar="RUNG", help="Which of its rungs.")
@click.option("--csv", "in_csv", is_flag=True, help="Comma separated (RFC 4180), with a heading.")
@click.option("--json", "in_json", is_flag=True, help="One JSON document.")
@with_settings("api_url")
def customers(settings: Settings, ladder: str, rung: str, in_csv: bool, in_json: bool) -> None:
    """Who stands on a rung now, and since when; in no particular order.

    Asks the worker at LADDER_API_URL, which asks the others. Exits with 1 when a partition did not
    answer, after printing those that did.

    \b
    Example:
      ladder customers --ladder raving-fan --rung member
      ladder customers --ladder rfm --rung at-risk --csv > at-risk.csv
    """
    if in_csv and in_json:
        raise click.UsageError("--csv and --json exclude each other")
    missing: set[int] = set()
    found = (each for page in _pages(settings, ladder, rung, missing) for each in page)
    if in_csv:
        output.csv_row(COLUMNS)
        for each in found:
            output.csv_row([str(each[name]) for name in COLUMNS])
    elif in_json:
        told = {"ladder": ladder, "rung": rung, "customers": list(found)}
        output.as_json(told | {"complete": not missing, "missing": sorted(missing)})
    else:
        output.table(COLUMNS, [[str(each[name]) for name in COLUMNS] for each in found])
    if missing:
        raise ApiError(
            f"no worker answered for the partitions {', '.join(map(str, sorted(missing)))}; their "
            "customers are missing above. See `/health/ready` of the workers, and try again"
        )


def _pages(
    settings: Settings, ladder: str, rung: str, missing: set[int]
) -> Iterator[list[dict[str, Any]]]:
    """Page after page; the partitions that did not answer are added to `missing`."""
    path = f"/v1/ladders/{urllib.parse.quote(ladder, safe='')}/customers?"
    query = {"rung": rung, "limit": A_PAGE}
    while True:
        page = ask(settings, path + urllib.parse.urlencode(query))
        missing.update(page["missing"])
        yield page["customers"]
        if page["next"] is None:
            return
        query["cursor"] = page["next"]
