"""The house keeps its own rules: what people run is what CI runs."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
CI = (ROOT / ".ci/run").read_text()
TARGETS = re.findall(r"^([a-z-]+):.* ## ", MAKEFILE, re.MULTILINE)
COVERED = {"help", "setup", "check", "soak", "digests"}
"""Recipes that only put others together, one that goes on for as long as one likes, and one that
asks registries which CI may not reach."""


@pytest.mark.parametrize("target", sorted({*TARGETS} - COVERED - {"test"}))
def test_ci_runs_every_recipe(target: str) -> None:
    assert re.search(rf"^(\[.*\|\| )?step .*\bmake {target}\b", CI, re.MULTILINE)


def test_ci_runs_the_test_command_of_the_readme_before_all_else() -> None:
    steps = re.findall(r"^(?:\[.*\|\| )?step (\"[^\"]+\"|\S+)", CI, re.MULTILINE)
    assert steps[:3] == ["tools", "clean", '"README\'s test"']


def test_the_readme_has_a_test_command_that_ci_finds() -> None:
    function = re.search(r"^readme_test_command\(\) \{.*?^\}", CI, re.MULTILINE | re.DOTALL)
    assert function is not None
    found = subprocess.run(
        ["bash", "-c", f"{function.group()}\nreadme_test_command"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "make test"


def test_every_rule_that_is_switched_off_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text[text.index("ignore = [") : text.index("[tool.ruff.lint.per-file-ignores]")]
    rules = [line for line in block.splitlines() if re.match(r'\s+"[A-Z]', line)]
    assert rules
    assert [line for line in rules if "#" not in line] == []


def test_what_private_seams_are_built_on_is_pinned_exactly() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    exact = {name.partition("==")[0] for name in project["dependencies"] if "==" in name}
    assert exact == {"faust-streaming", "aiokafka", "rocksdict"}


def test_the_recipes_that_the_guides_name_exist() -> None:
    for guide in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / guide).read_text(), re.MULTILINE)
        assert named, guide
        assert {*named} <= {*TARGETS}, guide


def test_the_folders_are_those_that_the_package_names() -> None:
    told = (ROOT / "app/__init__.py").read_text()
    folders = {each.parent.name for each in (ROOT / "app").glob("*/__init__.py")}
    assert {name for name in folders if not re.search(rf"\b{name}\b", told)} == set()
