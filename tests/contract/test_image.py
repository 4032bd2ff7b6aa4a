"""deploy/Dockerfile: an image that runs as nobody, from what the package needs and nothing else."""

from __future__ import annotations

import re
import subprocess
import tomllib

from docs.make_lock import PYTHON
from tests.contract.composed import DOCKERFILE, ROOT
from tests.contract.tools import tool


def test_hadolint_finds_nothing_to_say() -> None:
    said = subprocess.run(
        [tool("hadolint"), str(ROOT / "deploy" / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (0, "")


def test_the_image_runs_as_nobody_in_particular_and_writes_only_its_state() -> None:
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert user is not None
    assert int(user[1]) > 999
    assert f"--uid {user[1]}" in last
    (state,) = re.findall(r"^VOLUME (\S+)$", last, re.MULTILINE)
    assert f"LADDER_DATA_DIR={state}" in last
    assert 'ENTRYPOINT ["tini", "--", "ladder"]' in last
    assert " tini=" in last


def test_the_image_has_a_python_that_the_package_runs_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    images = set(re.findall(r"^FROM python:(\S+)", DOCKERFILE, re.MULTILINE))
    assert len(images) == 1
    version = re.match(r"\d+\.\d+", images.pop())
    assert version is not None
    assert version[0] == PYTHON
    assert f"Programming Language :: Python :: {PYTHON}" in project["classifiers"]


def test_every_image_is_named_by_its_digest() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(images) == 3
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", image), image


def test_nothing_is_installed_but_what_is_locked_or_was_built() -> None:
    """What comes from the network comes by its hash, and nothing is built but our own package."""
    commands = re.findall(r"pip (?:install|wheel) [^\n\\]*", DOCKERFILE)
    assert len(commands) == 4
    for command in commands:
        if "--no-index" in command:
            assert "--no-deps" in command
        else:
            assert "--require-hashes --only-binary :all: --requirement /src/requirements" in command
    (wheel,) = [command for command in commands if command.startswith("pip wheel")]
    assert "--no-build-isolation" in wheel


def test_the_engine_is_built_by_a_rust_that_can() -> None:
    cargo = tomllib.loads((ROOT / "engine" / "Cargo.toml").read_text("utf-8"))
    has = re.search(r"^FROM rust:(\d+)\.(\d+)", DOCKERFILE, re.MULTILINE)
    assert has is not None
    wants = [int(part) for part in cargo["package"]["rust-version"].split(".")[:2]]
    assert [int(has[1]), int(has[2])] >= wants


def test_the_image_is_built_from_what_the_build_may_see() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    seen = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) /src/\S*$", DOCKERFILE, re.MULTILINE)
        for source in sources.split()
    }
    assert copied == seen
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["readme"] in copied
    needed = {
        *project["project"]["license-files"],
        *project["tool"]["maturin"]["python-packages"],
        project["tool"]["maturin"]["manifest-path"],
    }
    assert {each for each in needed if not {each, each.partition("/")[0]} & copied} == set()
