"""`python -m benchmarks.report [JSON]`: puts the figures of a run, the newest by default, into
README.md, between the two marks there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.figures import newest, shown, spread

README = Path(__file__).parent / "README.md"
BEGIN = "<!-- figures: python -m benchmarks.report -->"
END = "<!-- /figures -->"
MAIN = ("events/s", "p99 ms", "customers/s")


def said_of(found: dict[str, Any]) -> str:
    """Say when, how often and on which machine a run was made."""
    here, options = found["machine"], found["options"]
    packages = ", ".join(f"{name} {number}" for name, number in here["packages"].items())
    rounds = f"{options['rounds']} round" + ("s" if options["rounds"] > 1 else "")
    quick = ", **with --quick: too small to tell a speed**" if options["quick"] else ""
    return (
        f"{found['date'][:10]}, commit {here['commit']}, {rounds} (median, in brackets least and "
        f"greatest){quick}. {here['cpu']}, {here['cores']} cores, {here['memory_gib']} GiB, "
        f"{here['system']}, Python {here['python']}, {here['java']}, {here['kafka']} beside it; "
        f"{packages}"
    )


def table(found: dict[str, Any]) -> str:
    """Write a run as Markdown: for each case what it was to reach, and what else was measured."""
    lines = [
        f"{said_of(found)}.",
        "",
        "| what | reached | wanted | beside it |",
        "|---|---|---|---|",
    ]
    lines += [_row(case) for case in found["cases"].values()]
    return "\n".join(lines)


def _row(case: dict[str, Any]) -> str:
    figures = case["figures"]
    main = [name for name in figures if name in case["wanted"] or name in MAIN]
    reached = "<br>".join(f"{spread(figures[name])} {name}" for name in main)
    wanted = "<br>".join(f"{value} {name}" for name, value in case["wanted"].items())
    beside = "; ".join(
        f"{name} {shown(figures[name]['median'])}" for name in figures if name not in main
    )
    return f"| {case['what']} | {reached} | {wanted} | {beside} |"


def inserted(text: str, figures: str, begin: str = BEGIN, end: str = END) -> str:
    """Replace what stands between the marks; raises ValueError where they are not."""
    before, _, rest = text.partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"the page has not the marks {begin} and {end}")
    return f"{before}{begin}\n{figures}\n{end}{after}"


def main(arguments: list[str]) -> None:
    source = Path(arguments[0]) if arguments else newest("bench")
    figures = table(json.loads(source.read_text()))
    README.write_text(inserted(README.read_text(), figures))
    print(f"{README}: figures of {source}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
