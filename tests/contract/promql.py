"""Just enough of PromQL to say which metrics and labels an expression names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.ops.metrics import DECLARED

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<range>\[[^\]]*\])
    |(?P<variable>\$\w+|\$\{\w+\})
    |(?P<number>\d+(?:\.\d+)?(?:ms|[smhdwy])?)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>@])""",
    re.VERBOSE,
)
WORDS = frozenset({"and", "or", "unless", "offset", "bool", "ignoring", "on", "group_left"})
GROUPING = frozenset({"by", "without", "on", "ignoring"})
OF_PROMETHEUS = frozenset({"job", "instance"})
"""Labels that every scraped series gets."""
BUILT_IN = {
    "up": frozenset[str](),
    "process_resident_memory_bytes": frozenset[str](),
    "process_cpu_seconds_total": frozenset[str](),
    "process_open_fds": frozenset[str](),
    "process_max_fds": frozenset[str](),
    "process_start_time_seconds": frozenset[str](),
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
}


@dataclass(frozen=True)
class Used:
    """The metrics an expression names, with the labels it matches them by, and those it groups
    by.
    """

    matched: tuple[tuple[str, frozenset[str]], ...]
    grouped: frozenset[str]


def filled(expression: str, *, ladder: str = "raving-fan", range_: str = "1h") -> str:
    """Put in what Grafana puts in for its variables."""
    found = expression.replace("$__rate_interval", "1m").replace("$__range", range_)
    return found.replace("$ladder", ladder)


def tokens(expression: str) -> list[tuple[str, str]]:
    found = []
    place = 0
    while place < len(expression):
        match = TOKEN.match(expression, place)
        assert match is not None, f"not understood: {expression[place:]!r}"
        place = match.end()
        kind = match.lastgroup
        if kind not in (None, "space"):
            found.append((str(kind), match.group()))
    return found


def used(expression: str) -> Used:
    words = tokens(expression)
    matched: list[tuple[str, frozenset[str]]] = []
    grouped: set[str] = set()
    place = 0
    while place < len(words):
        kind, word = words[place]
        following = words[place + 1][1] if place + 1 < len(words) else ""
        if kind == "name" and word in GROUPING and following == "(":
            labels, place = _until(words, place + 2, ")")
            grouped.update(labels)
        elif kind == "name" and following == "{":
            labels, place = _until(words, place + 2, "}")
            matched.append((word, frozenset(labels)))
        elif kind == "name" and word not in WORDS and not _is_function(words, place):
            matched.append((word, frozenset()))
        place += 1
    return Used(tuple(matched), frozenset(grouped))


def _is_function(words: list[tuple[str, str]], place: int) -> bool:
    following = words[place + 1][1] if place + 1 < len(words) else ""
    return following in ("(", "by", "without")


def _until(words: list[tuple[str, str]], place: int, end: str) -> tuple[list[str], int]:
    """The names up to the bracket that closes; what is compared with is text, and no name."""
    labels = []
    while words[place][1] != end:
        if words[place][0] == "name":
            labels.append(words[place][1])
        place += 1
    return labels, place


def series() -> dict[str, frozenset[str]]:
    """Every series that a worker shows, with its labels."""
    found = dict(BUILT_IN)
    for metric in DECLARED:
        labels = frozenset(metric.labels)
        if metric.kind == "histogram":
            found[f"{metric.name}_bucket"] = labels | {"le"}
            found[f"{metric.name}_sum"] = found[f"{metric.name}_count"] = labels
        else:
            found[metric.name] = labels
    return found


def faults(expression: str) -> Iterator[str]:
    """A sentence for each metric and label that no worker has."""
    known = series()
    asked = used(expression)
    if not asked.matched:
        yield f"names no metric: {expression}"
    for name, labels in asked.matched:
        if name not in known:
            yield f"no worker has the metric {name}: {expression}"
            continue
        for label in (labels | asked.grouped) - known[name] - OF_PROMETHEUS:
            yield f"{name} has no label {label}: {expression}"
