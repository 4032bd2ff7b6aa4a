"""What was measured, round by round: median and spread, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

Round = dict[str, float]
"""Figures of one round by their names, which say the unit."""

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "aiokafka", "faust-streaming", "rocksdict", "msgspec", "orjson", "quixstreams",
    "confluent-kafka",
)  # fmt: skip


def machine() -> dict[str, object]:
    """Name the machine and what runs on it."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": _java(),
        "kafka": _kafka(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": _said(["git", "rev-parse", "--short", "HEAD"]),
    }


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _java() -> str:
    return _said(["java", "-version"]).partition("\n")[0]


def _kafka() -> str:
    pom = Path(__file__).parent.parent / "tests" / "kafka" / "pom.xml"
    found = re.search(r"<version>(\d+\.\d+\.\d+)</version>", pom.read_text().partition("depend")[2])
    return f"Apache Kafka {found[1]}" if found else "Apache Kafka"


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return (done.stdout or done.stderr).strip()


def summed_up(rounds: list[Round]) -> dict[str, dict[str, float]]:
    """Give median, least and greatest of each figure."""
    return {
        name: {
            "median": median(values),
            "least": min(values),
            "greatest": max(values),
        }
        for name in dict.fromkeys(name for each in rounds for name in each)
        if (values := [each[name] for each in rounds if name in each])
    }


def document(
    cases: dict[str, dict[str, Any]], failures: list[str], options: dict[str, object]
) -> dict[str, Any]:
    """Everything about a run, for `report` and for whoever compares runs."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "options": options,
        "cases": {
            name: {**case, "figures": summed_up(case["rounds"])}
            for name, case in cases.items()
            if case["rounds"]
        },
        "failures": failures,
    }


class Kept:
    """The file of a run, written anew after each round: by default named after kind and begin.

    One with --quick has a name under which `newest` does not find it.
    """

    def __init__(self, kind: str, out: Path | None, options: dict[str, object]) -> None:
        begin = f"{datetime.now(UTC):%Y-%m-%dT%H%M}"
        name = f"{'quick-' if options['quick'] else ''}{kind}-{begin}-{socket.gethostname()}.json"
        self.file = out or RESULTS / name
        self._options = options

    def write(self, cases: dict[str, dict[str, Any]], failures: list[str]) -> dict[str, Any]:
        """Write what there is, and give it."""
        found = document(cases, failures, self._options)
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(json.dumps(found, indent=1) + "\n")
        return found


def newest(kind: str) -> Path:
    """Return the last written result of a kind; raises FileNotFoundError."""
    found = sorted(RESULTS.glob(f"{kind}-*.json"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise FileNotFoundError(f"no results in {RESULTS}: make {kind} makes them")
    return found[-1]


def spread(value: dict[str, float]) -> str:
    """Write a median in bold, and in brackets the least and the greatest."""
    low, middle, high = (shown(value[name]) for name in ("least", "median", "greatest"))
    return f"**{middle}**" if low == high else f"**{middle}** ({low} to {high})"


def shown(value: float) -> str:
    """Write a figure with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def draw(console: Console, found: dict[str, Any]) -> None:
    """Print the figures, one line each."""
    here = found["machine"]
    console.print(
        f"{here['cpu']}, {here['cores']} cores, {here['memory_gib']} GiB, {here['system']}, "
        f"Python {here['python']}, {here['kafka']}"
    )
    table = Table(title=f"{found['date']}  {found['options']}")
    for column in ("case", "figure", "median", "least", "greatest", "wanted"):
        table.add_column(column, justify="left" if column in ("case", "figure") else "right")
    for name, case in found["cases"].items():
        for figure, value in case["figures"].items():
            table.add_row(
                name,
                figure,
                *(shown(value[which]) for which in ("median", "least", "greatest")),
                case["wanted"].get(figure, ""),
            )
        table.add_section()
    console.print(table)
