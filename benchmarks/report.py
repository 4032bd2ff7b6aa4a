"""`python -m benchmarks.report [JSON]`: puts the figures of a run, the newest by default, into
README.md, between the two marks there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS, shown

README = Path(__file__).parent / "README.md"
BEGIN = "<!-- figures: python -m benchmarks.report -->"
END = "<!-- /figures -->"
MAIN = ("events/s", "p99 ms", "customers/s")


def newest() -> Path:
    """Return the last written result; raises FileNotFoundError."""
    found = sorted(RESULTS.glob("*.json"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise FileNotFoundError(f"no results in {RESULTS}: python -m benchmarks makes them")
    return found[-1]


def table(found: dict[str, Any]) -> str:
    """Write a run as Markdown: for each case what it was to reach, and what else was measured."""
    here, options = found["machine"], found["options"]
    packages = ", ".join(f"{name} {number}" for name, number in here["packages"].items())
    rounds = f"{options['rounds']} round" + ("s" if options["rounds"] > 1 else "")
    quick = ", **with --quick: too small to tell a speed**" if options["quick"] else ""
    lines = [
        f"{found['date'][:10]}, commit {here['commit']}, {rounds} (median, in brackets least and "
        f"greatest){quick}. {here['cpu']}, {here['cores']} cores, {here['memory_gib']} GiB, "
        f"{here['system']}, Python {here['python']}, {here['kafka']} beside it; {packages}.",
        "",
        "| what | reached | wanted | beside it |",
        "|---|---|---|---|",
    ]
    lines += [_row(case) for case in found["cases"].values()]
    return "\n".join(lines)


def _row(case: dict[str, Any]) -> str:
    figures = case["figures"]
    main = [name for name in figures if name in case["wanted"] or name in MAIN]
    reached = "<br>".join(f"{_spread(figures[name])} {name}" for name in main)
    wanted = "<br>".join(f"{value} {name}" for name, value in case["wanted"].items())
    beside = "; ".join(
        f"{name} {shown(figures[name]['median'])}" for name in figures if name not in main
    )
    return f"| {case['what']} | {reached} | {wanted} | {beside} |"


def _spread(value: dict[str, float]) -> str:
    low, middle, high = (shown(value[name]) for name in ("least", "median", "greatest"))
    return f"**{middle}**" if low == high else f"**{middle}** ({low} to {high})"


def inserted(text: str, figures: str) -> str:
    """Replace what stands between the marks."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{README.name} has not the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"


def main(arguments: list[str]) -> None:
    source = Path(arguments[0]) if arguments else newest()
    figures = table(json.loads(source.read_text()))
    README.write_text(inserted(README.read_text(), figures))
    print(f"{README}: figures of {source}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
