"""A point in time as an argument."""

from __future__ import annotations

import click

from app.core.instants import parse_instant


class Moment(click.ParamType):
    """RFC 3339 with an offset; gives microseconds since 1970, UTC."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        found = parse_instant(str(value))
        if found is None:
            self.fail(f"{value!r} is no time with an offset, such as 2026-03-01T00:00:00Z")
        return found
