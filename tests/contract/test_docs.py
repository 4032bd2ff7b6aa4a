"""The pages are true: their commands run, their links lead somewhere, their names exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
import yaml

from app.cli.main import ladder
from app.core.condition_facts import PLAIN, PROFILE, TOP_SPENDER, WINDOWED
from app.core.conditions import condition
from app.core.customer import stranger
from app.core.ladder import Ladder, Rung
from app.embedded.ports import free_ports
from app.ops import metrics as m
from app.settings import DECLARED, NOT_SETTINGS
from app.stream.remembered import Remembered
from app.wire import definition_fields
from tests.contract.pages import (
    INLINE,
    PAGES,
    ROOT,
    RUN,
    anchors,
    blocks,
    built,
    commands,
    links,
    name,
    prose,
)
from tests.contract.promql import series
from tests.kafka.broker import Kafka

LADDERS = ROOT / "docs" / "ladders.md"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
OURS = [page for page in PAGES if name(page).startswith("docs/") or name(page) == "CONTRIBUTING.md"]
"""Whose commands are run here; what the README says is run by `make` and CI."""
PATIENCE = 300


def runnable(page: Path, *, broker: bool) -> bool:
    infos = {block.info for block in blocks(page)}
    return bool(infos & RUN) and ("bash broker" in infos) == broker


def run_page(page: Path, folder: Path, env: Mapping[str, str]) -> None:
    """Do what the page says, in an empty folder, and compare what it says comes of it."""
    tools = folder / ".tools"
    tools.mkdir()
    program = tools / "ladder"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m app "$@"\n')
    program.chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    for block in blocks(page):
        if block.title is not None:
            file = folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, "utf-8")
    printed = ""
    for block in blocks(page):
        if block.info in RUN:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.text],
                cwd=folder,
                env={**os.environ, **env, "PATH": path},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert (done.returncode != 0) == (block.info == "bash fails"), (
                f"{block.text}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
            printed = done.stdout
        elif block.info == "text output":
            assert printed.strip() == block.text.strip()


@pytest.mark.parametrize("page", [page for page in OURS if runnable(page, broker=False)], ids=name)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path, {})


@pytest.mark.parametrize("page", [page for page in OURS if runnable(page, broker=True)], ids=name)
def test_a_page_does_what_it_says_on_kafka(page: Path, tmp_path: Path, new_kafka: Kafka) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (port,) = free_ports(1)
    env = {
        "LADDER_BROKERS": new_kafka.start().bootstrap,
        "LADDER_REPLICATION_FACTOR": "1",
        "LADDER_API_PORT": str(port),
    }
    run_page(page, folder, env)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_says_what_it_is(page: Path) -> None:
    others = {
        "bash",
        "bash system",
        "console",
        "sh",
        "text output",
        "text",
        "json",
        "yaml",
        "mermaid",
        "python",
    }
    for block in blocks(page):
        without_title = re.sub(r" ?title=\S+", "", block.info)
        assert without_title in RUN | others, block.text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    for arguments in commands(page):
        command: click.Command = ladder
        given = list(arguments)
        while isinstance(command, click.Group) and given:
            found = command.get_command(click.Context(command), given[0])
            assert found is not None or given[0].startswith("-"), f"ladder {' '.join(arguments)}"
            if found is None:
                break
            command = found
            given.pop(0)
        context = click.Context(command, help_option_names=["-h", "--help"])
        known = {option for each in command.get_params(context) for option in each.opts}
        asked = {each for each in given if re.match(r"--?[a-z]", each)}
        assert asked <= known, f"ladder {' '.join(arguments)}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_setting_named_on_a_page_exists(page: Path) -> None:
    known = {declared.variable for declared in DECLARED} | NOT_SETTINGS
    named = set(re.findall(r"\bLADDER_[A-Z_]*[A-Z]\b", built(page)))
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_metric_named_on_a_page_exists(page: Path) -> None:
    known = {metric.name for metric in m.DECLARED} | set(series())
    assert set(re.findall(r"\bladder_[a-z_]+\b", prose(page))) <= known


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_named_on_a_page_exists(page: Path) -> None:
    for code in INLINE.findall(prose(page)):
        if re.fullmatch(r"(app|tests|docs|deploy|schemas|benchmarks)/[\w./*-]*", code):
            assert list(ROOT.glob(code)), code


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_names_no_place_of_one_machine(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"(?<![\w.])/(work|root|home|Users)/", text)


def test_every_page_is_reached_from_the_first_one() -> None:
    index = ROOT / "docs" / "README.md"
    reached: set[Path] = set()
    ahead = [index]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        local = (target.partition("#")[0] for target in links(page) if ":" not in target)
        ahead += [(page.parent / target).resolve() for target in local if target]
    assert [name(page) for page in PAGES if name(page).startswith("docs/")
            and page not in reached] == []  # fmt: skip


# docs/ladders.md


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading."""
    text = prose(LADDERS).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set("".join(row)) <= set("-")]


