"""`python -m benchmarks.peers.page [JSON]`: puts a race, the newest by default, into the page."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.figures import newest, spread
from benchmarks.peers.java import PROJECT, version_in
from benchmarks.peers.names import CPU, HALF, MEMORY, NAMES, OURS, WRONG
from benchmarks.report import inserted, said_of

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- race: make bench-peers -->"
END = "<!-- /race -->"
COLUMNS = (
    ("events/s", "throughput", "events/s"),
    ("second half", "throughput", HALF),
    (CPU, "throughput", CPU),
    (MEMORY, "throughput", MEMORY),
    ("p50 ms", "latency", "p50 ms"),
    ("p99 ms", "latency", "p99 ms"),
    (WRONG, "throughput", WRONG),
)


def text(found: dict[str, Any]) -> str:
    """Write a race as Markdown: everybody's figures, then what was wanted of us."""
    cases = found["cases"]
    lines = [
        f"{said_of(found)}, Kafka Streams {version_in(PROJECT / 'pom.xml')}.",
        "",
        f"| program | {' | '.join(title for title, _, _ in COLUMNS)} |",
        "|---|" + "---:|" * len(COLUMNS),
        *(_row(name, cases) for name in NAMES if f"{name} throughput" in cases),
        "",
        "| Loyalty Ladder, in a round with Kafka Streams exactly_once_v2 | reached | wanted |",
        "|---|---|---|",
        *_wanted(cases),
    ]
    failures = found.get("failures", [])
    if failures:
        lines += [
            "",
            "What failed in this run:",
            "",
            *(f"- {' '.join(each.split())[:300]}" for each in failures),
        ]
    return "\n".join(lines)


def _row(name: str, cases: dict[str, Any]) -> str:
    cells = []
    for _, kind, figure in COLUMNS:
        value = cases.get(f"{name} {kind}", {}).get("figures", {}).get(figure)
        cells.append("" if value is None else spread(value))
    what = cases[f"{name} throughput"]["what"].partition(":")[0]
    return f"| {what} | {' | '.join(cells)} |"


def _wanted(cases: dict[str, Any]) -> list[str]:
    rows = []
    for kind in ("throughput", "latency"):
        case = cases.get(f"{OURS} {kind}", {"wanted": {}, "figures": {}})
        for figure, goal in case["wanted"].items():
            value = case["figures"].get(figure)
            reached = "not measured" if value is None else spread(value)
            rows.append(f"| {figure} | {reached} | {goal} |")
    return rows


def write(found: dict[str, Any]) -> Path:
    """Put a race into the page, between its marks."""
    PAGE.write_text(inserted(PAGE.read_text(), text(found), BEGIN, END))
    return PAGE


if __name__ == "__main__":
    source = Path(sys.argv[1]) if sys.argv[1:] else newest("peers")
    print(f"{write(json.loads(source.read_text()))}: {source}", file=sys.stderr)
