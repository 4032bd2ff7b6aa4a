"""`ladder dead-letters`: what was refused and why, and a way back for it."""

from __future__ import annotations

import asyncio
import base64
import functools
import heapq
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple

import click
from aiokafka import TopicPartition

from app.cli import output
from app.cli.moment import Moment
from app.cli.options import with_settings
from app.core.events import REASONS
from app.core.instants import format_instant
from app.errors import LettersIncomplete, TopicsError
from app.settings import Settings
from app.stream import clients, letters
from app.stream.letters import Choice, DeadLetter
from app.stream.topics import LARGEST_INPUT
from app.wire.dead_letter import Letter

SHOWN = 100
"""Letters that `list` shows unless told otherwise."""


BATCH = 500
"""Letters that are on their way at a time."""


class Plan(NamedTuple):
    """What a replay would send: where it ends, and how many by topic and reason; and what cannot be
    sent, with the obstacle.
    """

    until: Mapping[TopicPartition, int]
    waiting: Counter[tuple[str, str]]
    kept: Counter[tuple[str, str, str]]


class Place(click.ParamType):
    """PARTITION:OFFSET of a dead letter, as `list` shows it."""

    name = "partition:offset"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        partition, _, offset = str(value).partition(":")
        if not (partition.isdecimal() and offset.isdecimal()):
            self.fail(f"{value!r} is not PARTITION:OFFSET, such as 3:1207")
        return int(partition), int(offset)


