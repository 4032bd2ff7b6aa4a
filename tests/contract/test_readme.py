"""README.md: its picture is the ladder, its commands are recipes, its figures the data's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.embedded.demo_people import SOURCE
from app.embedded.demo_purchases import by_customer, read_purchases
from docs import make_picture

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_picture_is_drawn_from_the_definition() -> None:
    assert make_picture.BETWEEN.search(README), "the picture's place is marked"
    assert "raving-fan[" in README
    assert make_picture.page() == README, "run `python -m docs.make_picture`"


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_each_of_the_two_commands_stands_alone_in_a_block_and_is_a_recipe(command: str) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert [block for block in blocks if block.strip() == command]
    assert f"\n{command.removeprefix('make ')}: " in (ROOT / "Makefile").read_text()


def test_the_real_part_is_told_with_its_figures_and_the_made_up_one_with_its_mark() -> None:
    purchases = read_purchases()
    assert f"{len(purchases):,}" in README
    assert f"{len(by_customer(purchases)):,}" in README
    assert f"`{SOURCE}`" in README


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert len(links) > 5
