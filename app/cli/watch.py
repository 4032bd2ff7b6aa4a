"""`ladder watch`: stage changes as they come."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Literal

import click

from app.cli import output
from app.cli.options import with_settings
from app.core.change import Change
from app.core.instants import format_instant
from app.core.nearest import none_such
from app.errors import TopicsError, UsageError
from app.settings import Settings
from app.stream.reading import read, topics_beginning
from app.wire.stage_change import NotAStageChange, decode

COLOURS = {"up": "green", "down": "red", "moved": "cyan"}
ARROWS = {"up": "↑", "down": "↓", "moved": "→"}


@click.command()
@click.argument("ladder", required=False)
@click.option("--from-start", is_flag=True, help="Begin with the oldest change that is kept.")
@click.option("--once", is_flag=True, help="End where the topics end now.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after N changes.")
@click.option("--json", "in_json", is_flag=True, help="The events themselves, one JSON a line.")
@with_settings("brokers")
def watch(
    settings: Settings,
    ladder: str | None,
    from_start: bool,
    once: bool,
    limit: int | None,
    in_json: bool,
) -> None:
    """Follow stage changes: of one LADDER, or of all. Shows what was committed, until Ctrl-C.

    \b
    Example:
      ladder watch raving-fan
      ladder watch --from-start --once --json > changes.ndjson
    """
    asyncio.run(
        _watch(settings, ladder, from_start=from_start, once=once, limit=limit, in_json=in_json)
    )


async def _watch(
    settings: Settings,
    ladder: str | None,
    *,
    from_start: bool,
    once: bool,
    limit: int | None,
    in_json: bool,
) -> None:
    topics = await _topics(settings, ladder)
    start: Literal["beginning", "end"] = "beginning" if from_start else "end"

    def ready() -> None:
        if not once:
            output.say(f"watching {', '.join(topics)}; Ctrl-C ends it")

    async with aclosing(read(settings, topics, start=start, follow=not once, ready=ready)) as found:
        seen = 0
        async for record in found:
            if in_json:
                output.line(record.value)
            else:
                output.styled(*parts(record.value))
            seen += 1
            if seen == limit:
                break


async def _topics(settings: Settings, ladder: str | None) -> list[str]:
    prefix = settings.changes_topic("")
    there = await topics_beginning(settings, prefix)
    if not there:
        raise TopicsError([f"none begins with {prefix}: `ladder topics create` makes them"])
    if ladder is None:
        return there
    if prefix + ladder not in there:
        known = [topic.removeprefix(prefix) for topic in there]
        raise UsageError(none_such("ladder with a topic", ladder, known))
    return [prefix + ladder]


def parts(value: bytes) -> tuple[tuple[str, str], ...]:
    """One line for people: texts, each with its style."""
    try:
        change = decode(value)
    except NotAStageChange as error:
        return ((f"({error})", "dim"),)
    return (
        (format_instant(change.time), "dim"),
        ("  ", ""),
        (change.customer, "bold"),
        (f"  {change.ladder}  ", ""),
        (
            f"{change.from_ or '-'} {ARROWS[change.direction]} {change.to or '-'}",
            COLOURS[change.direction],
        ),
        (f"  {_why(change)}", "dim"),
    )


def _why(change: Change) -> str:
    if change.because is None:
        return str(change.cause)
    facts = ", ".join(f"{name} = {value}" for name, value in change.because.facts.items())
    return f"{change.cause}: {change.because.rule}  ({facts})"
