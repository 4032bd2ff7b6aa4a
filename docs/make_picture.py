"""Draws the ladder in README.md from its definition.

`python -m docs.make_picture` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import html
import itertools
import re
import sys

from app.core.ladder import Ladder
from app.wire.definition import read_ladder
from docs.made import ROOT, settle

PAGE = ROOT / "README.md"
DRAWN = "app/ladders/raving-fan.yaml"
BETWEEN = re.compile(
    r"(?<=<!-- Made by `python -m docs.make_picture` from the definition. -->\n).*?"
    r"(?=<!-- End of the picture. -->)",
    re.DOTALL,
)


def picture(ladder: Ladder) -> str:
    """Mermaid: the lowest rung at the bottom, each with its title and its rule."""
    lines = ["```mermaid", "flowchart BT"]
    for rung in ladder.rungs:
        rule = html.escape(rung.when.replace('"', "'"), quote=False)
        lines.append(f'    {rung.id}["<b>{rung.title["en"]}</b><br/>{rule}"]')
    rungs = [rung.id for rung in ladder.rungs]
    lines += [f"    {low} --> {high}" for low, high in itertools.pairwise(rungs)]
    return "\n".join([*lines, "```", ""])


def page() -> str:
    """README.md with the picture as it must be."""
    ladder = read_ladder((ROOT / DRAWN).read_bytes(), DRAWN)
    return BETWEEN.sub(lambda _: picture(ladder), PAGE.read_text())


if __name__ == "__main__":
    sys.exit(settle(PAGE, page(), made_by=__spec__.name))
