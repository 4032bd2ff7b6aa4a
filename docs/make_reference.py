"""Makes docs/reference.md from what the code declares: settings, topics, metrics, errors.

`python -m docs.make_reference` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator

from app import errors, settings
from app import setting_kinds as kinds
from app.ops import metrics
from app.stream import acls, topics
from docs.log_lines import lines
from docs.made import ROOT, settle

PAGE = ROOT / "docs" / "reference.md"
HEAD = """\
<!-- Made by `python -m docs.make_reference` from the code. Change that, then run it. -->
# Reference

What an operator sees, as the code declares it. [Operating](operating.md) says how to use it;
events and dead letters have [a page of their own](events.md).
"""
SETTINGS = """\
## Settings

Environment variables, or lines of a `.env` file in the folder where a command is started; what is
in the environment wins, and a command's own options win over both. An empty value is as good as
none. The file is UTF-8, and its values are taken as they stand: nothing is put in for a variable,
so a value with `${` in it is refused unless it stands in single quotes. `ladder config` shows every
setting with its value, and where that comes from. A wrong value stops the start with one message
that lists all that is wrong.

| variable | default | takes | meaning |
|---|---|---|---|
"""
TOPICS = """\
## Topics

`ladder topics create` makes them, `ladder topics create --dry-run` prints the commands for those
who make topics themselves, and `ladder topics check` compares. A worker makes none, and refuses to
start while one is missing, has another number of partitions, or has the wrong `cleanup.policy`. All
have `LADDER_PARTITIONS` partitions; with three copies or more also `min.insync.replicas=2`.

| topic | direction | key | what | settings |
|---|---|---|---|---|
"""
METRICS = """\
## Metrics

At `GET /metrics` of each worker, in Prometheus' text format; with `LADDER_API_TOKEN` set it needs
the token, unless `LADDER_METRICS_OPEN` is true. What belongs to one partition goes when the
partition leaves the worker.

| metric | kind | labels | meaning |
|---|---|---|---|
"""
LOG = """\
## Log

On standard error, one line for each change of state and for what went wrong; as JSON with
`LADDER_LOG_FORMAT=json`. Every line has `time`, `level`, `logger`, `action` and `event`; sentences
may be worded anew, an action keeps its name. More than five lines of a kind (and a reason, or a
partition) in ten seconds are held back, and `left_out` says how many. What libraries log comes the
same way, without an action. No line names a customer.

| action | level | event | says also |
|---|---|---|---|
"""
ACCESS = """\
## Access

What each role must be allowed on a Kafka with an authorizer, here with the default names.
`ladder topics acls` prints the commands, with yours.

| role | for | operations | on |
|---|---|---|---|
"""
ERRORS = """\
## How commands end

0: done. 1: failed. 2: called in a way that cannot work. 130: interrupted. What went wrong is one
message on standard error, which names the value, the topic or the file; with
`LADDER_LOG_FORMAT=json` it is a line of the log, with `kind`, `exit_code` and `error`. This is what
each kind means, and the way out.

| kind | exit code | when, and what to do |
|---|---|---|
"""
UNITS = (("ms", 86_400_000, "days"), ("ms", 3_600_000, "hours"), ("bytes", 1_048_576, "MiB"))


TAKES = {
    kinds.folder: "a folder",
    kinds.attributes: "names, comma separated",
    kinds.short_name: "up to 150 of A-Z a-z 0-9 . _ -",
    kinds.topic_names: "topic names, comma separated",
}
"""Of the checks that have no one sentence for it."""


def cell(text: str) -> str:
    escaped = re.sub(r"\s+", " ", text).replace("|", r"\|").strip()
    return "`".join(
        piece if inside % 2 else piece.replace("<", "&lt;")
        for inside, piece in enumerate(escaped.split("`"))
    )


def takes(declared: settings.Declared) -> str:
    """What the setting's own check says of a value that hardly anything can be."""
    if declared.parse in TAKES:
        return TAKES[declared.parse]
    try:
        declared.parse("? !")
    except ValueError as error:
        return str(error).partition(";")[0].removeprefix("must be ").removeprefix("must ")
    return "text"


def setting_rows() -> Iterator[str]:
    for declared in settings.DECLARED:
        default = f"`{declared.default}`".replace(",", ", ") if declared.default else ""
        secret = " (secret: never shown)" if declared.secret else ""
        cells = (f"`{declared.variable}`", default, takes(declared), declared.meaning + secret)
        yield f"| {' | '.join(map(cell, cells))} |"


def measured(name: str, value: str) -> str:
    """A value as a person would say it: `retention.ms` of 604800000 is 7 days."""
    for ending, size, unit in UNITS:
        if name.endswith(ending) and value.isdigit() and int(value) % size == 0 and int(value):
            count = int(value) // size
            return f"`{name}` {count} {unit if count > 1 else unit.removesuffix('s')}"
    return f"`{name}` {value}"


def topic_rows() -> Iterator[str]:
    defaults = settings.load({}, None)
    for topic in topics.declared(defaults, ["<ladder id>"]):
        config = ", ".join(measured(name, value) for name, value in topic.config.items())
        cells = (f"`{topic.name}`", topic.direction, topic.key, topic.what, config)
        yield f"| {' | '.join(map(cell, cells))} |"


def access_rows() -> Iterator[str]:
    defaults = settings.load({}, None)
    declared = topics.declared(defaults, ["<ladder id>"])
    for role, what in acls.ROLES.items():
        for allowed in acls.needed(role, defaults, declared, "<its group>"):
            names = ", ".join(
                f"`{name}{'*' if allowed.prefixed else ''}`" for name in allowed.names
            )
            place = f"{allowed.resource} {names}"
            yield f"| {' | '.join((role, what, ', '.join(allowed.operations), cell(place)))} |"


def metric_rows() -> Iterator[str]:
    for metric in metrics.DECLARED:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {cell(metric.help)} |"


def log_rows() -> Iterator[str]:
    found = {(line.action, line.level, line.event, line.fields) for line in lines()}
    for action, level, event, fields in sorted(found, key=str):
        said = ", ".join(f"`{field}`" for field in fields)
        level = "error" if level == "exception" else level
        yield f"| `{action}` | {level} | {cell(str(event))} | {said} |"


def tree(kind: type[errors.LadderError]) -> Iterator[type[errors.LadderError]]:
    yield kind
    for child in kind.__subclasses__():
        # Kinds that belong to one module are told of where they are.
        if child.__module__ == errors.__name__:
            yield from tree(child)


def error_rows() -> Iterator[str]:
    for kind in tree(errors.LadderError):
        told = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
        yield f"| {kind.__name__} | {kind.exit_code} | {cell(told)} |"


def part(head: str, rows: Iterable[str]) -> str:
    return head + "\n".join(rows) + "\n"


def render() -> str:
    """Return the page."""
    return "\n".join(
        [
            HEAD,
            part(SETTINGS, setting_rows()),
            part(TOPICS, topic_rows()),
            part(ACCESS, access_rows()),
            part(METRICS, metric_rows()),
            part(LOG, log_rows()),
            part(ERRORS, error_rows()),
        ]
    )


if __name__ == "__main__":
    sys.exit(settle(PAGE, render(), made_by=__spec__.name))