def test_every_key_of_a_definition_is_explained() -> None:
    explained = {row[0].strip("`") for row in rows("Every key")} - {"key", "key of a rung"}
    assert explained == {*definition_fields._LADDER_KEYS, *definition_fields._RUNG_KEYS}


def test_every_fact_is_explained_and_no_other() -> None:
    told = re.findall(r"`([a-z_]+)[^`]*`", " ".join(row[0] for row in rows("Facts")[1:]))
    assert set(told) == {*PLAIN, *WINDOWED, TOP_SPENDER, PROFILE}
    assert len(told) == len(set(told))


def test_facts_that_may_be_none_say_so() -> None:
    for row in rows("Facts")[1:]:
        for fact in re.findall(r"`([a-z_]+)[^`]*`", row[0]):
            may_be_none = fact == PROFILE or (fact in PLAIN and "none" in PLAIN[fact].meaning)
            assert may_be_none == ("none" in row[1].split(";")[-1].split()), row


@pytest.mark.parametrize("row", rows("None, and unlike things")[1:], ids=lambda row: row[0])
def test_the_table_of_none_and_unlike_things_is_true(row: list[str]) -> None:
    text, where, holds = (cell.strip("`") for cell in row)
    attribute, _, written = where.partition(" = ")
    customer = stranger(0, 1, 1)
    if attribute == "card":
        customer.card = None if written == "none" else json.loads(written)
    elif written != "none":
        customer.attributes[attribute] = json.loads(written)
    rung = Rung("it", condition(text))
    assert Ladder(id="one", version=1, rungs=[rung]).holds(0, customer, 0, {}) == (holds == "yes")


# docs/adr


def test_decisions_are_numbered_without_holes_and_listed() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert links(ROOT / "docs" / "adr" / "README.md") == [page.name for page in DECISIONS]


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_tells_why_what_and_what_follows(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {int(page.name[:4])}. ")
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences"]


# CONTRIBUTING.md


def test_every_make_target_named_on_a_page_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"^(?:\$ )?make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
        named |= set(re.findall(r"`make ([a-z-]+)[^`]*`", page.read_text("utf-8")))
        assert named <= targets, name(page)


# docs/operating.md


def test_the_page_begins_with_a_list_of_its_parts() -> None:
    text = prose(ROOT / "docs" / "operating.md")
    listed = re.findall(r"^\d+\. \[(.+?)\]", text.partition("\n## ")[0], re.MULTILINE)
    assert listed == re.findall(r"^## (.+)$", text, re.MULTILINE)


def test_every_alert_says_what_to_do() -> None:
    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))
    named = [rule["alert"] for group in alerts["groups"] for rule in group["rules"]]
    text = prose(ROOT / "docs" / "operating.md").partition("\n## Alerts\n")[2]
    told = re.findall(r"^\| `(\w+)` \|", text.partition("\n## ")[0], re.MULTILINE)
    assert told == named


def test_what_is_remembered_is_told() -> None:
    assert set(Remembered.__struct_fields__) == {
        "timezone", "currency", "partitions", "topics", "ladders",
    }, "tell it in docs/operating.md, too"  # fmt: skip


def test_every_dependency_has_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["embedded"], *extras["traces"]]
    needed = {re.split(r"[=<>~!; ]", each)[0] for each in wanted}
    text = (ROOT / "docs" / "adr" / "0017-every-dependency-has-a-reason.md").read_text("utf-8")
    told = set(
        re.findall(r"`([a-z-]+)`", " ".join(re.findall(r"^\| (`[^|]*)", text, re.MULTILINE)))
    )
    assert told == needed
