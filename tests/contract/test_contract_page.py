"""docs/contract.md is what the code builds: its sections are there, and its marks are in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.condition_facts import PLAIN, TOP_SPENDER, WINDOWED
from app.core.events import REASONS, TYPES, ClockAdvanced
from tests.contract.pages import NOT_YET, ROOT, built

PAGE = ROOT / "docs" / "contract.md"
SOURCES = sorted(
    source
    for pattern in ("app/**/*.py", "engine/src/**/*.rs", "tests/**/*.py", "docs/*.md")
    for source in ROOT.glob(pattern)
)
CITED = re.compile(r"\bcontract(?: sections?)? (\d+)(?: to (\d+))?(?:, \*([^*]+)\*)?")


def cited(source: Path) -> list[tuple[int, str]]:
    """The numbers and names of the sections that a file cites."""
    text = re.sub(r"\s+(?://[/!]|#)?\s*", " ", source.read_text("utf-8"))
    found: list[tuple[int, str]] = []
    for first, last, part in CITED.findall(text):
        found += [(number, part) for number in range(int(first), int(last or first) + 1)]
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_section_that_is_cited_exists(source: Path) -> None:
    text = PAGE.read_text("utf-8")
    for number, part in cited(source):
        assert re.search(rf"^## {number}\. ", text, re.MULTILINE), number
        names = re.findall(r"^#+ (.+)$|^\**([^*\n]{1,40}?)\.?\*\*", text, re.MULTILINE)
        told = {name.casefold() for pair in names for name in pair}
        assert not part or part.rstrip(".").casefold() in told or part.casefold() in text.casefold()


def test_sections_are_cited_at_all() -> None:
    assert {number for source in SOURCES for number, _ in cited(source)} >= {
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        10,
    }


def test_marks_of_what_is_not_built_do_not_nest_and_are_closed() -> None:
    assert not re.search("[⟦⟧]", NOT_YET.sub("", PAGE.read_text("utf-8").replace("⟦ and ⟧", "")))


def test_what_is_not_marked_is_built_and_the_other_way_round() -> None:
    page = built(PAGE)
    events = re.search(r"^## 2\..*?^## 3\.", page, re.MULTILINE | re.DOTALL)
    assert events is not None
    types = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", events[0], re.MULTILINE))
    assert types == set(TYPES) - {ClockAdvanced.type}
    facts = re.search(r"^## 3\..*?^## 4\.", page, re.MULTILINE | re.DOTALL)
    assert facts is not None
    cells = re.findall(r"^\| (`.+?) \|", facts[0], re.MULTILINE)
    named = set(re.findall(r"`([a-z_]+)(?:\([a-z, ]+\))?`", " ".join(cells)))
    assert {name for name in named if not name.startswith("_")} == {
        *PLAIN, *(name for name in WINDOWED if f"`{name}(n)`" in facts[0]), TOP_SPENDER
    }  # fmt: skip
    letters = re.search(r"`loyalty.reason`, one of (.*?)\. A record with several", page)
    assert letters is not None
    reasons = set(re.findall(r"`([a-z-]+)`", re.sub(r"\([^)]*\)", "", letters[1])))
    assert reasons >= set(REASONS)
