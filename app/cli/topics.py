"""`ladder topics`: make them, or see that they are as they must be."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence

import click

from app.cli import output
from app.cli.options import with_settings
from app.settings import Settings
from app.stream import acls, clients, topic_admin
from app.stream.topics import Topic, declared, differences, with_copies
from app.wire.definition import read_folder


@click.group()
def topics() -> None:
    """Make or check every topic, with the settings it needs (retention, compaction).

    \b
    Example:
      ladder topics create
    """


@topics.command()
@click.option("--dry-run", is_flag=True, help="Print what would make them; asks no broker.")
@click.option("--json", "in_json", is_flag=True, help="One JSON object a topic, one a line.")
@with_settings("brokers", "partitions", "replication_factor", "ladders")
def create(settings: Settings, dry_run: bool, in_json: bool) -> None:
    """Make the topics that are not there; those that are stay as they are.

    With --dry-run it prints the commands for those who make topics themselves.

    \b
    Example:
      ladder topics create --brokers kafka-1:9092 --partitions 8
      ladder topics create --dry-run > topics.sh
    """
    wanted = _declared(settings)
    if dry_run:
        copies = settings.replication_factor or topic_admin.COPIES
        _print(wanted, copies, settings.brokers, in_json=in_json)
        return
    asyncio.run(_create(settings, wanted, in_json=in_json))


@topics.command()
@with_settings("brokers", "partitions", "ladders")
def check(settings: Settings) -> None:
    """See that every topic is there and does no harm; names each that is not so.

    \b
    Example:
      ladder topics check --brokers kafka-1:9092
    """
    asyncio.run(_check(settings, _declared(settings)))


@topics.command("acls")
@click.option(
    "--role",
    type=click.Choice(list(acls.ROLES)),
    default="worker",
    show_default=True,
    help="Whom it is for.",
)
@click.option("--principal", metavar="NAME", help="Who that is to Kafka; default: User:<role>.")
@click.option(
    "--group", metavar="NAME", default="shop-letters", help="The consumer group of a reader."
)
@with_settings("brokers", "ladders")
def print_acls(settings: Settings, role: acls.Role, principal: str | None, group: str) -> None:
    """Print the commands that allow a role what it needs on the cluster, and nothing else.

    \b
    worker    a worker
    operator  topics, emit, watch, dead-letters
    backend   a program that sends events
    reader    a program that acts on stage changes

    \b
    Example:
      ladder topics acls --role worker --principal User:ladder > acls.sh
    """
    for allowed in acls.needed(role, settings, _declared(settings), group):
        words = ["kafka-acls.sh", "--bootstrap-server", settings.brokers, "--add"]
        words += ["--allow-principal", principal or f"User:{role}"]
        for operation in allowed.operations:
            words += ["--operation", operation]
        for name in allowed.names:
            words += [f"--{allowed.resource}", name]
        if allowed.prefixed:
            words += ["--resource-pattern-type", "prefixed"]
        output.line(shlex.join(words))


def _declared(settings: Settings) -> tuple[Topic, ...]:
    return declared(settings, [ladder.id for ladder in read_folder(settings.ladders)])


async def _create(settings: Settings, wanted: Sequence[Topic], *, in_json: bool) -> None:
    async with clients.admin(settings) as admin:
        copies = await topic_admin.copies_for(admin, settings)
        made = await topic_admin.create(admin, wanted, copies)
        for topic in made:
            if in_json:
                output.as_json(_as_object(topic, copies))
            else:
                output.line(topic.name)
        output.say(f"{len(made)} topics made, {len(wanted) - len(made)} were there already")
        await topic_admin.check(admin, wanted)


async def _check(settings: Settings, wanted: Sequence[Topic]) -> None:
    async with clients.admin(settings) as admin:
        await topic_admin.check(admin, wanted)
        for note in differences(wanted, await topic_admin.find(admin, wanted)):
            output.say(f"note: {note}")
    output.say(f"all {len(wanted)} topics are as they must be")


def _print(wanted: Sequence[Topic], copies: int, brokers: str, *, in_json: bool) -> None:
    for topic in wanted:
        if in_json:
            output.as_json(_as_object(topic, copies))
            continue
        words = ["kafka-topics.sh", "--bootstrap-server", brokers, "--create", "--if-not-exists"]
        words += ["--topic", topic.name, "--partitions", str(topic.partitions)]
        words += ["--replication-factor", str(copies)]
        for name, value in with_copies(topic, copies).items():
            words += ["--config", f"{name}={value}"]
        output.line(shlex.join(words))


def _as_object(topic: Topic, copies: int) -> dict[str, object]:
    return {
        "name": topic.name,
        "kind": topic.kind,
        "direction": topic.direction,
        "key": topic.key,
        "what": topic.what,
        "partitions": topic.partitions,
        "replication_factor": copies,
        "config": with_copies(topic, copies),
    }