def _with_choice(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that choose letters, handed over as one `choice`."""

    @click.option("--reason", type=click.Choice(REASONS), multiple=True, help="Only these.")
    @click.option("--since", type=Moment(), help="Only those written since.")
    @click.option("--topic", metavar="TOPIC", help="Only those that came from this topic.")
    @click.option("--at", type=Place(), multiple=True, help="Only the ones at these places.")
    @functools.wraps(command)
    def wrapper(
        reason: tuple[str, ...],
        since: int | None,
        topic: str | None,
        at: tuple[tuple[int, int], ...],
        **given: Any,
    ) -> Any:
        return command(choice=Choice(frozenset(reason), since, topic, frozenset(at)), **given)

    return wrapper


@click.group("dead-letters")
def dead_letters() -> None:
    """What could not be applied, and why; and sending it once more when the cause is gone.

    \b
    Example:
      ladder dead-letters list --reason no-rate
    """


@dead_letters.command("list")
@_with_choice
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=SHOWN,
    show_default=True,
    help="The newest so many.",
)
@click.option("--json", "in_json", is_flag=True, help="One JSON object a letter, one a line.")
@with_settings("brokers")
def list_(settings: Settings, choice: Choice, limit: int, in_json: bool) -> None:
    """Show dead letters, oldest first, and how many there are for each reason.

    \b
    Example:
      ladder dead-letters list --since 2026-03-01T00:00:00Z --limit 20
      ladder dead-letters list --json | jq -r .reason | sort | uniq -c
    """
    asyncio.run(_list(settings, choice, limit, in_json=in_json))


@dead_letters.command()
@_with_choice
@click.option("--limit", type=click.IntRange(min=1), help="Not more than so many.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings("brokers")
def replay(settings: Settings, choice: Choice, limit: int | None, dry_run: bool, yes: bool) -> None:
    """Send dead letters once more, as they were, to the topics that they came from.

    They stay on the topic of the dead letters. Sending one twice does no harm: an event that was
    applied meanwhile is a repeat. One that is refused again becomes a new dead letter, which this
    run leaves alone. One that was too large to be kept whole cannot be sent; the others are.

    \b
    Example:
      ladder dead-letters replay --reason no-rate --dry-run
      ladder dead-letters replay --at 3:1207 --yes
    """
    plan = asyncio.run(_plan(settings, choice, limit))
    for (topic, reason), count in sorted(plan.waiting.items()):
        output.say(f"{count:,} {reason} back to {topic}")
    for (topic, reason, obstacle), count in sorted(plan.kept.items()):
        output.say(f"{count:,} {reason} from {topic} cannot be sent again: {obstacle}")
    if not plan.waiting and plan.kept:
        raise LettersIncomplete("nothing was sent")
    if not plan.waiting:
        output.say("no dead letter fits")
    elif dry_run:
        return
    elif not yes and not output.confirm(f"send {plan.waiting.total():,} again?"):
        output.say("nothing was sent")
    else:
        sent = asyncio.run(_replay(settings, choice, plan))
        output.say(f"{sent:,} sent again")


async def _list(settings: Settings, choice: Choice, limit: int, *, in_json: bool) -> None:
    newest: list[tuple[int, int, int, DeadLetter]] = []
    reasons: Counter[str] = Counter()
    async with aclosing(letters.chosen(settings, choice, await letters.ends(settings))) as found:
        async for letter in found:
            reasons[letter.why.reason] += 1
            # A table shows no values, and a hundred giants would fill the memory.
            kept = letter if in_json else replace(letter, value=None)
            entry = (kept.written, kept.partition, kept.offset, kept)
            if len(newest) < limit:
                heapq.heappush(newest, entry)
            else:
                heapq.heappushpop(newest, entry)
    shown = [entry[-1] for entry in sorted(newest, key=lambda entry: entry[:3])]
    if in_json:
        for letter in shown:
            output.as_json(_as_object(letter))
    elif shown:
        headings = ("at", "written", "reason", "from", "key", "message")
        output.table(headings, [_row(letter) for letter in shown], fold=("key", "message"))
    _sum_up(reasons, len(shown))


async def _plan(settings: Settings, choice: Choice, limit: int | None) -> Plan:
    until = await letters.ends(settings)
    plan = Plan(until, Counter(), Counter())
    await _count(letters.chosen(settings, choice, until), limit, plan)
    if plan.waiting:
        await _refuse_missing(settings, {topic for topic, _ in plan.waiting})
    return plan


async def _replay(settings: Settings, choice: Choice, plan: Plan) -> int:
    total = plan.waiting.total()
    largest = {"max_request_size": LARGEST_INPUT}
    sent = 0
    with output.progress("sent") as progress:
        task = progress.add_task("replaying", total=total)
        async with (
            clients.producer(settings, **largest) as producer,
            aclosing(letters.chosen(settings, choice, plan.until)) as found,
        ):
            batch: list[DeadLetter] = []
            async for letter in found:
                if letter.obstacle:
                    continue
                batch.append(letter)
                if len(batch) == BATCH or sent + len(batch) == total:
                    await letters.resend(producer, batch)
                    sent += len(batch)
                    progress.advance(task, len(batch))
                    batch = []
                if sent == total:
                    break
    return sent


async def _count(found: AsyncGenerator[DeadLetter, None], limit: int | None, plan: Plan) -> None:
    """Count what may be sent again, up to a limit, and what may not."""
    async with aclosing(found):
        async for letter in found:
            why = letter.why
            if letter.obstacle:
                plan.kept[why.topic, why.reason, letter.obstacle] += 1
                continue
            plan.waiting[why.topic, why.reason] += 1
            if plan.waiting.total() == limit:
                break


async def _refuse_missing(settings: Settings, topics: set[str]) -> None:
    """Raises TopicsError: a broker might make a topic that is gone, with settings of its own."""
    async with clients.admin(settings) as admin:
        missing = sorted(topics - set(await admin.list_topics()))
    if missing:
        raise TopicsError([f"{topic} is not there any more" for topic in missing])


def _sum_up(reasons: Counter[str], shown: int) -> None:
    for reason, count in reasons.most_common():
        output.say(f"{count:,} {reason}")
    if not reasons:
        output.say("no dead letter fits")
    elif shown < reasons.total():
        output.say(f"the newest {shown:,} of {reasons.total():,} are shown; see --limit")


def _row(letter: DeadLetter) -> tuple[str, ...]:
    why = letter.why
    return (
        f"{letter.partition}:{letter.offset}",
        format_instant(letter.written // 1_000_000 * 1_000_000),
        why.reason,
        f"{why.topic} {why.partition}:{why.offset}",
        "" if letter.key is None else letter.key.decode(errors="backslashreplace"),
        why.message + _without(why),
    )


def _without(why: Letter) -> str:
    if not why.left_out:
        return ""
    size = "" if why.value_bytes is None else f", value of {why.value_bytes:,} bytes"
    return f" (left out: {' and '.join(why.left_out)}{size})"


def _as_object(letter: DeadLetter) -> dict[str, object]:
    why = letter.why
    return {
        "partition": letter.partition,
        "offset": letter.offset,
        "written": format_instant(letter.written),
        "reason": why.reason,
        "message": why.message,
        "from": {"topic": why.topic, "partition": why.partition, "offset": why.offset},
        **_bytes("key", letter.key),
        **_bytes("value", letter.value),
        **_what_is_missing(why),
    }


def _what_is_missing(why: Letter) -> dict[str, object]:
    if not why.left_out:
        return {}
    known = {"value_bytes": why.value_bytes, "value_sha256": why.value_sha256}
    return {
        "left_out": list(why.left_out),
        **{name: found for name, found in known.items() if found is not None},
    }


def _bytes(name: str, content: bytes | None) -> dict[str, str | None]:
    """As text where it is text, else in base64 under another name."""
    if content is None:
        return {name: None}
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content).decode()}
